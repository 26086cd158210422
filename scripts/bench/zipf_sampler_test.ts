import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { VALUE_SIZES, valueBytesOf, ZipfSampler } from "./zipf_sampler.ts";

Deno.test("ZipfSampler gives the key of rank k a share of 1 / k^skew", () => {
  const draws = 200_000;
  const keys = 100;
  const skew = 0.99;
  const sampler = new ZipfSampler(keys, skew, 7);
  const counts = new Array<number>(keys).fill(0);
  for (let draw = 0; draw < draws; draw++) counts[sampler.next()]!++;
  let sum = 0;
  for (let rank = 1; rank <= keys; rank++) sum += rank ** -skew;
  for (const rank of [1, 2, 10, 100]) {
    const expected = rank ** -skew / sum;
    const deviation = Math.sqrt(expected / draws);
    assertAlmostEquals(counts[rank - 1]! / draws, expected, 5 * deviation);
  }
});

Deno.test("ZipfSampler follows from its seed", () => {
  const draw = (seed: number): number[] => {
    const sampler = new ZipfSampler(1000, 0.99, seed);
    return Array.from({ length: 20 }, () => sampler.next());
  };
  assertEquals(draw(1), draw(1));
  assert(draw(1).join() !== draw(2).join());
});

Deno.test("ZipfSampler without skew wants all keys alike", () => {
  const sampler = new ZipfSampler(4, 0, 1);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 40_000; draw++) counts[sampler.next()]!++;
  for (const count of counts) assertAlmostEquals(count, 10_000, 500);
});

Deno.test("valueBytesOf() uses every size about equally often, whatever the rank", () => {
  for (const from of [0, 50_000]) {
    const counts = new Map<number, number>();
    for (let key = from; key < from + 8000; key++) {
      counts.set(valueBytesOf(key), (counts.get(valueBytesOf(key)) ?? 0) + 1);
    }
    assertEquals([...counts.keys()].sort((a, b) => a - b), [...VALUE_SIZES]);
    for (const count of counts.values()) assertAlmostEquals(count, 1000, 150);
  }
});
