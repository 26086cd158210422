// The chunks that an allocation lacked under the lock of a shard. The allocation returns
// Refusal.NO_MEMORY; makeRoomUnlocked (room/allocate.ts) releases the shard, and reads here how
// many chunks of which class the command needs.

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
