// What the store should hold, as a Map: the rules of the commands without memory, threads or bytes.
//
// The store may lose an item to make room, which the model cannot foresee. `lose` says that it has;
// whoever compares the two counts these and holds them against the evictions counted.

import { toExptime } from "../../lib/store/item/exptime.ts";
import type { Clock } from "../../lib/base/clock.ts";

/** One item. */
export interface ModelItem {
  value: string;
  flags: number;
  cas: bigint;
  /** Seconds since start; 0 never. */
  exptime: number;
  /** Last access, seconds since start. */
  time: number;
}

const SPACE = "[ \\t\\n\\v\\f\\r]";
const NUMBER = new RegExp(`^${SPACE}*\\+?(\\d+)(${SPACE}[^]*)?$`);
const U64_VALUES = 2n ** 64n;

/** The number that `value` is to incr and decr; undefined when it is none. */
export function numberOf(value: string): bigint | undefined {
  const digits = NUMBER.exec(value)?.[1];
  if (digits === undefined || BigInt(digits) >= U64_VALUES) return undefined;
  return BigInt(digits);
}

/** `from` plus `delta`, or less it: incr wraps, decr stops. */
export function added(from: bigint, delta: bigint, increment: boolean): bigint {
  if (increment) return (from + delta) % U64_VALUES;
  return from > delta ? from - delta : 0n;
}

/** All items, and the flush that is pending. */
export class StoreModel {
  readonly #items = new Map<string, ModelItem>();
  readonly #clock: Clock;
  /** Items last accessed up to this second go when it has come; 0 none. */
  #pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The item under `key`, if it lives. */
  get(key: string): ModelItem | undefined {
    const item = this.#items.get(key);
    if (item === undefined || !this.#isOver(item)) return item;
    this.#items.delete(key);
    return undefined;
  }

  #isOver({ exptime, time }: ModelItem): boolean {
    const { now } = this.#clock;
    if (exptime !== 0 && exptime <= now) return true;
    return this.#pending !== 0 && this.#pending <= now && time <= this.#pending;
  }

  /** Stores an item that lives from now on; its version is filled in when it is known. */
  put(key: string, value: string, flags: number, exptime: number): void {
    this.#items.set(key, { value, flags, exptime, cas: 0n, time: this.#clock.now });
  }

  /** delete, and whatever else makes an item go. */
  delete(key: string): void {
    this.#items.delete(key);
  }

  /** touch: `raw` is what the client sends. */
  touch(item: ModelItem, raw: number): void {
    item.exptime = this.seconds(raw);
    item.time = this.#clock.now;
  }

  /** What the client sends, in seconds since start. */
  seconds(raw: number): number {
    return toExptime(raw, this.#clock);
  }

  /** flush_all. */
  flush(): void {
    this.#items.clear();
    this.#pending = 0;
  }

  /** flush_all with a delay: what has been flushed before stays so. */
  flushAt(at: number): void {
    for (const key of [...this.#items.keys()]) this.get(key);
    this.#pending = at - 1;
  }
}

/** A value as a message shows it. */
export function show(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}... (${value.length})` : value);
}
