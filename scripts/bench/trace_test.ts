import { assert, assertEquals } from "@std/assert";
import { distinctKeys, KeySizes, keysOf, readTrace } from "./trace.ts";

const TRACE = Uint8Array.of(0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0);

Deno.test("keysOf() reads little-endian numbers, as many as it may", () => {
  assertEquals([...keysOf(TRACE)], [0, 513, 0, 2]);
  assertEquals([...keysOf(TRACE, 3)], [0, 513, 0]);
  assertEquals([...keysOf(TRACE.subarray(0, 7), 9)], [0]);
  assertEquals(distinctKeys(keysOf(TRACE)), 514);
});

for (const suffix of [".u32le", ".u32le.gz"]) {
  Deno.test(`readTrace() reads ${suffix}`, async () => {
    const path = await Deno.makeTempFile({ suffix });
    const plain = new Blob([TRACE]).stream();
    const packed = suffix.endsWith(".gz")
      ? plain.pipeThrough(new CompressionStream("gzip"))
      : plain;
    await Deno.writeFile(path, packed);
    assertEquals([...await readTrace(path, 2)], [0, 513]);
    await Deno.remove(path);
  });
}

Deno.test("KeySizes have the mean that was asked for, and one size for each key", () => {
  const fixed = new KeySizes("fixed", 19_000);
  assertEquals([fixed.of(1), fixed.of(2), fixed.largest], [19_000, 19_000, 19_000]);
  const mixed = new KeySizes("mixed", 10_000);
  const sizes = Array.from({ length: 20_000 }, (_, key) => mixed.of(key));
  const mean = sizes.reduce((sum, size) => sum + size) / sizes.length;
  assert(Math.abs(mean - 10_000) < 300, `mean ${mean}`);
  assertEquals(mixed.of(7), mixed.of(7));
  assert(sizes.every((size) => size <= mixed.largest && size > 0));
});
