// `deno task large`: values of up to 100 MiB go in and out, byte for byte, however they are cut.
//
// Each value is set once for every cut of the line, and of the first and last 64 bytes: one write
// up to there, a pause that the server sees as two reads, and the rest. Then it is read back and
// compared. Each round's value differs from the one before, so that a stale byte is noticed.
//
//   --only N      just the value of N MiB
//
// The last line is "N passed, N failed".
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { Buffer } from "node:buffer";
import { startMemden } from "../support/server.ts";

const MIB = 2 ** 20;
/** Cuts at either end of a value. */
const EDGE = 64;
const PAUSE_MS = 2;
/** What the largest item has besides its value: header, version, key, CRLF, and some to spare. */
const OVERHEAD = 128;
const READ_BYTES = 4 * MIB;

/** One value: its length, and the flags of a server that takes it. */
interface Large {
  readonly name: string;
  readonly bytes: number;
  readonly args: readonly string[];
}

const VALUES: readonly Large[] = [
  { name: "1", bytes: MIB - OVERHEAD, args: ["-m", "64"] },
  { name: "5", bytes: 5 * MIB, args: ["-m", "64", "-I", "8m"] },
  { name: "100", bytes: 100 * MIB, args: ["-m", "512", "-I", "128m"] },
];

const encoder = new TextEncoder();

/** `bytes` bytes in which each word can be told from the others. */
function makeValue(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let at = 0; at < words.length; at++) words[at] = Math.imul(at + 1, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, bytes);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads exactly `bytes`; throws when the server closes before. */
async function readInto(conn: Deno.Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = await conn.read(bytes.subarray(at, Math.min(at + READ_BYTES, bytes.length)));
    if (count === null) throw new Error(`closed after ${at} of ${bytes.length} bytes`);
    at += count;
  }
}

/** Sets and gets one value at every cut; returns how many rounds were right and wrong. */
async function play({ name, bytes, args }: Large): Promise<[passed: number, failed: number]> {
  await using server = await startMemden(["-t", "1", ...args]);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const line = encoder.encode(`set large 5 0 ${bytes}\r\n`);
  const request = new Uint8Array(line.length + bytes + 2);
  request.set(line);
  request.set(makeValue(bytes), line.length);
  request.set(encoder.encode("\r\n"), line.length + bytes);
  const begin = encoder.encode(`STORED\r\nVALUE large 5 ${bytes}\r\n`);
  const end = encoder.encode("\r\nEND\r\n");
  const answer = new Uint8Array(begin.length + bytes + end.length);
  const expected = new Uint8Array(answer.length);
  expected.set(begin);
  expected.set(end, begin.length + bytes);

  const cuts = Array.from({ length: line.length + EDGE }, (_, at) => at + 1);
  for (let left = 1; left <= EDGE + 2; left++) cuts.push(request.length - left);
  let failed = 0;
  for (const cut of cuts) {
    for (const at of [0, bytes >> 1, bytes - 1]) request[line.length + at]! += cut;
    expected.set(request.subarray(line.length, line.length + bytes), begin.length);
    await writeAll(conn, request.subarray(0, cut));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const got = readInto(conn, answer);
    await writeAll(conn, request.subarray(cut));
    await writeAll(conn, encoder.encode("get large\r\n"));
    await got;
    if (Buffer.compare(answer, expected) === 0) continue;
    failed++;
    const wrong = answer.findIndex((byte, at) => byte !== expected[at]);
    console.log(`${name} MiB, cut at ${cut}: byte ${wrong - begin.length} of the value is wrong`);
  }
  return [cuts.length - failed, failed];
}

async function main(): Promise<number> {
  const { values: options } = parseArgs({ options: { only: { type: "string" } } });
  let [passed, failed] = [0, 0];
  for (const value of VALUES) {
    if (options.only !== undefined && options.only !== value.name) continue;
    const start = performance.now();
    const [right, wrong] = await play(value);
    passed += right;
    failed += wrong;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${value.name} MiB: ${right} cuts right, ${wrong} wrong, in ${seconds} s`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
