// Items that a command makes because they were missing: mg and ma with N, tombstones of md with x.

import { CHECKS } from "../../base/assert.ts";
import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import type { U64 } from "../../base/u64.ts";
import { allocate } from "../room/allocate.ts";
import { toExptime } from "../item/exptime.ts";
import {
  blockOf,
  ItemFlag,
  itemFlags,
  type ItemRef,
  itemValueAt,
  setItemCas,
  setItemFlags,
} from "../item/item.ts";
import { linkLocked } from "../link.ts";
import { isRefused, type Refusal } from "../outcome.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

const BASE64_FLAG = 0x62;
const EXPLICIT_FLAG = 0x45;

/** What a command asks for: a meta request has all of it. */
export interface NewItem {
  readonly keyBlock: Block;
  readonly keyFrom: number;
  readonly nkey: number;
  readonly vivifyTtl: number;
  readonly explicit: U64;
  has(letter: number): boolean;
}

/**
 * Makes an item with room for `bytes` value bytes and links it; its CRLF is filled in. Caller holds
 * the shard, and knows that there is no item with the key. Takes: LRU, slab.
 *
 * @returns The item, or why there is none.
 */
export function linkNewLocked(
  store: Store,
  asked: NewItem,
  hv: number,
  bytes: number,
): ItemRef | Refusal {
  if (CHECKS) assertShardHeld(store, hv);
  const exptime = toExptime(asked.vivifyTtl, store.clock);
  const it = makeItem(store, asked, 0, exptime, bytes);
  if (isRefused(it)) return it;
  linkLocked(store, hv, it);
  if (asked.has(EXPLICIT_FLAG) && !asked.explicit.isZero) {
    setItemCas(store.items, it, asked.explicit);
  }
  return it;
}

/** Makes an item with room for `bytes` value bytes, its CRLF filled in; it is not linked yet. */
export function makeItem(
  store: Store,
  asked: NewItem,
  clientFlags: number,
  exptime: number,
  bytes: number,
): ItemRef | Refusal {
  const { keyBlock, keyFrom, nkey } = asked;
  const nbytes = bytes + CRLF_BYTES;
  const it = allocate(store, keyBlock, keyFrom, nkey, clientFlags, exptime, nbytes);
  if (isRefused(it)) return it;
  const block = blockOf(store.items, it);
  const at = itemValueAt(store.items, it) + bytes;
  block.bytes[at] = CR;
  block.bytes[at + 1] = LF;
  if (asked.has(BASE64_FLAG)) {
    setItemFlags(store.items, it, itemFlags(store.items, it) | ItemFlag.KEY_BINARY);
  }
  return it;
}
