// How operations of the store end, as values.

import type { ItemRef } from "./item/item.ts";

/** Why there is no new item, in the place of one. */
export const Refusal = {
  /** The item would be larger than `-I` allows. */
  TOO_LARGE: -1,
  /** No chunk is free, and none could be made free. */
  NO_MEMORY: -2,
} as const;
export type Refusal = typeof Refusal[keyof typeof Refusal];

/**
 * Whether an allocation was refused: all item references are positive.
 * @hot
 */
export function isRefused(it: ItemRef | Refusal): it is Refusal {
  return it < 0;
}

/** How a lookup ended, as the log shows it. Source: memcached items.c, do_item_get. */
export const Lookup = { ABSENT: 0, FOUND: 1, FLUSHED: 2, EXPIRED: 3 } as const;
export type Lookup = typeof Lookup[keyof typeof Lookup];

/** What `lockLinked` (link.ts) returns for a reference that leads to no linked item. */
export const NOT_LINKED = -1;

/** When a received item is stored. */
export const StoreMode = {
  SET: 0,
  ADD: 1,
  REPLACE: 2,
  APPEND: 3,
  PREPEND: 4,
  CAS: 5,
} as const;
export type StoreMode = typeof StoreMode[keyof typeof StoreMode];

/** What became of it. */
export const Stored = { STORED: 0, NOT_STORED: 1, EXISTS: 2, NOT_FOUND: 3 } as const;
export type Stored = typeof Stored[keyof typeof Stored];
