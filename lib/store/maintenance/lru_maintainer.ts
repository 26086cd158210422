// The LRU maintainer: keeps HOT and WARM of each slab class at their size, and moves items of COLD
// that were read again to WARM.
//
// The maintainer looks at a class that had nothing to move less and less often, down to once a
// second, and at one that had, twice as often. It does not matter where items are while nothing is
// evicted: until then it looks seldom, and never moves an item that is replaced before that.
// Source: memcached items.c, lru_maintainer_juggle, lru_maintainer_bumps, lru_maintainer_thread.

import { LockRank } from "../../memory/lock.ts";
import { ClassCounter, CLASSES_MAX, Counter } from "../../stats/names.ts";
import { BumpBuffer } from "../lru/bump_buffer.ts";
import { isFlushed } from "../item/generation.ts";
import {
  advanceItemTime,
  ItemFlag,
  itemFlags,
  type ItemRef,
  NO_ITEM,
  setItemFlags,
} from "../item/item.ts";
import { classOf, isCold, lruIdOf, LruSegment } from "../lru/lists.ts";
import { pullTail, relinkLocked, type TailRule } from "../room/tail.ts";
import type { SlabClass } from "../slab/classes.ts";
import { NOT_LINKED } from "../outcome.ts";
import { lockLinked, unlockShard } from "../link.ts";
import { tailAge } from "../whole_store.ts";
import type { Store } from "../store.ts";

/** Most items of a class that one round moves. */
const MOVES_MAX = 500;
/** Shortest time between two looks at a class that evicts, and at another, in milliseconds. */
const LOOK_MS_PRESSED = 1;
const LOOK_MS_CALM = 32;
/** Longest time between two looks. */
const LOOK_MS_MAX = 1000;
/** Time between two looks into the bump buffers when something was in them. */
const BUMPS_MS = 2;

/**
 * Brings the lists of one class to their sizes.
 *
 * @returns Items moved or removed. Takes: LRU, slab; tries buckets.
 */
export function juggle(store: Store, clsid: SlabClass): number {
  const { tunables } = store;
  let moves = 0;
  const rule = { unitsMax: 0, ageMax: 0, evict: false };
  if (tunables.temporaryTtl >= 0 || count(store, clsid, LruSegment.TEMP) > 0) {
    while (moves < MOVES_MAX && pullTail(store, clsid, LruSegment.TEMP, rule)) moves++;
  }
  // In flat mode nothing may stay in HOT and WARM: sizes and ages of 0 drain them into COLD.
  const isSegmented = tunables.isSegmented;
  const units = isSegmented ? unitsOf(store, clsid) : 0;
  const coldAge = isSegmented ? tailAge(store, lruIdOf(clsid, LruSegment.COLD)) : 0;
  const hot: TailRule = {
    unitsMax: units * tunables.get("hotLruPct") / 100,
    ageMax: coldAge * tunables.get("hotMaxFactor"),
    evict: false,
  };
  const warm: TailRule = {
    unitsMax: units * tunables.get("warmLruPct") / 100,
    ageMax: coldAge * tunables.get("warmMaxFactor"),
    evict: false,
  };
  for (let round = 0; round < MOVES_MAX; round++) {
    const before = moves;
    if (pullTail(store, clsid, LruSegment.HOT, hot)) moves++;
    if (pullTail(store, clsid, LruSegment.WARM, warm)) moves++;
    if (isSegmented && pullTail(store, clsid, LruSegment.COLD, rule)) moves++;
    if (moves === before) break;
  }
  return moves;
}

function count(store: Store, clsid: SlabClass, segment: LruSegment): number {
  return store.lru.count(lruIdOf(clsid, segment));
}

/** Size of the items in HOT, WARM and COLD of a class, in units of 8 bytes. */
function unitsOf({ lru }: Store, clsid: SlabClass): number {
  return lru.units(lruIdOf(clsid, LruSegment.HOT)) + lru.units(lruIdOf(clsid, LruSegment.WARM)) +
    lru.units(lruIdOf(clsid, LruSegment.COLD));
}

