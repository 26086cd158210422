// Metadata and item memory that are not what a server left: each time it starts clean, says why,
// and serves. And two servers never have the same file.

import type { Checks } from "../load/checks.ts";
import { startMemden, type TestServer } from "../support/server.ts";
import { Bed, roomAt, stopGracefully } from "./bed.ts";
import { showAll, Wire } from "./wire.ts";

const SHAPE = ["-m", "8", "-t", "1"];
const MIB = 2 ** 20;
const KEYS = Array.from({ length: 500 }, (_, number) => `key:${number}`);
/** Where the header of the first item of page 1 is, and the mark of page 0. */
const FIRST_ITEM_AT = MIB;
const MARK_AT = 4096;
/** How long a server may take that must not start. */
const REFUSAL_MS_MAX = 10_000;

/** Changes what is in a file. */
function change(path: string, edit: (bytes: Uint8Array) => Uint8Array): void {
  Deno.writeFileSync(path, edit(Deno.readFileSync(path)));
}

function flip(path: string, at: number): void {
  change(path, (bytes) => {
    bytes[at]! ^= 1;
    return bytes;
  });
}

function editText(path: string, from: RegExp, to: string): void {
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(from, to));
}

/** What was done to the files, how, and what the server must say of it. */
type Case = readonly [
  what: string,
  spoil: (bed: Bed) => void,
  reason: RegExp,
  args?: readonly string[],
];

