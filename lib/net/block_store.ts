// Memory for bytes that wait, which goes back to the system when they have gone.
//
//   region   [ block | block | … ]     1 MiB, a resizable ArrayBuffer: mapped memory of its own
//
// Ordinary buffers would do as well, were they given back: V8 lets tens of megabytes of garbage
// wait in each thread before it collects, and the allocator keeps what is freed. Shrinking a
// resizable buffer unmaps its pages at once. Blocks are taken from the lowest region that has one,
// so that the others come free; the lowest free region is kept, for a single request must not map
// and unmap it.

import { assert } from "../base/assert.ts";

/** Bytes of a block. */
export const STORE_BLOCK_BYTES: number = 64 * 1024;
const REGION_BLOCKS = 16;
const REGION_BYTES = REGION_BLOCKS * STORE_BLOCK_BYTES;

/** A block that somebody has. */
export interface StoredBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly region: Region;
}

interface Region {
  readonly index: number;
  readonly memory: ArrayBuffer;
  readonly free: StoredBlock[];
}

/** The waiting bytes of one thread. */
export class BlockStore {
  readonly #regions: Region[] = [];
  /** Regions below it have no free block. */
  #lowest = 0;
  /** The one free region that keeps its memory: the one that is taken from next. */
  #spare: Region | undefined;

  /** Bytes of memory that the store has. */
  get heldBytes(): number {
    return this.#regions.reduce((sum, { memory }) => sum + memory.byteLength, 0);
  }

  /** A block, with anything in it. */
  take(): StoredBlock {
    while (this.#regions[this.#lowest]?.free.length === 0) this.#lowest++;
    const region = this.#regions[this.#lowest] ?? this.#addRegion();
    if (region === this.#spare) this.#spare = undefined;
    if (region.memory.byteLength === 0) region.memory.resize(REGION_BYTES);
    const block = region.free.pop();
    assert(block !== undefined, "Region without the free block it should have");
    return block;
  }

  #addRegion(): Region {
    const memory = new ArrayBuffer(REGION_BYTES, { maxByteLength: REGION_BYTES });
    const free: StoredBlock[] = [];
    const region: Region = { index: this.#regions.length, memory, free };
    for (let at = REGION_BYTES - STORE_BLOCK_BYTES; at >= 0; at -= STORE_BLOCK_BYTES) {
      free.push({ bytes: new Uint8Array(memory, at, STORE_BLOCK_BYTES), region });
    }
    this.#regions.push(region);
    return region;
  }

  /** Gives a block back, which nobody reads or writes any more. */
  give(block: StoredBlock): void {
    const { region } = block;
    region.free.push(block);
    assert(region.free.length <= REGION_BLOCKS, "Block given back twice");
    if (region.index < this.#lowest) this.#lowest = region.index;
    if (region.free.length < REGION_BLOCKS) return;
    const spare = this.#spare;
    if (spare === undefined || region.index < spare.index) {
      this.#spare = region;
      spare?.memory.resize(0);
    } else region.memory.resize(0);
  }
}

/** Gives the memory of a buffer back at once, and not when V8 collects it. */
export function freeBuffer(buffer: ArrayBuffer): void {
  buffer.transferToFixedLength(0);
}

/** A buffer whose memory goes back to the system with {@linkcode freeBuffer}. */
export function mappedBuffer(bytes: number): ArrayBuffer {
  return new ArrayBuffer(bytes, { maxByteLength: bytes });
}
