// A run of bytes with the two views that the copy, compare and hash kernels want.

/** Bytes and a DataView of the same memory. */
export class Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  constructor(memory: ArrayBuffer, from = 0, length = memory.byteLength - from) {
    this.bytes = new Uint8Array(memory, from, length);
    this.view = new DataView(memory, from, length);
  }

  /** A new block of `length` zero bytes. For cold paths. */
  static ofLength(length: number): Block {
    return new Block(new ArrayBuffer(length));
  }

  /** A new block that holds the bytes of `bytes`. For tests and cold paths. */
  static of(bytes: Uint8Array): Block {
    const block = new Block(new ArrayBuffer(bytes.length));
    block.bytes.set(bytes);
    return block;
  }
}
