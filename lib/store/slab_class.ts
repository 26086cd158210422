// Slab classes: the chunk sizes, and which class fits an item.
//
// Source: memcached slabs.c, slabs_init: start at header plus -n, multiply by -f, align to 8.

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

/** Largest chunk of the classes that grow by the factor, in bytes. */
const FACTOR_CHUNK_MAX = 2 ** 19;

/** What the sizes are made from. */
export interface SlabShape {
  /** `-f`, above 1. */
  readonly factor: number;
  /** `-n`: smallest room for key, flags and value, in bytes. */
  readonly chunkSize: number;
  /** Largest chunk, in bytes: at most a page. */
  readonly slabChunkMax: number;
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
function chunkSizes({ factor, chunkSize, slabChunkMax }: SlabShape): number[] {
  const sizes: number[] = [];
  const steepest = Math.min(slabChunkMax, FACTOR_CHUNK_MAX);
  let size = chunkSize + ITEM.bytes;
  while (sizes.length < CLASSES_MAX - 3 && size <= steepest / factor) {
    size = align(size);
    if (size !== sizes.at(-1)) sizes.push(size);
    size = Math.max(size * factor, size + 1);
  }
  if (steepest > (sizes.at(-1) ?? 0)) sizes.push(steepest);
  if (slabChunkMax > steepest) sizes.push(slabChunkMax);
  return sizes;
}

function align(bytes: number): number {
  return Math.ceil(Math.floor(bytes) / UNIT_BYTES) * UNIT_BYTES;
}
