// The memory that a server may need, and a warning where it may not use so much.

import { type Settings, WORKER_BYTES } from "../config/settings.ts";
import { ITEM } from "../store/item/item.ts";
import { itemMemoryBytes, type StorePlan } from "../store/plan.ts";
import { canCallLibc } from "../sys/libc.ts";
import { memoryLimit } from "./process/cgroup.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What a server takes besides its plan. Measured as WORKER_BYTES is. The pages
 * of the executable, 50 to 58 MiB more, are not counted: the kernel takes them back when it must.
 * A connection: docs/decisions/0008-event-loop.md and docs/performance.md.
 */
const TAKEN = {
  /** The runtime, and the threads that every server has. */
  RUNTIME: 40 * MIB,
  /** A connection at rest. */
  CONN: 1.4 * KIB,
} as const;

/** Of the hash table for each item: it has one bucket (docs/decisions/0007-hash-table.md). */
const BUCKET_BYTES = 4;

/** One part of the memory: what it is for, and bytes. */
export type MemoryPart = readonly [name: string, bytes: number];

/** The memory that the server needs when it is full of small items, part by part. */
export function memoryParts(settings: Settings, plan: StorePlan): readonly MemoryPart[] {
  const { maxbytes, maxconns, threads, chunkSize, memoryFile } = settings;
  const items = Math.floor(maxbytes / (chunkSize + ITEM.bytes));
  return [
    // A file has all of its room from the start: a page for each class besides.
    memoryFile === null ? ["items (-m)", maxbytes] : ["memory file (-e)", itemMemoryBytes(plan)],
    ["hash table", Math.min(plan.bucketBytes, items * BUCKET_BYTES)],
    ["tables", plan.regions.bytes],
    ["connections (-c)", maxconns * TAKEN.CONN],
    ["runtime", TAKEN.RUNTIME],
    ["workers (-t)", threads * WORKER_BYTES],
  ];
}

/**
 * The warning for memory that may exceed `limit`.
 *
 * @param limit Bytes; Infinity for none.
 * @returns undefined when it is enough.
 */
export function budgetWarning(parts: readonly MemoryPart[], limit: number): string | undefined {
  const need = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (need <= limit) return undefined;
  const mib = (bytes: number) => Math.ceil(bytes / MIB);
  const sum = parts.map(([name, bytes]) => `${mib(bytes)} ${name}`).join(" + ");
  return `Warning: the memory limit of this container is ${mib(limit)} MiB, and the server may ` +
    `come to need ${mib(need)}: ${sum}; lower -m, or raise the limit`;
}

/**
 * The warning for a server that may need more memory than the control group of the process allows.
 */
export function checkBudget(settings: Settings, plan: StorePlan): string | undefined {
  if (!canCallLibc) return undefined;
  return budgetWarning(memoryParts(settings, plan), memoryLimit());
}
