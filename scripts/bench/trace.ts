// Traces: a file of keys in the order in which they were asked for, and a size for each key.
//
// A file is unsigned 32-bit little-endian numbers, one for each request, plain or in gzip. The keys
// are dense from 0 in the order of their first appearance, so the largest one tells how many there
// are. A trace has no sizes: each key gets one for good, by a hash of its number.

import { Prng } from "../../lib/base/prng.ts";

const KEY_BYTES = 4;
const WORD_COUNT = 2 ** 32;
/** Largest over smallest of the mixed sizes: a class of 20 to the page down to one of 1,000. */
const SIZES_SPAN = 64;

/** How large values are: all the same, or log-uniform between two bounds. */
export type SizeModel = "fixed" | "mixed";

/**
 * Reads a trace.
 *
 * @param requestsMax Requests after which it ends; 0 for all there are.
 */
export async function readTrace(path: string, requestsMax = 0): Promise<Uint32Array> {
  using file = await Deno.open(path);
  const plain = path.endsWith(".gz")
    ? file.readable.pipeThrough(new DecompressionStream("gzip"))
    : file.readable;
  return keysOf(new Uint8Array(await new Response(plain).arrayBuffer()), requestsMax);
}

/** The keys that `bytes` hold, at most `requestsMax` of them; 0 for all. */
export function keysOf(bytes: Uint8Array, requestsMax = 0): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const held = Math.floor(bytes.length / KEY_BYTES);
  const keys = new Uint32Array(requestsMax === 0 ? held : Math.min(held, requestsMax));
  for (let at = 0; at < keys.length; at++) keys[at] = view.getUint32(at * KEY_BYTES, true);
  return keys;
}

/** How many different keys a trace asks for. */
export function distinctKeys(trace: Uint32Array): number {
  return trace.reduce((most, key) => Math.max(most, key), 0) + 1;
}

/** Value sizes by key, in bytes, with a mean of about `meanBytes`. */
export class KeySizes {
  readonly #model: SizeModel;
  readonly #meanBytes: number;
  readonly #smallest: number;

  constructor(model: SizeModel, meanBytes: number) {
    this.#model = model;
    this.#meanBytes = meanBytes;
    // The mean of a log-uniform size in [a, ra] is a(r − 1) / ln r.
    this.#smallest = meanBytes * Math.log(SIZES_SPAN) / (SIZES_SPAN - 1);
  }

  /** The longest value there is. */
  get largest(): number {
    return this.#model === "fixed" ? this.#meanBytes : Math.ceil(this.#smallest * SIZES_SPAN);
  }

  /** The length of the value of `key`. */
  of(key: number): number {
    if (this.#model === "fixed") return this.#meanBytes;
    return Math.round(this.#smallest * SIZES_SPAN ** (new Prng(key).next() / WORD_COUNT));
  }
}