/**
 * Moves an item of COLD that was read again to WARM, if it is still there. Takes: bucket, LRU.
 *
 * @returns Whether it was.
 */
export function warmUp(store: Store, it: ItemRef): boolean {
  const { items, locks, lru, counters } = store;
  const hv = lockLinked(store, it);
  if (hv === NOT_LINKED) return false;
  // A flushed item must not get a time that makes it look alive.
  const cold = isCold(items, it) && !isFlushed(store.control, items, it, store.clock.now);
  if (cold) {
    const clsid = classOf(items, it);
    const list = lruIdOf(clsid, LruSegment.COLD);
    advanceItemTime(items, it, store.clock.now);
    setItemFlags(items, it, itemFlags(items, it) & ~ItemFlag.ACTIVE);
    counters.addClass(clsid, ClassCounter.MOVES_TO_WARM, 1);

    locks.lock(lru.lockOf(list), LockRank.LRU);
    lru.unlinkLocked(list, it);
    locks.unlock(lru.lockOf(list), LockRank.LRU);

    relinkLocked(store, lruIdOf(clsid, LruSegment.WARM), it);
  }
  unlockShard(store, hv);
  return cold;
}

/** The lists of all classes, looked at in turn. */
export class LruMaintainer {
  readonly #store: Store;
  readonly #bumps: readonly BumpBuffer[];
  /** By class: time between two looks, and of the next one, in milliseconds. */
  readonly #lookMs = new Float64Array(CLASSES_MAX).fill(LOOK_MS_CALM);
  readonly #nextMs = new Float64Array(CLASSES_MAX);
  /** By class: items that had been evicted at the last look. */
  readonly #evicted = new Uint32Array(CLASSES_MAX);

  constructor(store: Store) {
    this.#store = store;
    this.#bumps = Array.from(
      { length: store.shape.threads },
      (_, index) => new BumpBuffer(store.control, index + 1),
    );
  }

  /**
   * Does what there is to do at `nowMs`, in milliseconds of any steady clock.
   *
   * @returns Milliseconds until there may be more.
   */
  run(nowMs: number): number {
    const { classes, counters } = this.#store;
    let restMs = this.#warmUpAll() > 0 ? BUMPS_MS : LOOK_MS_MAX;
    counters.add(Counter.LRU_MAINTAINER_JUGGLES, 1);
    for (let id = 1; id <= classes.last; id++) {
      if (nowMs >= this.#nextMs[id]!) this.#look(id as SlabClass, nowMs);
      restMs = Math.min(restMs, this.#nextMs[id]! - nowMs);
    }
    return restMs;
  }

  /** Looks at one class, and decides when to do so again. */
  #look(clsid: SlabClass, nowMs: number): void {
    const evicted = this.#store.lru.evicted(lruIdOf(clsid, LruSegment.COLD));
    const isPressed = evicted !== this.#evicted[clsid];
    this.#evicted[clsid] = evicted;
    const moved = juggle(this.#store, clsid) > 0;
    const lookMs = this.#lookMs[clsid]! * (moved ? 0.5 : 2);
    const shortest = isPressed ? LOOK_MS_PRESSED : LOOK_MS_CALM;
    this.#lookMs[clsid] = Math.min(Math.max(lookMs, shortest), LOOK_MS_MAX);
    this.#nextMs[clsid] = nowMs + this.#lookMs[clsid]!;
  }

  /** Empties the bump buffers; returns how many items there were. */
  #warmUpAll(): number {
    let items = 0;
    for (const buffer of this.#bumps) {
      for (let it = buffer.shift(); it !== NO_ITEM; it = buffer.shift()) {
        warmUp(this.#store, it);
        items++;
      }
    }
    return items;
  }
}
