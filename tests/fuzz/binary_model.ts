// A model of the binary protocol: what each request is answered, by the rules of memcached's
// documentation and not of lib/; and random requests for it.

import { COPIED_BYTES_MAX } from "../../lib/command/value_reply.ts";
import type { Prng } from "../../lib/base/prng.ts";
import { Op, type Parts, type Response, word32, word64 } from "../support/packets.ts";

interface Item {
  flags: string;
  value: string;
}

/** A version that no item gets. */
const WRONG_CAS = 2n ** 63n;
/** A value that no store of the fuzzer takes, and one that every store takes, in bytes. */
const TOO_LARGE_BYTES = 9000;
const VALUE_BYTES_MAX = 3000;
/** Largest item, as the fuzzer's stores have it. */
export const ITEM_BYTES_MAX = 8192;
const CRLF_BYTES = 2;
const U64_END = 2n ** 64n;
const NO_FLAGS = word32(0);
const DO_NOT_CREATE = word32(0xffffffff);
const UNKNOWN = 0x50;

const TEXTS: Readonly<Record<number, string>> = {
  1: "Not found",
  2: "Data exists for key.",
  3: "Too large.",
  5: "Not stored.",
  6: "Non-numeric server-side value for incr or decr",
  0x81: "Unknown command",
};

const KEYS = ["a", "b", "n", "m", "\0\r\n \xff", "k".repeat(250)];

/** The loud form of each quiet command. */
const LOUD = new Map<number, number>([
  [Op.GETQ, Op.GET],
  [Op.GETKQ, Op.GETK],
  [Op.GATQ, Op.GAT],
  [Op.GATKQ, Op.GATK],
  [Op.SETQ, Op.SET],
  [Op.ADDQ, Op.ADD],
  [Op.REPLACEQ, Op.REPLACE],
  [Op.APPENDQ, Op.APPEND],
  [Op.PREPENDQ, Op.PREPEND],
  [Op.DELETEQ, Op.DELETE],
  [Op.INCREMENTQ, Op.INCREMENT],
  [Op.DECREMENTQ, Op.DECREMENT],
]);

const READS: readonly number[] = [Op.GET, Op.GETK, Op.GAT, Op.GATK, Op.TOUCH];
const WITH_KEY: readonly number[] = [Op.GETK, Op.GATK];
const STORES: readonly number[] = [Op.SET, Op.ADD, Op.REPLACE];
const JOINS: readonly number[] = [Op.APPEND, Op.PREPEND];
const COUNTS: readonly number[] = [Op.INCREMENT, Op.DECREMENT];
const OTHERS: readonly number[] = [Op.DELETE, Op.NOOP, UNKNOWN];
const LOUD_OPS = [...READS, ...STORES, ...STORES, ...JOINS, ...COUNTS, ...OTHERS];
const OPS = [...LOUD_OPS, ...LOUD.keys()];

/** A random request. */
export function drawRequest(prng: Prng, opaque: number): Parts {
  const op = prng.pick(OPS);
  const loud = LOUD.get(op) ?? op;
  if (loud === Op.NOOP) return { op, opaque };
  const key = prng.pick(KEYS);
  const cas = prng.below(8) === 0 ? WRONG_CAS : 0n;
  if (loud === UNKNOWN) return { op, opaque, key, extras: "ext", value: drawValue(prng) };
  if (STORES.includes(loud)) {
    const extras = word32(prng.below(2 ** 31)) + word32(0);
    return { op, opaque, key, cas, extras, value: drawValue(prng) };
  }
  if (JOINS.includes(loud)) return { op, opaque, key, cas, value: drawValue(prng) };
  if (COUNTS.includes(loud)) {
    const expiry = prng.pick([word32(0), word32(1000), DO_NOT_CREATE]);
    return { op, opaque, key, cas, extras: drawNumber(prng) + drawNumber(prng) + expiry };
  }
  const touches = [Op.GAT, Op.GATK, Op.TOUCH].some((code) => code === loud);
  return { op, opaque, key, cas: loud === Op.DELETE ? cas : 0n, extras: touches ? word32(0) : "" };
}

function drawNumber(prng: Prng): string {
  return word64(prng.pick([0n, 1n, 9n, 10n, 2n ** 32n, 2n ** 63n, U64_END - 1n]));
}

function drawValue(prng: Prng): string {
  const kind = prng.below(10);
  if (kind < 4) return String(prng.below(2 ** 31));
  if (kind === 4) return "";
  if (kind === 5) return "x".repeat(TOO_LARGE_BYTES);
  return prng.pick(["x", "\r\n", "\0", "0 "]).repeat(prng.below(VALUE_BYTES_MAX / 2));
}

/** The model: a store without limits, expiry or versions that a client could know. */
export class BinaryModel {
  readonly #items = new Map<string, Item>();
  readonly #chunkBytes: number;

