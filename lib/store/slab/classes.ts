// Slab classes: the chunk sizes, and which class fits an item.
//
// Source: memcached slabs.c, slabs_init: start at header plus -n, multiply by -f, align to 8. A
// size that leaves a page's end unused is raised here, and the steps between small sizes are halved
// by classes in between; but not where the limit has fewer pages than there are classes: each class
// takes one at least, and all of them together would take more than memcached's do.

import { UNIT_BYTES } from "../../memory/arena.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { ITEM } from "../item/item.ts";

declare const brand: unique symbol;
/** A slab class, 1..63; {@linkcode NO_CLASS} when nothing fits. */
export type SlabClass = number & { readonly [brand]: "SlabClass" };

/** No class is large enough. */
export const NO_CLASS = 0 as SlabClass;

/** Bytes of a slab page. Source: memcached settings.slab_page_size. */
export const PAGE_BYTES = 2 ** 20;

/** Sizes there can be: one for each class but class 0. Source: memcached slabs.h. */
const SIZES_MAX = CLASSES_MAX - 1;

/**
 * Bytes of memcached's item header. Classes hold at least what memcached's hold, in chunks that are
 * smaller by what our header is smaller: whatever fits a class there fits the same one here.
 */
const MEMCACHED_HEADER_BYTES = 48;

/** Up to this many bytes a class in between halves what a chunk wastes. */
const DENSE_BYTES_MAX = 1536;

/** What the sizes are made from. */
export interface SlabShape {
  /** `-f`, above 1. */
  readonly factor: number;
  /** `-n`: smallest room for key, flags and value, in bytes. */
  readonly chunkSize: number;
  /** Largest chunk, in bytes: at most a page. A larger item is in several. */
  readonly slabChunkMax: number;
  /** `-o slab_sizes`: chunk sizes from the smallest on, in bytes; empty for the factor. */
  readonly slabSizes: readonly number[];
  /** `-m` in bytes. */
  readonly maxbytes: number;
}

/** Sizes up to this many bytes find their class by one look into a table. */
const TABLE_BYTES_MAX = 8192;

/** The classes of one server. */
export class SlabClasses {
  /** Bytes of a chunk, by class; 0 where there is no class. */
  readonly chunkBytes: Uint32Array;
  /** Chunks in a page, by class. */
  readonly perPage: Uint32Array;
  /** Highest class. */
  readonly last: SlabClass;
  /** By class: 1 for one in between, which memcached does not have. */
  readonly #isBetween: Uint8Array;
  /** Class by size in units, rounded up. */
  readonly #table = new Uint8Array(TABLE_BYTES_MAX / UNIT_BYTES + 1);

  constructor(shape: SlabShape) {
    const { sizes, between } = chunkSizes(shape);
    this.#isBetween = new Uint8Array(CLASSES_MAX);
    this.chunkBytes = new Uint32Array(CLASSES_MAX);
    this.perPage = new Uint32Array(CLASSES_MAX);
    sizes.forEach((bytes, index) => {
      this.chunkBytes[index + 1] = bytes;
      this.perPage[index + 1] = Math.floor(PAGE_BYTES / bytes);
      this.#isBetween[index + 1] = between.has(bytes) ? 1 : 0;
    });
    this.last = sizes.length as SlabClass;
    for (let units = 0; units < this.#table.length; units++) {
      this.#table[units] = this.#search(units * UNIT_BYTES);
    }
  }

  /**
   * The smallest class whose chunks hold `bytes`, or {@linkcode NO_CLASS}.
   * @hot
   */
  fit(bytes: number): SlabClass {
    if (bytes <= TABLE_BYTES_MAX) return this.#table[(bytes + UNIT_BYTES - 1) >>> 3] as SlabClass;
    return this.#search(bytes);
  }

  /**
   * Whether `clsid` only halves a step: its items fit the next class, which memcached has, too.
   * @hot
   */
  isBetween(clsid: SlabClass): boolean {
    return this.#isBetween[clsid] === 1;
  }

  #search(bytes: number): SlabClass {
    for (let clsid = 1; clsid <= this.last; clsid++) {
      if (this.chunkBytes[clsid]! >= bytes) return clsid as SlabClass;
    }
    return NO_CLASS;
  }
}

/** Chunk sizes from the smallest class to the largest, in bytes; those in between once more. */
interface ChunkSizes {
  readonly sizes: readonly number[];
  readonly between: ReadonlySet<number>;
}

function chunkSizes(shape: SlabShape): ChunkSizes {
  const { slabSizes, slabChunkMax, maxbytes } = shape;
  const steps = slabSizes.length > 0 ? slabSizes.map(align) : factorSizes(shape);
  const between = slabSizes.length > 0
    ? []
    : sizesBetween(steps).filter((size) => size < slabChunkMax);
  const ordered = (sizes: readonly number[]): number[] => {
    const chunks = sizes.filter((size) => size < slabChunkMax);
    return [...new Set(chunks)].sort((a, b) => a - b).concat(slabChunkMax);
  };
  const fills = steps.map((step) => slabSizes.length > 0 ? step : filling(step));
  const all = ordered([...fills, ...between]);
  const hasPages = all.length <= maxbytes / PAGE_BYTES;
  return {
    sizes: hasPages ? all : ordered(fills),
    between: new Set(between.filter((size) => hasPages && !fills.includes(size))),
  };
}

/** Sizes that grow by the factor. */
function factorSizes({ factor, chunkSize, slabChunkMax }: SlabShape): number[] {
  const saved = MEMCACHED_HEADER_BYTES - ITEM.bytes;
  const steps: number[] = [];
  let size = chunkSize + MEMCACHED_HEADER_BYTES;
  while (steps.length < SIZES_MAX - 1 && size <= slabChunkMax / factor) {
    size = align(size);
    if (size - saved !== steps.at(-1)) steps.push(size - saved);
    size = Math.max(size * factor, size + 1);
  }
  return steps;
}

/** A size between each two small steps, as far as there are class numbers. */
function sizesBetween(steps: readonly number[]): number[] {
  const small = steps.filter((step, index) => index > 0 && step <= DENSE_BYTES_MAX);
  return small.slice(0, SIZES_MAX - 1 - steps.length)
    .map((step, index) => align((steps[index]! + step) / 2));
}

/** The largest size of which as many fit a page as of `bytes`. */
function filling(bytes: number): number {
  const even = PAGE_BYTES / Math.floor(PAGE_BYTES / bytes);
  return Math.floor(even / UNIT_BYTES) * UNIT_BYTES;
}

function align(bytes: number): number {
  return Math.ceil(Math.floor(bytes) / UNIT_BYTES) * UNIT_BYTES;
}
