// What the keyboard sends, as the keys that mean something.

/** A key: its character, or `quit` for q, Q, Ctrl-C and Ctrl-D. */
export type Key = "quit" | "pause" | "reset" | "sort" | "help" | "other";

const KEYS: ReadonlyMap<string, Key> = new Map([
  ["q", "quit"],
  ["\x03", "quit"],
  ["\x04", "quit"],
  ["p", "pause"],
  [" ", "pause"],
  ["r", "reset"],
  ["s", "sort"],
  ["?", "help"],
  ["h", "help"],
]);

/** Sequences of arrow and function keys, and a key with Alt. Source: ECMA-48, xterm's ctlseqs. */
// deno-lint-ignore no-control-regex -- The escape character is what it looks for.
const SEQUENCES = /\x1b(?:\[[0-9;?<]*[ -/]*[@-~]|O.|.)?/gs;

/** The keys in what was read at once; one that no key has is `other`. */
export function keysOf(text: string): Key[] {
  const plain = text.replace(SEQUENCES, "\x1b");
  return Array.from(plain, (char) => KEYS.get(char.toLowerCase()) ?? "other");
}
