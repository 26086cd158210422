// Changes that nobody can see: they cost time or memory only, or two ways lead to the same. Each
// with the reason; mutate.ts does not make them. A row whose line is gone is a finding.

/** Changes to one line that cannot be seen. */
export interface Equivalent {
  readonly path: string;
  /** The line as it is, without the blanks around it. */
  readonly before: string;
  /** As it is changed; empty for a statement that is left out. */
  readonly after: string;
  readonly why: string;
}

/** All of them, in order of path and line. */
export const EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "lib/net/block_store.ts",
    before: "if (region.memory.byteLength === 0) region.memory.resize(REGION_BYTES);",
    after: "if (true) region.memory.resize(REGION_BYTES);",
    why: "A buffer of that size stays as it is.",
  },
  {
    path: "lib/net/block_store.ts",
    before: "if (region.index < this.#lowest) this.#lowest = region.index;",
    after: "if (region.index <= this.#lowest) this.#lowest = region.index;",
    why: "Where both are equal, nothing is changed.",
  },
  {
    path: "lib/net/block_store.ts",
    before: "if (spare === undefined || region.index < spare.index) {",
    after: "if (spare === undefined || region.index <= spare.index) {",
    why: "The spare region is free, so no block of it can be given.",
  },
  {
    path: "lib/net/buffer_pool.ts",
    before: "if (spare === this.#counted) return;",
    after: "if (false) return;",
    why: "Adds 0.",
  },
  {
    path: "lib/net/chunk_transport.ts",
    before: "for (let ref = replies.refNext; ref < replies.refCount && used < length; ref++) {",
    after: "for (let ref = replies.refNext; ref < replies.refCount && used <= length; ref++) {",
    why: "When all is used, nothing more is copied.",
  },
  {
    path: "lib/protocol/binary/binary_request.ts",
    before: "if (this.extrasBytes > 31 || ((opcode.extrasBits >> this.extrasBytes) & 1) === 0) {",
    after: "if (this.extrasBytes >= 31 || ((opcode.extrasBits >> this.extrasBytes) & 1) === 0) {",
    why: "no command has 31 bytes of extras",
  },
  {
    path: "lib/protocol/meta/meta_request.ts",
    before: "readonly #decoded = new Block(new ArrayBuffer(KEY_MAX + 8));",
    after: "readonly #decoded = new Block(new ArrayBuffer(KEY_MAX - 8));",
    why: "250 characters of Base64 are 187 bytes",
  },
  {
    path: "lib/protocol/meta/meta_request.ts",
    before: "if (letter >= 0x60) this.#lower |= 1 << (letter & LETTER_BITS);",
    after: "if (letter > 0x60) this.#lower |= 1 << (letter & LETTER_BITS);",
    why: "the backquote, 0x60, is refused as no letter before",
  },
  ...[
    "if (false) return false;",
    "if (from === to || (first >= UPPER_Z && first !== LOWER_K)) return false;",
    "if (from === to && (first > UPPER_Z && first !== LOWER_K)) return false;",
  ].map((after) => ({
    path: "lib/protocol/text/reply_line.ts",
    before: "if (from === to || (first > UPPER_Z && first !== LOWER_K)) return false;",
    after,
    why:
      "only saves the look at the word: none is empty, begins with Z or with another small letter",
  })),
  {
    path: "lib/protocol/text/reply_line.ts",
    before: "const word = end < 0 ? start : start.slice(0, end);",
    after: "const word = end <= 0 ? start : start.slice(0, end);",
    why: "neither the empty word nor one that begins with a blank is a reply's",
  },
];
