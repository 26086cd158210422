// Ways to copy a short range of bytes: the numbers behind lib/base/copy.ts.

import { Block } from "../../../lib/base/block.ts";
import { copyBytes, equalBytes } from "../../../lib/base/copy.ts";

const from = new Block(new ArrayBuffer(1 << 20));
const to = new Block(new ArrayBuffer(1 << 20));

for (const count of [16, 100, 256, 1024, 16384]) {
  const group = `copy ${count} bytes`;
  Deno.bench(`byte loop ${count}`, { group }, () => {
    for (let at = 0; at < count; at++) to.bytes[5 + at] = from.bytes[3 + at]!;
  });
  Deno.bench(`copyBytes ${count}`, { group, baseline: true }, () => {
    copyBytes(from, 3, to, 5, count);
  });
  Deno.bench(`set(subarray) ${count}`, { group }, () => {
    to.bytes.set(from.bytes.subarray(3, 3 + count), 5);
  });
}

Deno.bench("equalBytes 16", () => {
  equalBytes(from, 0, to, 40_000, 16);
});
