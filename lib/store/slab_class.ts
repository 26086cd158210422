// Slab classes: the chunk sizes, and which class fits an item.
//
// Source: memcached slabs.c, slabs_init: start at header plus -n, multiply by -f, align to 8. The
// steps between small sizes are halved here, and a size that leaves a page's end unused is raised.

import { UNIT_BYTES } from "../memory/arena.ts";
import { CLASSES_MAX } from "../stats/names.ts";
import { ITEM } from "./item.ts";

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
  /** Class by size in units, rounded up. */
  readonly #table = new Uint8Array(TABLE_BYTES_MAX / UNIT_BYTES + 1);

  constructor(shape: SlabShape) {
    const sizes = chunkSizes(shape);
    this.chunkBytes = new Uint32Array(CLASSES_MAX);
    this.perPage = new Uint32Array(CLASSES_MAX);
    sizes.forEach((bytes, index) => {
      this.chunkBytes[index + 1] = bytes;
      this.perPage[index + 1] = Math.floor(PAGE_BYTES / bytes);
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

  #search(bytes: number): SlabClass {
    for (let clsid = 1; clsid <= this.last; clsid++) {
      if (this.chunkBytes[clsid]! >= bytes) return clsid as SlabClass;
    }
    return NO_CLASS;
  }
}

/** Chunk sizes from the smallest class to the largest, in bytes. */
function chunkSizes(shape: SlabShape): number[] {
  const { slabSizes, slabChunkMax } = shape;
  const sizes = slabSizes.length > 0 ? slabSizes.map(align) : factorSizes(shape);
  return [...sizes.filter((size) => size < slabChunkMax), slabChunkMax];
}

/** Sizes that grow by the factor, small ones in half steps, each as large as a page allows. */
function factorSizes({ factor, chunkSize, slabChunkMax }: SlabShape): number[] {
  const saved = MEMCACHED_HEADER_BYTES - ITEM.bytes;
  const steps: number[] = [];
  let size = chunkSize + MEMCACHED_HEADER_BYTES;
  while (steps.length < SIZES_MAX - 1 && size <= slabChunkMax / factor) {
    size = align(size);
    if (size - saved !== steps.at(-1)) steps.push(size - saved);
    size = Math.max(size * factor, size + 1);
  }
  const sizes = new Set<number>();
  let left = SIZES_MAX - 1 - steps.length;
  steps.forEach((step, index) => {
    const before = steps[index - 1];
    if (before !== undefined && step <= DENSE_BYTES_MAX && left-- > 0) {
      sizes.add(align((before + step) / 2));
    }
    sizes.add(filling(step));
  });
  return [...sizes].sort((a, b) => a - b);
}

/** The largest size of which as many fit a page as of `bytes`. */
function filling(bytes: number): number {
  const even = PAGE_BYTES / Math.floor(PAGE_BYTES / bytes);
  return Math.floor(even / UNIT_BYTES) * UNIT_BYTES;
}

function align(bytes: number): number {
  return Math.ceil(Math.floor(bytes) / UNIT_BYTES) * UNIT_BYTES;
}