  /** @param chunkBytes Larger items are in chunks, and a value in chunks is no number. */
  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /**
   * Whether the text that `request` leaves depends on what has been sent so far: a number whose
   * value is sent by reference moves to another item while somebody holds it, and is not padded.
   */
  isOpen({ op, key = "" }: Parts): boolean {
    const length = this.#items.get(key)?.value.length ?? 0;
    return COUNTS.includes(LOUD.get(op) ?? op) && length + CRLF_BYTES > COPIED_BYTES_MAX;
  }

  /** The response that `request` gets, if any. */
  answer(request: Parts): Response[] {
    const loud = LOUD.get(request.op) ?? request.op;
    const [status, rest] = this.#outcome(loud, request);
    const isRead = READS.includes(loud);
    const isQuiet = loud !== request.op && (isRead ? status === 1 : status === 0);
    if (isQuiet) return [];
    const value = TEXTS[status] ?? "";
    const { op, opaque = 0 } = request;
    return [{ op, status, opaque, cas: 0n, extras: "", key: "", value, ...rest }];
  }

  #outcome(loud: number, request: Parts): [status: number, rest?: Partial<Response>] {
    const { key = "", extras = "", value = "", cas = 0n } = request;
    const item = this.#items.get(key);
    if (loud === Op.NOOP) return [0];
    if (loud === UNKNOWN) return [0x81];
    if (READS.includes(loud)) return this.#read(loud, key, item);
    if (STORES.includes(loud)) return this.#store(loud, request, item);
    if (JOINS.includes(loud)) {
      if (value.length >= TOO_LARGE_BYTES) return [3];
      if (item === undefined) return [5];
      if (cas !== 0n) return [2];
      const joined = loud === Op.APPEND ? item.value + value : value + item.value;
      if (itemBytes(key, { ...item, value: joined }) > ITEM_BYTES_MAX) return [5];
      item.value = joined;
      return [0, { cas: 1n }];
    }
    if (COUNTS.includes(loud)) return this.#count(loud, key, extras, cas, item);
    if (item === undefined) return [1];
    if (cas !== 0n) return [2];
    this.#items.delete(key);
    return [0];
  }

  #read(loud: number, key: string, item: Item | undefined): [number, Partial<Response>?] {
    const withKey = WITH_KEY.includes(loud) ? key : "";
    if (item === undefined) return [1, withKey === "" ? {} : { key, value: "" }];
    const value = loud === Op.TOUCH ? "" : item.value;
    return [0, { cas: 1n, extras: item.flags, key: withKey, value }];
  }

  #store(loud: number, request: Parts, item: Item | undefined): [number, Partial<Response>?] {
    const { key = "", extras = "", value = "", cas = 0n } = request;
    if (value.length >= TOO_LARGE_BYTES) {
      if (loud === Op.SET) this.#items.delete(key);
      return [3];
    }
    if (cas !== 0n) return [item === undefined ? 1 : 2];
    if (loud === Op.ADD && item !== undefined) return [2];
    if (loud === Op.REPLACE && item === undefined) return [1];
    this.#items.set(key, { flags: extras.slice(0, 4), value });
    return [0, { cas: 1n }];
  }

  #count(
    loud: number,
    key: string,
    extras: string,
    cas: bigint,
    item: Item | undefined,
  ): [number, Partial<Response>?] {
    const [delta, initial] = [numberIn(extras, 0), numberIn(extras, 8)];
    if (item === undefined) {
      if (extras.slice(16) === DO_NOT_CREATE) return [1];
      this.#items.set(key, { flags: NO_FLAGS, value: String(initial) });
      return [0, { cas: 1n, value: word64(initial) }];
    }
    // What cannot be a number at all is said before versions are compared.
    if (item.value === "" || itemBytes(key, item) > this.#chunkBytes) return [6];
    if (cas !== 0n) return [2];
    const digits = /^[\t-\r ]*\+?(\d+)(?:[\t-\r ]|$)/.exec(item.value)?.[1];
    if (digits === undefined || BigInt(digits) >= U64_END) return [6];
    const before = BigInt(digits);
    const down = before > delta ? before - delta : 0n;
    const after = loud === Op.INCREMENT ? (before + delta) % U64_END : down;
    item.value = String(after).padEnd(item.value.length, " ");
    return [0, { cas: 1n, value: word64(after) }];
  }
}

/** What an item takes: header, version, key, flags unless 0, value and CRLF. */
function itemBytes(key: string, { flags, value }: Item): number {
  return 32 + 8 + key.length + (flags === NO_FLAGS ? 0 : 4) + value.length + 2;
}

function numberIn(extras: string, at: number): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) value = value * 256n + BigInt(extras.charCodeAt(at + i));
  return value;
}
