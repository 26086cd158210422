// Values that tell whether they are whole: one or more records, each with the key it was stored
// under and a checksum. Bytes of another item, or of two writers at once, do not pass.
//
//   <key:length:checksum:filling>

import type { Prng } from "../../lib/base/prng.ts";

const FORM = /<([^:<>]+):(\d+):([0-9a-f]+):/y;

/** A record for `key` with `length` characters of filling. */
export function makeRecord(prng: Prng, key: string, length: number): string {
  const letter = String.fromCharCode(97 + prng.below(26));
  const filling = `${prng.next().toString(36)}${letter.repeat(length)}`.slice(0, length);
  return `<${key}:${length}:${checksum(key, filling)}:${filling}>`;
}

/**
 * Says what is wrong with a value found under `key`.
 *
 * @returns undefined when it is made of whole records of that key.
 */
export function flawOf(key: string, value: string): string | undefined {
  if (value === "") return `${key}: empty value`;
  for (let at = 0; at < value.length;) {
    FORM.lastIndex = at;
    const match = FORM.exec(value);
    if (match === null) return `${key}: no record at ${at} of ${show(value)}`;
    const [head, owner, digits, sum] = match as unknown as [string, string, string, string];
    const from = at + head.length;
    const to = from + Number(digits);
    const filling = value.slice(from, to);
    if (owner !== key) return `${key}: holds a record of ${owner}`;
    if (checksum(key, filling) !== sum) return `${key}: torn record at ${at} of ${show(value)}`;
    if (value[to] !== ">") return `${key}: record at ${at} does not end in ${show(value)}`;
    at = to + 1;
  }
  return undefined;
}

/** FNV-1a over key and filling. */
function checksum(key: string, filling: string): string {
  let sum = 0x811c9dc5;
  for (const text of [key, filling]) {
    for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  }
  return (sum >>> 0).toString(16);
}

function show(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
}
