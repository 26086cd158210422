// Servers that are killed: while they work, while they save, while they start. Whatever is served
// afterwards is what the client that owns the key had stored last, in this server's life or in one
// that was saved; or nothing.
// deno-lint-ignore-file no-console

import { Prng } from "../../lib/base/prng.ts";
import type { Checks } from "../load/checks.ts";
import type { TestServer } from "../support/server.ts";
import { Bed, checkRules } from "./bed.ts";
import { GoneError, Wire } from "./wire.ts";

const CLIENTS = 4;
const KEYS = 150;
const LENGTHS = [10, 100, 100, 100, 1000, 4000, 20_000, 700_000];
const WORK_MS = 400;
/** When a server that saves, or starts, is killed at the latest. */
const SAVE_MS = 60;
const START_MS = 150;
const SHAPE = ["-m", "24", "-t", "2"];

/** What may be under a key: a value, or nothing (an empty text). */
type Allowed = Set<string>;

/** A client that knows what its keys hold. */
class Owner {
  readonly #number: number;
  readonly #prng: Prng;
  /** By key: what the server may answer. More than one where a command was not answered. */
  readonly #known = new Map<string, Allowed>();
  #stamp = 0;
  /** Wrong answers. */
  readonly wrong: string[] = [];
  answered = 0;

  constructor(number: number, seed: number) {
    this.#number = number;
    this.#prng = new Prng(seed + number);
  }

  #value(key: string): string {
    const head = `${key} ${this.#stamp++} `;
    return head.padEnd(head.length + this.#prng.pick(LENGTHS), head);
  }

  /** Works until the connection breaks, or `isOver` says so. */
  async work(port: number, isOver: () => boolean): Promise<void> {
    try {
      using wire = await Wire.open(port);
      while (!isOver()) await this.#step(wire);
    } catch (error) {
      const isGone = error instanceof GoneError || error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionRefused;
      if (!isGone) throw error;
    }
  }

  async #step(wire: Wire): Promise<void> {
    const key = `owner${this.#number}:${this.#prng.below(KEYS)}`;
    const kind = this.#prng.below(10);
    const known = this.#known.get(key) ?? new Set([""]);
    this.#known.set(key, known);
    if (kind < 5) await this.#get(wire, key);
    else if (kind < 9) {
      const value = this.#value(key);
      known.add(value);
      await wire.send(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`);
      const line = await wire.line();
      // What finds no room is not there, and neither is what was.
      this.#known.set(key, new Set([line === "STORED" ? value : ""]));
    } else {
      known.add("");
      await wire.send(`delete ${key}\r\n`);
      await wire.line();
      this.#known.set(key, new Set([""]));
    }
    this.answered++;
  }

  async #get(wire: Wire, key: string): Promise<void> {
    await wire.send(`get ${key}\r\n`);
    const line = await wire.line();
    let value = "";
    if (line !== "END") {
      value = new TextDecoder().decode(await wire.value(Number(line.split(" ")[3])));
      await wire.line();
    }
    const known = this.#known.get(key) ?? new Set([""]);
    if (value !== "" && !known.has(value)) {
      const known1 = [...known].map((text) => text.slice(0, 40)).join("|");
      this.wrong.push(`${key}: got ${value.slice(0, 40)}, known ${known1}`);
    }
    // Evicted, or what was not answered is decided now.
    this.#known.set(key, new Set([value]));
  }

  /** Looks at all keys. */
  async lookAtAll(port: number): Promise<void> {
    using wire = await Wire.open(port);
    for (const key of this.#known.keys()) await this.#get(wire, key);
  }

  /** Nothing that was stored may be served again. */
  forgetAll(): void {
    for (const key of this.#known.keys()) this.#known.set(key, new Set([""]));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How a server ends. */
const ENDS = ["killed at work", "killed while it saves", "saved"] as const;

/** Works on a server for a while, and ends it. */
async function workAndEnd(
  server: TestServer,
  owners: readonly Owner[],
  end: typeof ENDS[number],
  prng: Prng,
): Promise<void> {
  let isOver = false;
  const working = owners.map((owner) => owner.work(server.port, () => isOver));
  await pause(WORK_MS / 2 + prng.below(WORK_MS));
  if (end !== "killed at work") Deno.kill(server.pid, "SIGUSR1");
  if (end === "killed while it saves") await pause(prng.below(SAVE_MS));
  if (end !== "saved") {
    try {
      Deno.kill(server.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // It has ended by itself.
    }
  }
  await server.exited;
  isOver = true;
  await Promise.all(working);
}

/** Starts a server, and kills it before it serves, or soon after. */
async function startAndKill(bed: Bed, prng: Prng): Promise<void> {
  const server = await bed.listen(...SHAPE);
  await pause(prng.below(START_MS));
  Deno.kill(server.pid, "SIGKILL");
  await server.exited;
}

/** Starts a server on what was saved: all of it must be there. */
async function lookAgain(
  checks: Checks,
  bed: Bed,
  owners: readonly Owner[],
  what: string,
): Promise<void> {
  await using server = await bed.start(...SHAPE);
  const isRestored = /items restored/.test(server.stderr());
  checks.check(isRestored, `${what}: what was saved is there`, server.stderr());
  await Promise.all(owners.map((owner) => owner.lookAtAll(server.port)));
  Deno.kill(server.pid, "SIGUSR1");
  await server.exited;
}

/** This part of the tests: `count` rounds. */
export async function kills(checks: Checks, count: number): Promise<void> {
  await using bed = await Bed.make();
  const seed = Date.now() >>> 0;
  const prng = new Prng(seed);
  const owners = Array.from({ length: CLIENTS }, (_, number) => new Owner(number, seed));
  let restored = 0;
  for (let round = 0; round < count; round++) {
    const end = round < ENDS.length ? ENDS[round]! : prng.pick(ENDS);
    {
      await using server = await bed.start(...SHAPE);
      await workAndEnd(server, owners, end, prng);
    }
    if (end === "saved") await startAndKill(bed, prng);
    await using server = await bed.start(...SHAPE);
    const isClean = server.stderr().includes("starting with a clean cache");
    if (isClean) { for (const owner of owners) owner.forgetAll(); }
    else restored++;
    const what = `round ${round}, ${end}${isClean ? "" : ", restored"}`;
    if (end === "killed at work") checks.check(isClean, `${what}: it starts clean`);
    const line = await checkRules(server);
    checks.check(line.startsWith("store checked"), `${what}: every rule holds`, line);
    await Promise.all(owners.map((owner) => owner.lookAtAll(server.port)));
    await workAndEnd(server, owners, "saved", prng);
    await lookAgain(checks, bed, owners, what);
    const wrong = owners.flatMap((owner) => owner.wrong);
    checks.check(wrong.length === 0, `${what}: no wrong byte`, `${wrong[0]}; seed ${seed}`);
  }
  const answered = owners.reduce((sum, owner) => sum + owner.answered, 0);
  checks.check(answered > count * 100, "clients were served", `${answered}`);
  console.log(`${restored} of ${count} servers went on with a cache after the first end`);
}
