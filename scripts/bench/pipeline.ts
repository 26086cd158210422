// Load generator for pipelined requests over raw TCP, run as a separate process.
//
// Each conn owns one batch of requests, encoded once, and knows the exact reply to it. It sends the
// batch, counts reply bytes until the reply is complete, and starts again. The first and the last
// reply of every conn are compared byte by byte; in between only their length is counted.
// Prints one line of JSON: operations, seconds and, with --pid, the CPU seconds of that process.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { binaryGets, binarySets } from "./binary_batch.ts";
import { cpuSeconds } from "./process_stat.ts";

const FLAGS = {
  port: { type: "string" },
  conns: { type: "string", default: "16" },
  depth: { type: "string", default: "16" },
  mode: { type: "string", default: "get" },
  value: { type: "string", default: "100" },
  seconds: { type: "string", default: "3" },
  warm: { type: "string", default: "0.3" },
  pid: { type: "string" },
} as const;

/**
 * What a batch can ask for: `multiget` names all its keys in one get; `mg` and `ms` are meta,
 * `binary-get` and `binary-set` the binary protocol.
 */
const MODES = ["get", "set", "multiget", "mg", "ms", "binary-get", "binary-set"] as const;
/** What a batch asks for. */
export type Mode = typeof MODES[number];

/** Requests that are sent in one write, and what must come back. */
export interface Batch {
  /** Stores the keys, if `request` reads them; empty otherwise. */
  readonly preset: Uint8Array;
  readonly presetReply: Uint8Array;
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  /** Keys read or written by one `request`. */
  readonly ops: number;
  /** Where eight bytes of either reply are a version, which is not compared. */
  readonly versionsAt: readonly number[];
  readonly presetVersionsAt: readonly number[];
}

const VERSION_BYTES = 8;

/** Time for conns to open and preset, and for the last replies to come, in milliseconds. */
const GRACE_MS = 20_000;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** Builds the batch of conn number `index`; no two conns share a key, no two neighbours a value. */
export function buildBatch(mode: Mode, index: number, depth: number, valueBytes: number): Batch {
  const bodies: string[] = [];
  const sets: string[] = [];
  const values: string[] = [];
  const keys = Array.from({ length: depth }, (_, at) => `bench-${index}-${at}`);
  for (const [at, key] of keys.entries()) {
    const body = valueOf(index * depth + at, valueBytes);
    bodies.push(body);
    sets.push(`set ${key} 0 0 ${valueBytes}\r\n${body}\r\n`);
    values.push(`VALUE ${key} 0 ${valueBytes}\r\n${body}\r\n`);
  }
  const stored = "STORED\r\n".repeat(depth);
  const encoder = new TextEncoder();
  const encode = (request: string, reply: string, reads: boolean): Batch => ({
    preset: encoder.encode(reads ? sets.join("") : ""),
    presetReply: encoder.encode(reads ? stored : ""),
    request: encoder.encode(request),
    reply: encoder.encode(reply),
    ops: depth,
    versionsAt: [],
    presetVersionsAt: [],
  });
  switch (mode) {
    case "binary-get":
    case "binary-set":
      return binaryBatch(mode === "binary-get", keys, bodies);
    case "set":
      return encode(sets.join(""), stored, false);
    case "get":
      return encode(
        keys.map((key) => `get ${key}\r\n`).join(""),
        values.map((value) => `${value}END\r\n`).join(""),
        true,
      );
    case "ms":
      return encode(
        keys.map((key, at) => {
          return `ms ${key} ${valueBytes}\r\n${valueOf(index * depth + at, valueBytes)}\r\n`;
        }).join(""),
        "HD\r\n".repeat(depth),
        false,
      );
    case "mg":
      return encode(
        keys.map((key) => `mg ${key} v\r\n`).join(""),
        keys.map((_, at) => {
          return `VA ${valueBytes}\r\n${valueOf(index * depth + at, valueBytes)}\r\n`;
        }).join(""),
        true,
      );
    case "multiget":
      return encode(`get ${keys.join(" ")}\r\n`, `${values.join("")}END\r\n`, true);
  }
}

