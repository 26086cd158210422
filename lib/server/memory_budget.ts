// What memory a server may come to need, held against what it may use.

import { type Settings, WORKER_BYTES } from "../config/settings.ts";
import { ITEM } from "../store/item/item.ts";
import { itemMemoryBytes, type StorePlan } from "../store/plan.ts";
import { canCallLibc } from "../sys/libc.ts";
import { memoryLimit } from "./process/cgroup.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What a server takes besides what its plan says. Measured as WORKER_BYTES is. The pages
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

/** What the server may come to need, part by part, once its memory is full of small items. */
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
 * What to tell the operator when that is more than `limit`.
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
 * What to tell the operator when the control group of the process allows less than may be needed.
 */
export function checkBudget(settings: Settings, plan: StorePlan): string | undefined {
  if (!canCallLibc) return undefined;
  return budgetWarning(memoryParts(settings, plan), memoryLimit());
}
