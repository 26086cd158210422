// `memden top`: polls a server and shows it, in a terminal or as plain text.

import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import type { Given } from "../command_line/sub_command_line.ts";
import { LinkError, ServerLink } from "../link/server_link.ts";
import { linkOptions } from "../link/link_options.ts";
import { readLogin } from "../link/login_file.ts";
import { printable } from "../link/printable.ts";
import { labelOf } from "../link/server_address.ts";
import type { SubCommand } from "../command_line/sub_commands.ts";
import { keysOf } from "./keys.ts";
import { layout, type Room } from "./screen_layout.ts";
import { TopModel } from "./model.ts";
import { ASCII, BLOCKS, type Glyphs } from "./number_text.ts";
import { Poller } from "./poller.ts";
import { Screen } from "./screen.ts";
import { plainText } from "./spans.ts";

/** How long the server may take for a connection, and for each answer. */
const TIMEOUT_MS = 3000;

/** Plain updates: as wide as the table of slab classes, as long as there are classes. */
const PLAIN_ROOM: Room = { columns: 80, rows: Infinity };

/** What updates are made from. */
interface Source {
  readonly label: string;
  readonly poller: Poller;
  readonly model: TopModel;
  readonly delayMs: number;
  /** Updates until the end; Infinity for none. */
  readonly count: number;
  readonly glyphs: Glyphs;
}

/** Runs `memden top`. */
export async function runTop(given: Given, { keys }: SubCommand): Promise<number> {
  const options = await linkOptions(given, TIMEOUT_MS);
  const loginFile = given.text("auth-file");
  const login = loginFile === undefined ? undefined : await readLogin(loginFile);
  const label = printable(labelOf(options.address));
  const source: Source = {
    label,
    poller: new Poller(() => ServerLink.open(options), login),
    model: new TopModel(label, keys),
    delayMs: given.number("delay") * 1000,
    count: given.number("count", Infinity),
    glyphs: showsUtf8() ? BLOCKS : ASCII,
  };
  // A mistyped address must show at once.
  const problem = await update(source);
  if (problem !== undefined) {
    throw new SettingsError(`memden top: ${label}: ${problem}`, ExitCode.FAILURE);
  }
  const isPlain = given.has("batch") || !Deno.stdout.isTerminal() || isDumb();
  return isPlain ? await print(source) : await watch(source);
}

/** Asks once. @returns Why there was no answer; undefined when all is well. */
async function update({ poller, model }: Source): Promise<string | undefined> {
  try {
    model.take(await poller.poll(), clockText());
    return undefined;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    model.lose(error.message, clockText());
    return error.message;
  }
}

/** Calls `act` for each update, with what {@linkcode update} returns. */
async function updates(
  source: Source,
  act: (problem: string | undefined) => Promise<boolean> | boolean,
): Promise<void> {
  let dueMs = performance.now();
  for (let done = 0; done < source.count; done++) {
    // An update that took longer than the delay is not made up for.
    dueMs = Math.max(dueMs + source.delayMs, performance.now());
    const waitMs = Math.max(0, dueMs - performance.now());
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (!(await act(await update(source)))) return;
  }
}

/** Prints updates as plain text, until the reader has gone. */
async function print(source: Source): Promise<number> {
  let code: number = ExitCode.OK;
  await updates(source, (problem) => {
    code = problem === undefined ? ExitCode.OK : ExitCode.FAILURE;
    const lines = problem === undefined
      ? layout(source.model.view(), PLAIN_ROOM, source.glyphs, false).map(plainText)
      : [`${source.label}  ${clockText()}  ${problem}; trying again`, ""];
    // Blank lines are for the eye; here they would end an update too early.
    const text = `${lines.filter((line) => line !== "").join("\n")}\n\n`;
    return writePlain(text);
  });
  return code;
}

/** @returns False once the reader of the pipe has gone. */
async function writePlain(text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}

/** Shows updates in the terminal until a key or a signal ends it. */
async function watch(source: Source): Promise<number> {
  const { model, glyphs } = source;
  const screen = new Screen(!Deno.noColor);
  const draw = (): true => {
    const room = screen.room();
    screen.draw(layout(model.view(), room, glyphs, true), room);
    return true;
  };
  const ended = Promise.withResolvers<void>();
  // An error anywhere must not leave a terminal without cursor and echo.
  for (const event of ["unload", "error", "unhandledrejection"]) {
    addEventListener(event, () => screen.leave());
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) onSignal(signal, ended.resolve);
  onSignal("SIGWINCH", draw);
  onSignal("SIGCONT", () => {
    screen.enter();
    draw();
  });
  screen.enter();
  draw();
  const keys = readKeys(model, draw);
  await Promise.race([ended.promise, keys, updates(source, draw)]).finally(() => screen.leave());
  return ExitCode.OK;
}

/** Does what keys ask for, until one ends the program; without a keyboard, for ever. */
async function readKeys(model: TopModel, draw: () => void): Promise<void> {
  if (Deno.stdin.isTerminal()) {
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      for (const key of keysOf(text)) if (model.press(key, clockText()) === "quit") return;
      draw();
    }
  }
  await new Promise(() => {});
}

/** Calls `act` at each signal, where the system has it. */
function onSignal(signal: Deno.Signal, act: () => void): void {
  const isOnWindows = signal === "SIGINT" || signal === "SIGHUP";
  if (Deno.build.os !== "windows" || isOnWindows) Deno.addSignalListener(signal, act);
}

/** The time of day. */
function clockText(): string {
  return new Date().toTimeString().slice(0, "hh:mm:ss".length);
}

/** Whether the terminal understands no escape sequences. */
function isDumb(): boolean {
  const term = Deno.env.get("TERM") ?? "";
  return Deno.build.os !== "windows" && (term === "" || term === "dumb");
}

/** Whether the locale says that bytes are UTF-8. Source: setlocale(3), the order of variables. */
function showsUtf8(): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map((name) => Deno.env.get(name) ?? "");
  return /utf-?8/i.test(locale.find((text) => text !== "") ?? "");
}
