// What a command lacked that found no memory while it held a shard. It says so in its answer
// (Refusal.NO_MEMORY), gives the shard back, and makeRoomUnlocked (room/allocate.ts) reads here of
// which class it needs how many chunks.

import { NO_CLASS, type SlabClass } from "./slab/classes.ts";

/** Chunks that an allocation of this thread could not have: those of the last one refused. */
export class Lack {
  /** Class of the chunks; {@linkcode NO_CLASS} when no room can be made for the item. */
  clsid: SlabClass = NO_CLASS;
  /** Chunks of that class that the whole item needs. */
  chunks = 0;
  /** One chunk of this class would do, too; {@linkcode NO_CLASS} for none. */
  alternative: SlabClass = NO_CLASS;

  /** Notes a refused allocation. */
  set(clsid: SlabClass, chunks: number, alternative: SlabClass): void {
    this.clsid = clsid;
    this.chunks = chunks;
    this.alternative = alternative;
  }
}
