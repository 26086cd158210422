// Why an operation of the store came back empty.

/** Why `Store.findLocked` found nothing, or `allocate` (allocate.ts) no memory. */
export const Miss = {
  /** There is no such item. */
  ABSENT: 0,
  /** It was there, and its time had passed. */
  EXPIRED: 1,
  /** It was there, and older than the last flush. */
  FLUSHED: 2,
  /** Larger than any item may be. */
  TOO_LARGE: 3,
  /** No chunk is free and none could be made free. */
  NO_MEMORY: 4,
} as const;
export type Miss = typeof Miss[keyof typeof Miss];

/** What `Store.lockLinked` returns for what is no findable item. */
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
