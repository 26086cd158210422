// Bugs to plant in a round: each breaks one rule of the store, once, and must be noticed.

import { Global } from "../../lib/memory/regions.ts";
import { ClassCounter } from "../../lib/stats/names.ts";
import { firstChunk, isChunked, setChunkHead } from "../../lib/store/item/chunk.ts";
import {
  blockOf,
  ItemFlag,
  itemFlags,
  itemLruId,
  type ItemRef,
  itemValueAt,
  NO_ITEM,
  setItemChain,
  setItemExptime,
  setItemFlags,
  setItemLruId,
  setItemPrev,
} from "../../lib/store/item/item.ts";
import { addRefcount } from "../../lib/store/item/refcount.ts";
import { classOf, LruSegment } from "../../lib/store/lru/lists.ts";
import type { SlabClass } from "../../lib/store/slab/classes.ts";
import type { Plant, StoreRound } from "./store_fuzz.ts";

/** From this command on the bug may strike. */
const STEP_MIN = 540;

/** Strikes once, at the first command from STEP_MIN on after which `strike` finds a victim. */
function once(strike: (round: StoreRound) => boolean): () => Plant {
  return () => {
    let done = false;
    return (round, step) => {
      if (!done && step >= STEP_MIN) done = strike(round);
    };
  };
}

/** Spoils a random item that is in both the store and the model. */
function spoil(harm: (round: StoreRound, it: ItemRef, key: string) => void): () => Plant {
  return once((round) => {
    const key = round.key();
    const item = round.model.get(key);
    const found = round.client.peek(key);
    if (item === undefined || found === undefined || found.value === "") return false;
    harm(round, found.it, key);
    return true;
  });
}

/** The bugs, by name; each call makes a new one. */
export const PLANTS: Readonly<Record<string, () => Plant>> = {
  "the model forgets a set": spoil(({ model }, _it, key) => model.delete(key)),
  "the model forgets to delete": once(({ model }) => {
    model.delete = () => {};
    return true;
  }),
  "a byte of a value changes": spoil(({ client }, it) => {
    blockOf(client.store.items, it).bytes[itemValueAt(client.store.items, it)]! ^= 1;
  }),
  "an item loses its LRU neighbour": spoil(({ client }, it) => {
    setItemPrev(client.store.items, it, it);
  }),
  "an item is its own hash chain's end": spoil(({ client }, it) => {
    const { assoc, locks } = client.store;
    locks.exclusively(() => assoc.removeLocked(assoc.hashOf(it), it));
    setItemChain(client.store.items, it, 0 as ItemRef);
  }),
  "an item has a holder too many": spoil(({ client }, it) => {
    addRefcount(client.store.items, it, 1);
  }),
  "an item expires too soon": spoil(({ client }, it) => setItemExptime(client.store.items, it, 1)),
  "a linked item looks free": spoil(({ client }, it) => {
    const flags = itemFlags(client.store.items, it);
    setItemFlags(client.store.items, it, flags | ItemFlag.SLABBED);
  }),
  "a chunk is lost": once(({ client }) => client.store.slabs.take(1 as SlabClass) !== 0),
  "an item is counted twice": spoil(({ client: { store } }, it) => {
    store.counters.addClass(classOf(store.items, it), ClassCounter.NUMBER, 1);
  }),
  "an item names another list": spoil(({ client: { store } }, it) => {
    setItemLruId(store.items, it, itemLruId(store.items, it) ^ LruSegment.WARM);
  }),
  "a chunk leads to another item": once((round) => {
    const { client, model } = round;
    const key = round.key();
    const it = model.get(key) === undefined ? NO_ITEM : client.find(key);
    if (it === NO_ITEM || !isChunked(client.store.items, it)) return false;
    setChunkHead(client.store.items, firstChunk(client.store.items, it), NO_ITEM);
    return true;
  }),
  "versions start again": once(({ client }) => {
    client.store.control.u32[Global.CAS_LOW] = 0;
    return true;
  }),
};
