// Strings for C functions.

/** Most bytes of a path. Source: linux/limits.h, PATH_MAX. */
const PATH_BYTES_MAX = 4096;

const encoder = new TextEncoder();

/** The bytes of `text`, and zeros behind them. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  // Not a small array, which V8 may move.
  const bytes = new Uint8Array(Math.max(text.length * 3 + 1, PATH_BYTES_MAX));
  encoder.encodeInto(text, bytes);
  return bytes;
}
