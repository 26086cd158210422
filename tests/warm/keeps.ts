// A cache that is stopped and started: every item is there byte for byte, with its version, flags,
// time to live and time of the last access; what has expired is not; and it works on.

import { Buffer } from "node:buffer";
import type { Checks } from "../load/checks.ts";
import type { TestServer } from "../support/server.ts";
import { Bed, checkRules, stopGracefully } from "./bed.ts";
import { showAll, type Shown, statsOf, Wire } from "./wire.ts";

const ITEMS = 4000;
/** Lengths of values; the largest are in several chunks. */
const LENGTHS = [0, 1, 10, 50, 100, 100, 200, 500, 1000, 2000, 5000, 9000];
const LARGE = [400_000, 700_000, 1_600_000];
const SHORT_TTL_S = 2;
/** After so long, Deno heeds SIGUSR1 itself. */
const INSPECTOR_MS = 600;
/** Seconds that two readings of a time may differ by. */
const SLACK_S = 2;
const SHAPE = ["-m", "128", "-I", "2m", "-A"];

const encoder = new TextEncoder();

/** What was last seen of an item, and between which moments. */
interface Seen extends Shown {
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** `length` bytes, all kinds of them, that belong to number `number`. */
function bytesOf(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = Math.imul(at + 1, number * 2 + 1) >>> 3;
  return bytes;
}

function lengthOf(number: number): number {
  return number % 400 === 7 ? LARGE[number / 400 % LARGE.length | 0]! : LENGTHS[number % 12]!;
}

function ttlOf(number: number): number {
  return number % 5 === 0 ? 100 + number : number % 50 === 1 ? SHORT_TTL_S : 0;
}

/** Stores the items, and some of every special kind. */
async function fill(wire: Wire): Promise<string[]> {
  const keys: string[] = [];
  const parts: Uint8Array[] = [];
  for (let number = 0; number < ITEMS; number++) {
    const key = `item:${number}`;
    const value = bytesOf(number, lengthOf(number));
    keys.push(key);
    const flags = number % 3 === 0 ? number * 1_000_003 % 2 ** 32 : 0;
    const line = `ms ${key} ${value.length} F${flags} T${ttlOf(number)} q\r\n`;
    parts.push(encoder.encode(line), value, encoder.encode("\r\n"));
  }
  const special = [
    "ms stale 1\r\nx\r\nmd stale I\r\n", // Out of date.
    "ms told 1\r\nx\r\nmd told I\r\nmg told v\r\n", // And somebody was told.
    "ms YmluIGtleQ== 3 b\r\nbin\r\n", // A key in Base64.
    "ms read 4\r\nread\r\nmg read v\r\nmg read v\r\n",
    "ms number 2\r\n41\r\nma number\r\n",
    "set grows 0 0 3\r\nabc\r\nappend grows 0 0 3\r\ndef\r\n",
    "ms chosen 1 E12345678901234567890\r\nx\r\n", // A version that the client has chosen.
    "ms half 5\r\n",
  ];
  await wire.send(Buffer.concat(parts));
  await wire.send(special.join(""));
  keys.push("stale", "told", "read", "number", "grows", "chosen");
  await wire.send("hello\r\nmn\r\n");
  while (await wire.line() !== "MN");
  return keys;
}

async function seeAll(wire: Wire, keys: readonly string[]): Promise<Seen[]> {
  const fromMs = Date.now();
  const shown = await showAll(wire, keys);
  const toMs = Date.now();
  return keys.flatMap((key, at) => {
    const found = shown[at];
    return found === undefined ? [] : [{ ...found, key, fromMs, toMs }];
  });
}

/** The marks as they will be: whoever asks first is told to make the item anew, nobody else. */
function marksOf({ marks }: Shown): string {
  return [...marks.replace("W", "Z")].sort().join("");
}

function isWithin(number: number, least: number, most: number): boolean {
  return number >= least && number <= most;
}

/** Compares what is there with what was. */
async function compare(
  checks: Checks,
  wire: Wire,
  was: readonly Seen[],
  what: string,
): Promise<Seen[]> {
  const startMs = Date.now();
  const now = await seeAll(wire, was.map(({ key }) => key));
  const endMs = Date.now();
  const byKey = new Map(now.map((seen) => [seen.key, seen]));
  const wrong: Record<string, string[]> = {};
  const note = (isWrong: boolean, kind: string, text: string): void => {
    const list = wrong[kind] ??= [];
    if (isWrong) list.push(text);
  };
  for (const before of was) {
    const { key, ttl } = before;
    const after = byKey.get(key);
    // So many seconds have passed between the two looks, at least and at most.
    const least = (startMs - before.toMs) / 1000 - SLACK_S;
    const most = (endMs - before.fromMs) / 1000 + SLACK_S;
    note(ttl >= 0 && ttl < least && after !== undefined, "undead", key);
    note((ttl < 0 || ttl > most) && after === undefined, "missing", key);
    if (after === undefined) continue;
    note(Buffer.compare(after.value, before.value) !== 0, "value", key);
    note(after.cas !== before.cas, "version", key);
    note(after.flags !== before.flags, "flags", key);
    note(marksOf(after) !== marksOf(before), "marks", key);
    const left = ttl < 0 ? after.ttl === -1 : isWithin(ttl - after.ttl, least, most);
    note(!left, "ttl", `${key} ${ttl}, then ${after.ttl}`);
    // The look before may have counted as an access, or not. Of an item that was read again it
    // counts when the maintainer moves it, which may be later.
    const isRight = !key.startsWith("item:") || isWithin(after.idle, least, most + before.idle);
    note(!isRight, "idle", `${key} ${before.idle}, then ${after.idle}`);
  }
  for (const [kind, keys] of Object.entries(wrong)) {
    const some = keys.slice(0, 5).join(" ");
    checks.check(keys.length === 0, `${what}: ${kind} of no item is wrong`, some);
  }
  return now;
}

/** Changes a little of everything. */
async function work(wire: Wire): Promise<void> {
  await wire.send(
    "delete item:100\r\nset item:101 5 0 3\r\nnew\r\nincr number 1\r\n" +
      "append grows 0 0 3\r\nghi\r\n" +
      "touch item:102 500\r\nset added 0 300 5\r\nadded\r\nms stale 5 I\r\nfresh\r\nmn\r\n",
  );
  while (await wire.line() !== "MN");
}

async function sizesOf(wire: Wire): Promise<string> {
  const stats = await statsOf(wire);
  return ["curr_items", "bytes"].map((name) => stats.get(name)).join(" items, ");
}

async function checkServer(checks: Checks, server: TestServer, what: string): Promise<void> {
  const line = await checkRules(server);
  checks.check(line.startsWith("store checked"), `${what}: every rule of the store holds`, line);
}

/** Stops and starts a cache in every way, and looks at all of it each time. */
async function keepAll(checks: Checks, where: "memory" | "disk"): Promise<void> {
  await using bed = await Bed.make(where);
  let was: Seen[];
  let keys: string[];
  let sizes: string;
  {
    await using server = await bed.start(...SHAPE, "-t", "4");
    using wire = await Wire.open(server.port);
    keys = await fill(wire);
    was = await seeAll(wire, keys);
    const shorts = keys.filter((_, number) => ttlOf(number) === SHORT_TTL_S).length;
    const isStored = was.length >= keys.length - shorts;
    checks.check(isStored, `${where}: all items are stored`, `${was.length}`);
    await new Promise((resolve) => setTimeout(resolve, SHORT_TTL_S * 1000));
    await seeAll(wire, keys.filter((_, number) => ttlOf(number) === SHORT_TTL_S));
    sizes = await sizesOf(wire);
    checks.check(await stopGracefully(server) === 0, `${where}: SIGUSR1 ends it with 0`);
    checks.check(bed.hasMeta(), `${where}: metadata is there`);
  }
  {
    const other = ["-t", "1", "-c", "200", "-R", "5", "-M", "-o", "hashpower=18,no_hashexpand"];
    await using server = await bed.start(...SHAPE, ...other);
    const what = `${where}, SIGUSR1`;
    using wire = await Wire.open(server.port);
    const now = await sizesOf(wire);
    checks.check(now === sizes, `${what}: as many items and bytes`, `${sizes}; ${now}`);
    checks.check(!bed.hasMeta(), `${what}: metadata is used up`);
    await checkServer(checks, server, what);
    was = await compare(checks, wire, was, what);
    await work(wire);
    keys.push("added");
    was = await seeAll(wire, keys);
    checks.check(was.length > 3900, `${what}: it works on`, `${was.length}`);
    await wire.send("shutdown graceful\r\n");
    checks.check(await server.exited === 0, `${where}: shutdown graceful ends it with 0`);
  }
  {
    await using server = await bed.start(...SHAPE, "-t", "3", "-k");
    const what = `${where}, shutdown graceful`;
    using wire = await Wire.open(server.port);
    await checkServer(checks, server, what);
    await compare(checks, wire, was, what);
    checks.check(await server.stop() === 0, `${where}: SIGTERM ends it with 0`);
  }
  await using server = await bed.start(...SHAPE);
  using wire = await Wire.open(server.port);
  const left = await seeAll(wire, keys);
  checks.check(left.length === 0, `${where}: nothing is left after SIGTERM`, `${left.length}`);
  const reason = "[restart] no metadata save file, starting with a clean cache";
  checks.check(server.stderr().includes(reason), `${where}: it says why`, server.stderr());
}

/** Fills a small cache until it evicts; after a restart the oldest items go first. */
async function evictOldest(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  const value = "v".repeat(1000);
  let next = 0;
  const store = async (wire: Wire, count: number): Promise<void> => {
    const to = next + count;
    const lines: string[] = [];
    while (next < to) lines.push(`ms key:${next++} 1000 q\r\n${value}\r\n`);
    await wire.send(`${lines.join("")}mn\r\n`);
    await wire.line();
  };
  const present = async (wire: Wire): Promise<number[]> => {
    const all = Array.from({ length: next }, (_, number) => number);
    await wire.send(all.map((number) => `mg key:${number} k q\r\n`).join("") + "mn\r\n");
    const found: number[] = [];
    for (let line = await wire.line(); line !== "MN"; line = await wire.line()) {
      found.push(Number(line.split(":")[1]));
    }
    return found;
  };
  {
    await using server = await bed.start("-m", "8");
    using wire = await Wire.open(server.port);
    await store(wire, 10_000);
    await stopGracefully(server);
  }
  await using server = await bed.start("-m", "8");
  using wire = await Wire.open(server.port);
  await store(wire, 2000);
  const found = await present(wire);
  const old = found.filter((number) => number < 10_000);
  const { length } = old;
  checks.check(length > 3000 && length < 7000, "evictions go on after a restart", `${length} left`);
  const first = 10_000 - length;
  const kept = old.filter((number) => number >= first + length / 10).length;
  checks.check(kept > length * 0.85, "the oldest items go first", `${kept} of ${length}`);
  await checkServer(checks, server, "a full cache");
}

/** SIGUSR1 makes Deno open its inspector, too; where its port is taken that must not matter. */
async function stopBesideInspector(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  const inspector = { hostname: "127.0.0.1", port: 9229 };
  let busy: Deno.Listener | undefined;
  try {
    busy = Deno.listen(inspector);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error; // Then it is taken already.
  }
  await using server = await bed.start("-m", "8");
  using wire = await Wire.open(server.port);
  await wire.send("stats settings\r\n");
  let shown = "";
  for (let line = await wire.line(); line !== "END"; line = await wire.line()) {
    if (line.startsWith("STAT memory_file ")) shown = line;
  }
  checks.check(shown === `STAT memory_file ${bed.file}`, "stats settings names the file", shown);
  await new Promise((resolve) => setTimeout(resolve, INSPECTOR_MS));
  const code = await stopGracefully(server);
  busy?.close();
  checks.check(code === 0 && bed.hasMeta(), "an inspector that cannot open is no matter", code);
}

/** The exit code of a server that should refuse to start; 1 where it ended before it listened. */
async function exitCodeOf(bed: Bed, args: readonly string[]): Promise<number> {
  let server: TestServer;
  try {
    server = await bed.listen(...args);
  } catch {
    return 1;
  }
  return await server.exited;
}

/** A server that is stopped before it serves, or cannot go on, leaves the cache as it was. */
async function keepWhileStarting(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  const args = ["-m", "8", "-t", "1"];
  {
    await using server = await bed.start(...args);
    using wire = await Wire.open(server.port);
    await wire.send("set kept 7 0 4\r\nkept\r\n");
    await wire.line();
    await stopGracefully(server);
  }
  {
    await using server = await bed.listen(...args);
    checks.check(await stopGracefully(server) === 0, "SIGUSR1 while it starts: it ends with 0");
  }
  {
    using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const code = await exitCodeOf(bed, [...args, `--admin=${busy.addr.port}`]);
    checks.check(code !== 0, "its admin port is taken: it ends", code);
  }
  for (const also of [[], ["-I", "2m"]]) {
    const outcome = await exitCodeOf(bed, [...args, ...also, "-Y", `${bed.folder}/none`]);
    checks.check(outcome !== 0, `nobody could log in, ${also.join(" ")}: it ends`, outcome);
  }
  await using server = await bed.start(...args);
  using wire = await Wire.open(server.port);
  const [kept] = await showAll(wire, ["kept"]);
  checks.check(kept?.flags === "7", "the cache is as it was", server.stderr());
}

/** This part of the tests. */
export async function keeps(checks: Checks): Promise<void> {
  await Promise.all([
    keepAll(checks, "memory"),
    keepAll(checks, "disk"),
    evictOldest(checks),
    keepWhileStarting(checks),
    stopBesideInspector(checks),
  ]);
}
