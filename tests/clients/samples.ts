// Values and keys that clients and servers have tripped over.

/** Every byte there is. */
export const ALL_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 256 }, (_, at) => at);

/** Text that looks like the protocol around it. */
export const TRICKY = "\r\nEND\r\nVALUE x 0 1\r\nSTORED\r\n\0\r\n";

/** Text of two, three and four bytes per letter. */
export const UNICODE = "ключ-日本語-🙂";

/** A large value that fits into an item. */
export const LARGE_BYTES = 500_000;

/** One byte for key and header more than fits into an item of 1 MiB. */
export const TOO_LARGE_BYTES = 1024 * 1024;

/**
 * After this many milliseconds an item of two seconds is gone. The server's clock goes by whole
 * seconds: such an item lives between one and two of them, and one of a single second may be gone
 * at once.
 */
export const TWO_SECONDS_GONE_MS = 2600;

/** `bytes` letters that are not all the same, so that a displaced part shows. */
export function largeText(bytes: number): string {
  const lines: string[] = [];
  for (let at = 0; at * 10 < bytes; at++) lines.push(String(at).padStart(9, "0") + "|");
  return lines.join("").slice(0, bytes);
}
