// The store of one thread: its views of the memory that all threads share. State alone: link.ts
// makes items findable, and the folders have the operations that commands are made of.

import type { Clock } from "../base/clock.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Locks } from "../memory/lock.ts";
import { type Control, Global } from "../memory/regions.ts";
import { type Counters } from "../stats/counters.ts";
import { HotKeys } from "../stats/samples.ts";
import { Turn } from "../stats/turn.ts";
import { Assoc } from "./table/assoc.ts";
import { type Items, openItems } from "./item/item.ts";
import { BumpBuffer } from "./lru/bump_buffer.ts";
import { EventLog } from "../log/event_log.ts";
import { LogLines } from "../log/lines.ts";
import { Lru } from "./lru/lists.ts";
import { Lack } from "./lack.ts";
import type { StorePlan, StoreShape, StoreThread } from "./plan.ts";
import { PrefixCounts } from "./counts/prefix_counts.ts";
import { SizeCounts } from "./counts/size_counts.ts";
import { Tunables } from "./control/tunables.ts";
import { SlabClasses } from "./slab/classes.ts";
import { Slabs } from "./slab/chunks.ts";

/** One thread's store. */
export class Store {
  readonly items: Items;
  readonly assoc: Assoc;
  readonly lru: Lru;
  readonly slabs: Slabs;
  readonly classes: SlabClasses;
  readonly locks: Locks;
  readonly control: Control;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly shape: StoreShape;
  readonly tunables: Tunables;
  readonly sizes: SizeCounts;
  readonly prefixes: PrefixCounts;
  /** Samples of the keys that clients ask for. */
  readonly hotKeys: HotKeys;
  /** Events, for clients that watch. */
  readonly log: EventLog;
  readonly lines: LogLines;
  /** The connection that this thread serves. */
  readonly turn: Turn = new Turn();
  /** Items of COLD that this thread's clients read again. */
  readonly bumps: BumpBuffer;
  /** What a command lacked that found no memory under its shard's lock. */
  readonly lack = new Lack();

  constructor({ thread, plan, memory, control, locks, counters, clock }: StoreThread) {
    this.shape = plan.shape;
    this.control = control;
    this.locks = locks;
    this.counters = counters;
    this.clock = clock;
    this.items = openItems(memory.segments, plan.shape.useCas);
    const buckets = new Uint32Array(memory.buckets);
    this.assoc = new Assoc(control, locks, this.items, buckets, plan.hashKey, plan.assoc);
    this.lru = new Lru(control, locks, this.items);
    this.classes = new SlabClasses(plan.shape);
    this.slabs = new Slabs({ control, counters, locks, thread, plan }, this.items, this.classes);
    this.tunables = new Tunables(control);
    this.sizes = new SizeCounts(control);
    this.log = new EventLog(control, thread, counters);
    this.lines = new LogLines(control, locks);
    this.prefixes = new PrefixCounts(control, locks, this.assoc, plan.shape.prefixDelimiter);
    this.hotKeys = new HotKeys(control, thread, plan.shape.prefixDelimiter);
    this.bumps = new BumpBuffer(control, thread);
  }
}

/** Makes new memory ready. Called once, before any thread uses it. */
export function startStore(store: Store, { assoc, pageLimit, shape }: StorePlan): void {
  store.assoc.start(assoc);
  store.slabs.pages.setLimit(pageLimit);
  store.tunables.setAll(shape.tuning);
  store.prefixes.turn(shape.detailEnabled);
  storeWord(store.control.u32, Global.STARTED_AT, store.clock.now);
}
