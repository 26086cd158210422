// Lists of keys: `lru_crawler metadump`, `lru_crawler mgdump` and `stats cachedump`.
//
// A dump walks the hash table part by part: a few buckets each time the connection has sent the
// part before, so that the worker serves other connections meanwhile. An item that is linked from
// beginning to end is listed once. Source of the lines: memcached doc/protocol.txt; crawler.c,
// crawler_metadump_eval.

import { CRLF_BYTES, latin1, latin1Bytes } from "../../base/ascii.ts";
import { U64, U64_DIGITS_MAX } from "../../base/u64.ts";
import { encodeUri } from "../../base/uri.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { isFlushed } from "../../store/item/generation.ts";
import {
  blockOf,
  isExpired,
  itemBytes,
  itemClientFlags,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  itemTime,
  readItemCas,
} from "../../store/item/item.ts";
import { classOf } from "../../store/lru/lists.ts";
import { type ClassSet, isInClassSet } from "../../store/control/requests.ts";
import type { Store } from "../../store/store.ts";
import { TableWalk } from "../../store/table_walk.ts";
import type { Answer } from "../session.ts";

/** The form of a dump: its lines, and what stands before and behind them. */
export interface DumpForm {
  readonly begin: string;
  readonly end: string;
  line(store: Store, it: ItemRef): string;
}

const cas = new U64();
const digits = new Uint8Array(U64_DIGITS_MAX);

/** The key of `it`, a character for each byte. */
function keyOf(store: Store, it: ItemRef): string {
  const at = itemKeyAt(store.items, it);
  return latin1(blockOf(store.items, it).bytes, at, at + itemNkey(store.items, it));
}

/** Bytes that a key on a command line cannot have; only a binary client can store them. */
// deno-lint-ignore no-control-regex -- it looks for control characters
const UNTYPABLE = /[\x00-\x20\x7f]/;

/** The Unix time at which an item expires; `never` when it does not expire. */
function unixExptime({ items, clock }: Store, it: ItemRef, never: number): number {
  const exptime = itemExptime(items, it);
  return exptime === 0 ? never : clock.startUnix + exptime;
}

/** The lines of `lru_crawler metadump`. */
export const METADUMP: DumpForm = {
  begin: "OK\r\n",
  end: "END\r\n",
  line(store, it) {
    const { items, clock } = store;
    readItemCas(items, it, cas);
    const version = latin1(digits, 0, cas.write(digits, 0));
    const fetched = (itemFlags(items, it) & ItemFlag.FETCHED) !== 0;
    return `key=${encodeUri(keyOf(store, it))} exp=${unixExptime(store, it, -1)} ` +
      `la=${clock.startUnix + itemTime(items, it)} cas=${version} ` +
      `fetch=${fetched ? "yes" : "no"} cls=${classOf(items, it)} ` +
      `size=${itemBytes(items, it)} flags=${itemClientFlags(items, it)} \n`;
  },
};

/** The lines of `lru_crawler mgdump`. */
export const MGDUMP: DumpForm = {
  begin: "OK\r\n",
  end: "EN\r\n",
  line: (store, it) => {
    const key = keyOf(store, it);
    const isBinary = (itemFlags(store.items, it) & ItemFlag.KEY_BINARY) !== 0;
    return isBinary || UNTYPABLE.test(key) ? `mg ${btoa(key)} b\r\n` : `mg ${key}\r\n`;
  },
};

/** The lines of `stats cachedump`. */
export const CACHEDUMP: DumpForm = {
  begin: "",
  end: "END\r\n",
  line(store, it) {
    const bytes = itemNbytes(store.items, it) - CRLF_BYTES;
    return `ITEM ${keyOf(store, it)} [${bytes} b; ${unixExptime(store, it, 0)} s]\r\n`;
  },
};

/** Cost of a part of a dump, in requests of a turn. */
const PART_REQUESTS = 20;
/** Buckets of a part. */
const BUCKETS_PER_WRITE = 250;
/** Bytes of lines after which a dump writes them. */
const FOUND_BYTES_MAX = 16 * 1024;

/** Where a dump ends before the end of the table. */
export interface DumpLimit {
  readonly items: number;
  readonly bytes: number;
}

/** A list of keys that is being written. */
export class Dump implements Answer {
  readonly cost = 0;
  readonly writeCost = PART_REQUESTS;
  readonly #store: Store;
  readonly #form: DumpForm;
  readonly #classes: ClassSet;
  readonly #walk = new TableWalk();
  readonly #visit = (it: ItemRef): void => this.#look(it);
  #itemsLeft: number;
  #bytesLeft: number;
  #found: string;
  #rest: Uint8Array = new Uint8Array();
  #isDone = false;

  /** @param classes Slab classes whose items are listed. */
  constructor(
    store: Store,
    form: DumpForm,
    classes: ClassSet,
    limit: DumpLimit = { items: Infinity, bytes: Infinity },
  ) {
    this.#store = store;
    this.#form = form;
    this.#classes = classes;
    this.#itemsLeft = limit.items;
    this.#bytesLeft = limit.bytes;
    this.#found = form.begin;
  }

  write(replies: ReplyBuffer): boolean {
    let buckets = 0;
    while (!this.#isDone && this.#rest.length === 0 && buckets < BUCKETS_PER_WRITE) {
      while (this.#found.length < FOUND_BYTES_MAX && buckets++ < BUCKETS_PER_WRITE) {
        this.#isDone = !this.#walk.step(this.#store, this.#visit) || this.#itemsLeft <= 0;
        if (this.#isDone) break;
      }
      if (this.#isDone) this.#found += this.#form.end;
      this.#rest = latin1Bytes(this.#found);
      this.#found = "";
      this.#writeRest(replies);
    }
    this.#writeRest(replies);
    return !this.#isDone || this.#rest.length > 0;
  }

  #writeRest(replies: ReplyBuffer): void {
    const count = Math.min(this.#rest.length, replies.room);
    replies.writeBytes(this.#rest, count);
    this.#rest = this.#rest.subarray(count);
  }

  /** Adds the line of an item that is alive. Caller holds its shard. */
  #look(it: ItemRef): void {
    const { items, clock, control } = this.#store;
    if (this.#itemsLeft <= 0 || !isInClassSet(this.#classes, classOf(items, it))) return;
    if (isExpired(items, it, clock.now) || isFlushed(control, items, it, clock.now)) return;
    const line = this.#form.line(this.#store, it);
    if (line.length > this.#bytesLeft) {
      this.#itemsLeft = 0;
      return;
    }
    this.#found += line;
    this.#itemsLeft--;
    this.#bytesLeft -= line.length;
  }
}
