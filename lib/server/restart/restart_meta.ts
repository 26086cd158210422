// The metadata of a saved cache, FILE.meta: what the memory file itself does not have, and what
// shows that both belong together and to a server of this shape.
//
//   memden restart 2        name and version of the format
//   maxbytes 67108864 …     a line for each setting that the memory's layout depends on
//   id, start_unix, now, cas, flush, buckets, owners, lists, sums
//   sha256 …                over all lines above
//
// A line is a name, a space and the value; a list of numbers has spaces between them. decodeMeta()
// checks each value, although the checksum makes most errors impossible.

import { createHash } from "node:crypto";
import { latin1 } from "../../base/ascii.ts";
import { FLUSH_NUMBERS } from "../../store/item/generation.ts";
import { CHUNK } from "../../store/item/chunk.ts";
import { ITEM } from "../../store/item/item.ts";
import { LRUS_MAX } from "../../store/lru/lists.ts";
import type { StorePlan } from "../../store/plan.ts";
import { LIST_WORDS, type SavedStore } from "../../store/restart/saved_store.ts";
import { PAGE_BYTES, SlabClasses } from "../../store/slab/classes.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { MEMDEN_VERSION } from "../../base/version.ts";

const NAME = "memden restart";
/** Version of the format: raise it when the meaning of the lines or of an item's bytes changes. */
const FORM = 2;

const U32_MAX = 0xffffffff;
const U16_MAX = 0xffff;
/** Seconds that a clock may have run for: less than an expiry can hold, by 68 years. */
const CLOCK_MAX = 2 ** 31;
/** Longest value that a message shows. */
const SHOWN_MAX = 40;

/** What one run saves for the next. */
export interface RestartMeta {
  /** The same as in the memory file. */
  readonly id: string;
  /** Unix time at which second 0 of the clock began, in seconds. */
  readonly startUnix: number;
  readonly saved: SavedStore;
  /** By page, as {@linkcode SavedStore.owners}: CRC-32 of its bytes. */
  readonly sums: Uint32Array<ArrayBuffer>;
}

/** A setting that must be the same, as one line. */
export type LayoutRow = readonly [name: string, value: string];

/** The settings that item memory depends on. Names are memcached's where it has one. */
export function layoutRows({ shape }: StorePlan): LayoutRow[] {
  const { chunkBytes, last } = new SlabClasses(shape);
  const records = [ITEM, CHUNK].map(({ rows }) => rows.map(([name, width]) => name + width));
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  return [
    ["maxbytes", String(shape.maxbytes)],
    ["slab_config", String(shape.factor)],
    ["chunk_size", String(shape.chunkSize)],
    ["item_size_max", String(shape.itemSizeMax)],
    ["slab_chunk_size_max", String(shape.slabChunkMax)],
    ["slab_page_size", String(PAGE_BYTES)],
    ["use_cas", String(shape.useCas)],
    ["slab_sizes", chunkBytes.subarray(1, last + 1).join("-")],
    ["records", createHash("sha256").update(records.join()).digest("hex")],
    ["byte_order", isLittle ? "little" : "big"],
  ];
}

/** Bytes of the metadata file. */
export function encodeMeta(
  meta: RestartMeta,
  layout: readonly LayoutRow[],
): Uint8Array<ArrayBuffer> {
  const { id, startUnix, saved, sums } = meta;
  const lines: readonly LayoutRow[] = [
    [NAME, String(FORM)],
    ["server", `memden ${MEMDEN_VERSION}`],
    ...layout,
    ["id", id],
    ["start_unix", String(startUnix)],
    ["now", String(saved.now)],
    ["cas", saved.cas.join(" ")],
    ["flush", saved.flush.join(" ")],
    ["buckets", String(saved.buckets)],
    ["owners", saved.owners.join(" ")],
    ["lists", saved.lists.join(" ")],
    ["sums", sums.join(" ")],
  ];
  const text = lines.map(([name, value]) => `${name} ${value}\n`).join("");
  return new TextEncoder().encode(`${text}sha256 ${digestOf(text)}\n`);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

/**
 * Reads the metadata file.
 *
 * @param layout {@linkcode layoutRows} of this server.
 * @returns What is in it; or why it cannot be used, as part of a sentence.
 */
export function decodeMeta(bytes: Uint8Array, layout: readonly LayoutRow[]): RestartMeta | string {
  const text = latin1(bytes);
  const [, form] = /^memden restart (\d{1,9})\n/.exec(text) ?? [];
  if (form === undefined) return "the metadata is not memden's";
  if (form !== String(FORM)) return `the metadata has form ${form}, this server reads ${FORM}`;
  const end = text.lastIndexOf("sha256 ");
  if (text.slice(end) !== `sha256 ${digestOf(text.slice(0, end))}\n`) {
    return "the metadata is damaged: its checksum is wrong";
  }
  const lines = new Map<string, string>();
  for (const line of text.slice(0, end).split("\n")) {
    const [, name = "", value = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
    lines.set(name, value);
  }
  for (const [name, value] of layout) {
    const was = lines.get(name) ?? "missing";
    if (was !== value) return `${name} ${difference(was, value)}`;
  }
  return metaOf(lines) ?? "the metadata is incomplete";
}

function difference(was: string, is: string): string {
  return Math.max(was.length, is.length) > SHOWN_MAX ? "differs" : `was ${was}, is ${is}`;
}

/** The values of the lines; undefined when one is missing or impossible. */
function metaOf(lines: ReadonlyMap<string, string>): RestartMeta | undefined {
  const read = (name: string, max: number) => wholeNumbers(lines.get(name), max);
  const id = lines.get("id") ?? "";
  const [startUnix] = read("start_unix", Number.MAX_SAFE_INTEGER) ?? [];
  const [now] = read("now", CLOCK_MAX) ?? [];
  const [low, epoch, ...more] = read("cas", U32_MAX) ?? [];
  const flush = read("flush", U32_MAX) ?? [];
  const [buckets = 0] = read("buckets", U32_MAX) ?? []; // Older metadata has none.
  const owners = read("owners", CLASSES_MAX - 1) ?? [];
  const lists = read("lists", U32_MAX) ?? [];
  const sums = read("sums", U32_MAX) ?? [];
  if (!/^[0-9a-f]{32}$/.test(id) || startUnix === undefined || now === undefined) return undefined;
  if (low === undefined || epoch === undefined || more.length > 0) return undefined;
  const [, generation = 0] = flush;
  if (flush.length !== FLUSH_NUMBERS || generation > U16_MAX) return undefined;
  if (lists.length !== LRUS_MAX * LIST_WORDS) return undefined;
  if (owners.length === 0 || owners.length !== sums.length) return undefined;
  return {
    id,
    startUnix,
    saved: {
      now,
      cas: [low, epoch],
      flush,
      buckets,
      owners: Uint8Array.from(owners),
      lists: Uint32Array.from(lists),
    },
    sums: Uint32Array.from(sums),
  };
}

/** The whole numbers of a line, 0 to `max`; undefined when it is missing or one is none. */
function wholeNumbers(text: string | undefined, max: number): number[] | undefined {
  if (text === undefined || !/^\d+( \d+)*$/.test(text)) return undefined;
  const numbers = text.split(" ").map(Number);
  return numbers.every((number) => number <= max) ? numbers : undefined;
}
