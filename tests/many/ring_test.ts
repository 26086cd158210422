import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  hashFnv1a64,
  hashMd5,
  hashOneAtATime,
  KETAMA,
  LIBMEMCACHED_PLAIN,
  nodeName,
  pointsPerNode,
  Ring,
} from "./ring.ts";

const NAMES = ["10.0.0.1", "10.0.0.2:11212", "10.0.0.3", "10.0.0.4"];

/** One hash for each of 10,000 places around the ring. */
const PLACES = Array.from({ length: 10_000 }, (_, at) => Math.floor(at / 10_000 * 2 ** 32));

Deno.test("hashes of known keys", () => {
  // MD5 of nothing is d41d8cd98f00b204…, the lowest byte first.
  assertEquals(hashMd5(""), 0xd98c1dd4);
  assertEquals(hashFnv1a64(""), 0x84222325);
  // 64-bit FNV-1a of "a" is af63dc4c8601ec8c.
  assertEquals(hashFnv1a64("a"), 0x8601ec8c);
  assertEquals(hashOneAtATime("a"), 0xca2e9442);
});

Deno.test("nodeName() leaves memcached's own port out", () => {
  assertEquals(nodeName("10.0.0.1", 11211), "10.0.0.1");
  assertEquals(nodeName("10.0.0.1", 11212), "10.0.0.1:11212");
});

Deno.test("pointsPerNode() loses four to single precision for some numbers", () => {
  // Computed by the same expression in C, with gcc on amd64.
  const lacking = Array.from({ length: 210 }, (_, at) => at + 1)
    .filter((live) => pointsPerNode(live) !== 160);
  const inC = [25, 47, 50, 55, 61, 71, 94, 100, 107, 109, 110, 115, 122, 142, 159, 163, 188, 193];
  assertEquals(lacking, [...inC, 200, 209]);
  assertEquals(pointsPerNode(100), 156);
});

Deno.test("Ring.shares() adds up to everything, and is what ownerAt() finds", () => {
  for (const rules of [KETAMA, LIBMEMCACHED_PLAIN]) {
    const ring = new Ring(NAMES, rules);
    const shares = ring.shares();
    assertAlmostEquals(shares.reduce((sum, share) => sum + share, 0), 1, 1e-9);
    NAMES.forEach((name, at) => {
      const found = PLACES.filter((hash) => ring.ownerAt(hash) === name).length;
      assertAlmostEquals(found / PLACES.length, shares[at]!, 0.01);
    });
  }
});

Deno.test("Ring.ownerAt() takes the point at a hash, and the first one behind the last", () => {
  const ring = new Ring(["a", "b"], {
    points: (name) => name === "a" ? [100, 300] : [200],
    hash: Number,
  });
  const owners = ["0", "100", "101", "200", "201", "300", "301"].map((key) => ring.ownerOf(key));
  assertEquals(owners.join(""), "aabbaaa");
  assertEquals(ring.size, 3);
});

Deno.test("Ring.compare() without a node finds only that node's keys elsewhere", () => {
  const ring = new Ring(NAMES, KETAMA);
  const without = new Ring(NAMES.slice(1), KETAMA);
  let [all, lost] = [0, 0];
  ring.compare(without, (share, before, after) => {
    all += share;
    if (before === after) return;
    assertEquals(before, NAMES[0]);
    lost += share;
  });
  assertAlmostEquals(all, 1, 1e-9);
  assertAlmostEquals(lost, ring.shares()[0]!, 1e-9);
});
