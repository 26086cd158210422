// ASCII byte values that the protocols are made of, and byte-range comparisons.

export const LF = 0x0a;
export const CR = 0x0d;
/** What ends lines and values: CR and LF. */
export const CRLF_BYTES = 2;
export const SPACE = 0x20;
export const PLUS = 0x2b;
export const MINUS = 0x2d;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;

const ENCODER = new TextEncoder();

/** Bytes that become text in one call. */
const CALL_BYTES_MAX = 8192;

/** The bytes of an ASCII string. For constants and cold paths only. */
export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(text);
}

/** `bytes[from, to)` as text, one character per byte. For logs and cold paths only. */
export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ""; // Not by a TextDecoder: its latin1 is windows-1252, which differs from 80 to 9f.
  for (let at = from; at < to; at += CALL_BYTES_MAX) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + CALL_BYTES_MAX, to)));
  }
  return text;
}

/** The bytes of a text that {@linkcode latin1} has made. For cold paths only. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/**
 * Whether `bytes[from, to)` equals `word`.
 * @hot
 */
export function equalsWord(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  if (to - from !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
  return true;
}
