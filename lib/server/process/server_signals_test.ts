// Goal: the first signal that stops a server decides how it ends; nothing cuts a save short.
// Method: a server and a process that only note what is asked of them.

import { assertEquals } from "@std/assert";
import { parseCommandLine } from "../../config/parse.ts";
import { settingsFrom } from "../../config/settings.ts";
import { ServerSignals, type SignalledServer } from "./server_signals.ts";

const LOG = { debug() {}, info() {}, warn() {}, error() {} };

/** A server that notes what is asked of it in `calls`. */
class NotedServer implements SignalledServer {
  isSaving = false;
  readonly #calls: string[];
  readonly #hasMemoryFile: boolean;

  constructor(calls: string[], hasMemoryFile: boolean) {
    this.#calls = calls;
    this.#hasMemoryFile = hasMemoryFile;
  }

  stop(isGraceful: boolean): Promise<void> {
    this.#calls.push(isGraceful ? "stop and save" : "stop");
    this.isSaving ||= isGraceful && this.#hasMemoryFile;
    return Promise.resolve();
  }

  reload(): Promise<void> {
    this.#calls.push("reload");
    return Promise.resolve();
  }

  checkStore(): void {
    this.#calls.push("check");
  }
}

type Event = "TERM" | "USR1" | "USR1 with debugger" | "started" | "later";

/** Plays `events`; "later" is when every timer has run. Returns what was done. */
function play(argv: readonly string[], events: readonly Event[]): string[] {
  const line = parseCommandLine(argv);
  if (line.action !== "serve") throw new TypeError("Expected no action");
  const settings = settingsFrom(line.raw, {});
  const calls: string[] = [];
  const timers: (() => void)[] = [];
  const signals = new ServerSignals(settings, LOG, {
    exit: () => void calls.push("exit"),
    after: (_ms, act) => void timers.push(act),
  });
  const steps: Readonly<Record<Event, () => void>> = {
    TERM: () => signals.stop(),
    USR1: () => signals.stopGracefully(true),
    "USR1 with debugger": () => signals.stopGracefully(false),
    started: () => signals.started(new NotedServer(calls, settings.memoryFile !== null)),
    later: () => timers.splice(0).forEach((act) => act()),
  };
  for (const event of events) steps[event]();
  return calls;
}

const FILE = ["-e", "/tmp/items"];
const MANY = ["-t", "65"];

type Row = readonly [argv: readonly string[], events: readonly Event[], calls: readonly string[]];

const ROWS: readonly Row[] = [
  [[], ["started", "TERM", "later"], ["stop", "exit"]],
  [MANY, ["started", "TERM", "later"], ["exit"]],
  [[], ["TERM"], ["exit"]],
  [FILE, ["TERM"], ["exit"]],
  [[], ["USR1"], ["exit"]],
  [[], ["started", "USR1", "later"], ["stop and save"]],
  [[], ["started", "USR1 with debugger"], ["exit"]],
  [FILE, ["started", "USR1 with debugger"], ["stop and save"]],
  // Nothing is saved: the later signal may be the more urgent one.
  [[], ["started", "USR1", "TERM", "later"], ["stop and save", "stop", "exit"]],
  // The first one decides.
  [FILE, ["started", "USR1", "TERM", "later"], ["stop and save"]],
  [FILE, ["started", "USR1", "TERM", "TERM", "later"], ["stop and save"]],
  [[...FILE, ...MANY], ["started", "USR1", "TERM", "later"], ["stop and save"]],
  [FILE, ["USR1", "started", "TERM", "later"], ["stop and save"]],
  [FILE, ["USR1", "TERM", "started", "later"], ["stop and save"]],
  [FILE, ["started", "TERM", "later"], ["stop", "exit"]],
];

for (const [argv, events, calls] of ROWS) {
  Deno.test(`ServerSignals: ${events.join(", ")} with [${argv.join(" ")}]`, () => {
    assertEquals(play(argv, events), calls);
  });
}