const CASES: readonly Case[] = [
  ["no metadata", ({ meta }) => Deno.removeSync(meta), /no metadata save file/],
  ["empty metadata", ({ meta }) => Deno.truncateSync(meta), /not memden's/],
  ["metadata cut off", ({ meta }) => Deno.truncateSync(meta, 900), /is damaged/],
  ["a flipped bit in the metadata", ({ meta }) => flip(meta, 500), /is damaged/],
  ["metadata of another form", ({ meta }) => {
    editText(meta, /^memden restart \d+/, "memden restart 99");
  }, /form 99/],
  ["memcached's metadata", ({ meta }) => {
    Deno.writeTextFileSync(meta, "Tmain\nKslab_config 1.25\n");
  }, /not memden's/],
  ["a folder in its place", ({ meta }) => {
    Deno.removeSync(meta);
    Deno.mkdirSync(meta);
  }, /cannot read .*: Is a directory/],
  ["memory cut off", ({ file }) => Deno.truncateSync(file, 9 * MIB), /has 9437184 bytes/],
  ["no memory file", ({ file }) => Deno.removeSync(file), /has 0 bytes/],
  ["a flipped bit in an item", ({ file }) => flip(file, FIRST_ITEM_AT + 60), /page 1 .* damaged/],
  ["a flipped bit in the mark", ({ file }) => flip(file, MARK_AT + 3), /not saved with/],
  ["another -m", () => {}, /maxbytes was 8388608, is 16777216/, ["-m", "16"]],
  ["another -f", () => {}, /slab_config was 1.25, is 1.5/, ["-f", "1.5"]],
  ["-C", () => {}, /use_cas was true, is false/, ["-C"]],
];

/** Starts a server on the files, and checks that it starts clean, with the reason. */
async function startsClean(checks: Checks, bed: Bed, one: Case): Promise<void> {
  const [what, , reason, args = []] = one;
  await using server = await bed.start(...SHAPE, ...args);
  const line = /\[restart\] (.*), starting with a clean cache\n/.exec(server.stderr())?.[1] ?? "";
  checks.check(reason.test(line), `${what}: it says why`, server.stderr());
  using wire = await Wire.open(server.port);
  const found = (await showAll(wire, KEYS)).filter((shown) => shown !== undefined);
  checks.check(found.length === 0, `${what}: it starts clean`, `${found.length} items`);
  await wire.send("ms new 3\r\nnew\r\n");
  checks.check(await wire.line() === "HD", `${what}: it serves`);
}

/** Copies both files of `from`. */
async function copyTo(from: Bed, to: Bed): Promise<void> {
  await new Deno.Command("cp", {
    args: ["--sparse=always", from.file, from.meta, to.folder],
  }).output();
}

async function fillAndSave(bed: Bed): Promise<void> {
  await using server = await bed.start(...SHAPE);
  using wire = await Wire.open(server.port);
  const lines = KEYS.map((key) => `ms ${key} 100 q\r\n${key.padEnd(100, ".")}\r\n`);
  await wire.send(`${lines.join("")}mn\r\n`);
  await wire.line();
  await stopGracefully(server);
}

/** Metadata that was copied away and back, after the memory has changed. */
async function copiedBack(checks: Checks, good: Bed): Promise<void> {
  await using bed = await Bed.make();
  await copyTo(good, bed);
  {
    await using server = await bed.start(...SHAPE);
    using wire = await Wire.open(server.port);
    const found = (await showAll(wire, KEYS)).filter((shown) => shown !== undefined);
    checks.check(found.length === KEYS.length, "what is not spoilt is there", `${found.length}`);
    await wire.send("ms key:1 3\r\nnew\r\n");
    await wire.line();
    Deno.kill(server.pid, "SIGKILL");
    await server.exited;
  }
  Deno.copyFileSync(good.meta, bed.meta);
  await startsClean(checks, bed, ["metadata copied back", () => {}, /not saved with/]);
}

/** Metadata of a server whose clock was ahead. */
async function fromTheFuture(checks: Checks, good: Bed): Promise<void> {
  await using bed = await Bed.make();
  await copyTo(good, bed);
  const text = Deno.readTextFileSync(bed.meta)
    .replace(/\nstart_unix (\d+)/, (_, unix) => `\nstart_unix ${Number(unix) + 3600}`)
    .replace(/sha256 .*\n$/, "");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  Deno.writeTextFileSync(bed.meta, `${text}sha256 ${new Uint8Array(digest).toHex()}\n`);
  await startsClean(checks, bed, ["a cache of tomorrow", () => {}, /\d+ s in the future/]);
}

/** Starts a server that must refuse. */
async function refuses(
  checks: Checks,
  what: string,
  file: string,
  args: readonly string[],
  reason: RegExp,
): Promise<void> {
  const outcome = await refusalOf(["-e", file, ...args]);
  checks.check(reason.test(outcome), `${what}: it refuses, with the reason`, outcome);
}

/** What a server that refuses says; otherwise how it ended. */
async function refusalOf(args: readonly string[]): Promise<string> {
  let server: TestServer;
  try {
    server = await startMemden(args);
  } catch (error) {
    return (error as Error).message;
  }
  const timer = setTimeout(() => void server.stop(), REFUSAL_MS_MAX);
  const code = await server.exited;
  clearTimeout(timer);
  return code === 71 ? server.stderr() : `it ended with ${code}`;
}

async function refusals(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  await refuses(checks, "a folder", bed.folder, SHAPE, /cannot use -e .*: Is a directory/);
  await refuses(checks, "no folder", `${bed.folder}/a/b`, SHAPE, /cannot use -e .*: No such file/);
  await refuses(checks, "a device", "/dev/full", SHAPE, /cannot use -e \/dev\/full: Invalid/);
  await refuses(checks, "the relay", bed.file, ["--transport=relay"], /Cannot use -e with/);
  // More than there is at all: what is free changes while the test runs.
  const megabytes = Math.max(64, Math.ceil(await roomAt("/dev/shm", "size") / MIB));
  if (megabytes <= 32_000) {
    const file = `/dev/shm/memden-warm-${Deno.pid}`;
    const args = ["-m", String(megabytes)];
    await refuses(checks, "no room", file, args, /needs \d+ MB of room, \d+ MB are free/);
    const isLeft = await Deno.stat(file).then(() => true, () => false);
    checks.check(!isLeft, "no room: no file is left");
    // What was there takes room, and is no use to a server of another size; but it may be to one
    // that can start.
    const before = new Uint8Array(MIB).fill(1);
    Deno.writeFileSync(file, before);
    await refuses(checks, "no room with a file", file, args, /needs \d+ MB of room, \d+ MB are/);
    const after = Deno.readFileSync(file);
    checks.check(after.length === MIB && after[0] === 1, "no room: a file that was there stays");
    Deno.removeSync(file);
  }
  await using server = await bed.start(...SHAPE);
  await refuses(checks, "a second server", bed.file, SHAPE, /another server uses it/);
  using wire = await Wire.open(server.port);
  await wire.send("mn\r\n");
  checks.check(await wire.line() === "MN", "the first one serves on");
}

/** A metadata file that cannot be replaced: the cache is not saved, and the server says so. */
async function cannotSave(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  await using server = await bed.start(...SHAPE);
  Deno.mkdirSync(bed.meta);
  const code = await stopGracefully(server);
  checks.check(code === 70, "its exit code says that it could not save", `${code}`);
  const says = /\[restart\] the cache is not saved: .*Is a directory/.test(server.stderr());
  checks.check(says, "it says that it cannot save", server.stderr());
}

/** A memory file that is not at its path any more: nothing is put beside what may be there now. */
async function removedFile(checks: Checks): Promise<void> {
  await using bed = await Bed.make();
  await using server = await bed.start(...SHAPE);
  Deno.removeSync(bed.file);
  Deno.writeTextFileSync(bed.file, "of somebody else");
  const code = await stopGracefully(server);
  checks.check(code === 70, "its exit code says that its file is gone", `${code}`);
  checks.check(/not saved: .*was removed/.test(server.stderr()), "it says so", server.stderr());
  const isFree = await Deno.stat(bed.meta).then(() => false, () => true);
  checks.check(isFree, "no metadata is put beside another file");
}

/** This part of the tests. */
export async function damage(checks: Checks): Promise<void> {
  await using good = await Bed.make();
  await fillAndSave(good);
  const cases = CASES[Symbol.iterator]();
  const playCases = async (): Promise<void> => {
    for (const one of cases) {
      await using bed = await Bed.make();
      await copyTo(good, bed);
      one[1](bed);
      await startsClean(checks, bed, one);
    }
  };
  const playOthers = async (): Promise<void> => {
    await copiedBack(checks, good);
    await fromTheFuture(checks, good);
    await refusals(checks);
    await cannotSave(checks);
    await removedFile(checks);
  };
  await Promise.all([playCases(), playOthers()]);
}