function binaryBatch(reads: boolean, keys: readonly string[], values: readonly string[]): Batch {
  const sets = binarySets(keys, values);
  const ops = keys.length;
  if (!reads) {
    const nothing = new Uint8Array();
    return { ...sets, ops, preset: nothing, presetReply: nothing, presetVersionsAt: [] };
  }
  const { request: preset, reply: presetReply, versionsAt: presetVersionsAt } = sets;
  return { ...binaryGets(keys, values), ops, preset, presetReply, presetVersionsAt };
}

function valueOf(seed: number, bytes: number): string {
  const turn = seed % ALPHABET.length;
  const letters = ALPHABET.slice(turn) + ALPHABET.slice(0, turn);
  return letters.repeat(Math.ceil(bytes / letters.length)).slice(0, bytes);
}

/** Sends `request` and fills `reply` completely. */
async function exchange(conn: Deno.Conn, request: Uint8Array, reply: Uint8Array): Promise<void> {
  for (let sent = 0; sent < request.length;) {
    sent += await conn.write(sent === 0 ? request : request.subarray(sent));
  }
  for (let filled = 0; filled < reply.length;) {
    const count = await conn.read(filled === 0 ? reply : reply.subarray(filled));
    if (count === null) throw new Error(`Closed after ${filled} of ${reply.length} reply bytes`);
    filled += count;
  }
}

function verify(got: Uint8Array, expected: Uint8Array, versionsAt: readonly number[]): void {
  for (const at of versionsAt) got.fill(0, at, at + VERSION_BYTES);
  const at = expected.findIndex((byte, index) => got[index] !== byte);
  if (at === -1) return;
  const part = (bytes: Uint8Array): string =>
    JSON.stringify(new TextDecoder().decode(bytes.subarray(Math.max(0, at - 20), at + 60)));
  throw new Error(`Reply differs at byte ${at}: got ${part(got)}, expected ${part(expected)}`);
}

/** Sends `batch` again and again until the clock reaches `untilMs`; returns the operations done. */
async function repeat(conn: Deno.Conn, batch: Batch, untilMs: number): Promise<number> {
  const got = new Uint8Array(batch.reply.length);
  let batches = 0;
  while (performance.now() < untilMs) {
    await exchange(conn, batch.request, got);
    batches++;
  }
  if (batches > 0) verify(got, batch.reply, batch.versionsAt);
  return batches * batch.ops;
}

async function open(port: number, batch: Batch): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  for (
    const [request, reply, versionsAt] of [
      [batch.preset, batch.presetReply, batch.presetVersionsAt],
      [batch.request, batch.reply, batch.versionsAt],
    ] as const
  ) {
    const got = new Uint8Array(reply.length);
    await exchange(conn, request, got);
    verify(got, reply, versionsAt);
  }
  return conn;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const mode = options.mode as Mode;
  if (options.port === undefined || !MODES.includes(mode)) {
    console.error(
      `usage: pipeline.ts --port N [--mode ${MODES.join("|")}] [--conns 16] ` +
        "[--depth 16] [--value 100] [--seconds 3] [--warm 0.3] [--pid N]",
    );
    Deno.exit(2);
  }
  const seconds = Number(options.seconds);
  const warmSeconds = Number(options.warm);
  const guard = setTimeout(() => {
    console.error("No complete reply in time: the server answers less than it was asked");
    Deno.exit(1);
  }, (seconds + warmSeconds) * 1000 + GRACE_MS);

  const batches = Array.from(
    { length: Number(options.conns) },
    (_, index) => buildBatch(mode, index, Number(options.depth), Number(options.value)),
  );
  const port = Number(options.port);
  const conns = await Promise.all(batches.map((batch) => open(port, batch)));
  const load = async (seconds: number): Promise<number> => {
    const untilMs = performance.now() + seconds * 1000;
    const ops = await Promise.all(conns.map((conn, at) => repeat(conn, batches[at]!, untilMs)));
    return ops.reduce((sum, count) => sum + count, 0);
  };

  await load(warmSeconds);
  const cpu = (): number => options.pid === undefined ? 0 : cpuSeconds(Number(options.pid));
  const cpuBefore = cpu();
  const startMs = performance.now();
  const ops = await load(seconds);
  const elapsed = (performance.now() - startMs) / 1000;
  const used = cpu() - cpuBefore;
  for (const conn of conns) conn.close();
  clearTimeout(guard);
  console.log(JSON.stringify({ ops, seconds: elapsed, serverCpuSeconds: used }));
}

if (import.meta.main) await main();
