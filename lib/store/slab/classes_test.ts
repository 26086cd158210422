// Goal: chunk sizes waste no more than memcached's, and every size finds the smallest class.

import { assert, assertEquals } from "@std/assert";
import { ITEM } from "../item/item.ts";
import { NO_CLASS, PAGE_BYTES, type SlabClass, SlabClasses, type SlabShape } from "./classes.ts";

const DEFAULT: SlabShape = {
  factor: 1.25,
  chunkSize: 48,
  slabChunkMax: 2 ** 19,
  slabSizes: [],
  maxbytes: 64 * PAGE_BYTES,
};

/** The classes' chunk sizes, smallest first. */
function sizesOf(shape: SlabShape): number[] {
  const classes = new SlabClasses(shape);
  return [...classes.chunkBytes.subarray(1, classes.last + 1)];
}

/** Source: memcached slabs.c, slabs_init; its header has 48 bytes. */
function memcachedSizes({ factor, chunkSize, slabChunkMax }: SlabShape): number[] {
  const sizes: number[] = [];
  let size = 48 + chunkSize;
  while (sizes.length < 62) {
    if (size >= slabChunkMax / factor) break;
    if (size % 8 !== 0) size += 8 - size % 8;
    sizes.push(size);
    size = Math.trunc(size * factor);
  }
  sizes.push(slabChunkMax);
  return sizes;
}

Deno.test("SlabClasses has memcached's sizes less 16 bytes of header, and some in between", () => {
  // deno-fmt-ignore
  assertEquals(sizesOf(DEFAULT), [
    80, 96, 104, 120, 136, 160, 176, 200, 224, 256, 288, 328, 368, 416, 464, 528, 584, 664, 736,
    832, 928, 1048, 1168, 1320, 1464, 1840, 2304, 2888, 3624, 4536, 5664, 7128, 8880, 11152, 13976,
    17472, 21840, 27592, 34952, 43688, 55184, 69904, 87376, 104856, 131072, 174760, 209712, 262144,
    349520, 524288,
  ]);
});

const SHAPES: readonly SlabShape[] = [
  DEFAULT,
  { ...DEFAULT, factor: 2 },
  { ...DEFAULT, factor: 1.08 },
  { ...DEFAULT, factor: 1.5, chunkSize: 200 },
  { ...DEFAULT, factor: 3, chunkSize: 1 },
  { ...DEFAULT, chunkSize: 1000, slabChunkMax: 2 ** 15 },
  { ...DEFAULT, chunkSize: 48, slabChunkMax: 1024 },
];

for (const shape of SHAPES) {
  Deno.test(`SlabClasses wastes no more than memcached for ${JSON.stringify(shape)}`, () => {
    // An item of any size takes a chunk of which at least as many fit a page.
    const theirs = memcachedSizes(shape);
    const ours = new SlabClasses(shape);
    const saved = 48 - ITEM.bytes;
    for (let bytes = 60; bytes <= shape.slabChunkMax; bytes += bytes < 5000 ? 1 : 97) {
      const their = Math.floor(PAGE_BYTES / (theirs.find((size) => size >= bytes) ?? NaN));
      const our = ours.perPage[ours.fit(bytes - saved)]!;
      assert(our >= their, `${bytes} bytes: ${our} in a page, in memcached ${their}`);
    }
  });
}

Deno.test("a cache of fewer pages than classes has as many classes as memcached", () => {
  for (const shape of SHAPES) {
    const theirs = memcachedSizes(shape).length;
    const small = sizesOf({ ...shape, maxbytes: 2 * PAGE_BYTES });
    assert(small.length <= theirs + 1, `${small.length} classes, in memcached ${theirs}`);
    for (const mib of [2, 8, 32, 49, 50, 64, 1024]) {
      const { last } = new SlabClasses({ ...shape, maxbytes: mib * PAGE_BYTES });
      assert(last <= Math.max(mib, small.length), `${last} classes of ${mib} pages`);
    }
  }
  assertEquals(sizesOf({ ...DEFAULT, maxbytes: 49 * PAGE_BYTES }).length, 39 - 1);
  assertEquals(sizesOf({ ...DEFAULT, maxbytes: 50 * PAGE_BYTES }).length, 50);
});

Deno.test("isBetween() is true for the classes that memcached does not have", () => {
  const dense = new SlabClasses(DEFAULT);
  const sparse = sizesOf({ ...DEFAULT, maxbytes: 2 * PAGE_BYTES });
  for (let clsid = 1; clsid <= dense.last; clsid++) {
    const isTheirs = sparse.includes(dense.chunkBytes[clsid]!);
    assertEquals(dense.isBetween(clsid as SlabClass), !isTheirs, `class ${clsid}`);
  }
});

Deno.test("SlabClasses takes the sizes of -o slab_sizes, and the largest chunk", () => {
  assertEquals(sizesOf({ ...DEFAULT, slabSizes: [100, 200, 4096] }), [104, 200, 4096, 2 ** 19]);
});

const ODD: readonly SlabShape[] = [
  ...SHAPES,
  { ...DEFAULT, slabChunkMax: PAGE_BYTES },
  { ...DEFAULT, factor: 1.0001 },
  { ...DEFAULT, factor: 1.000_001, chunkSize: 524_200, slabChunkMax: 2 ** 19 },
  { ...DEFAULT, factor: 1.01, chunkSize: 1, slabChunkMax: PAGE_BYTES },
  { ...DEFAULT, factor: 2, chunkSize: 32, slabChunkMax: PAGE_BYTES },
  { ...DEFAULT, factor: 10, chunkSize: 600_000, slabChunkMax: PAGE_BYTES },
  { ...DEFAULT, factor: 1000, chunkSize: 1, slabChunkMax: 1024 },
];

for (const shape of ODD) {
  Deno.test(`SlabClasses holds its rules for ${JSON.stringify(shape)}`, () => {
    const sizes = sizesOf(shape);
    const { perPage, last } = new SlabClasses(shape);
    assert(last <= 63, `${last} classes`);
    sizes.forEach((size, index) => {
      assertEquals(size % 8, 0, `class ${index + 1} is aligned`);
      assert(index === 0 || size > sizes[index - 1]!, `class ${index + 1} of ${sizes} is larger`);
      assertEquals(perPage[index + 1], Math.floor(PAGE_BYTES / size));
    });
    assertEquals(sizes.at(-1), shape.slabChunkMax);
  });

  Deno.test(`fit() is the smallest class that holds a size for ${JSON.stringify(shape)}`, () => {
    const classes = new SlabClasses(shape);
    for (let clsid = 1; clsid <= classes.last; clsid++) {
      const size = classes.chunkBytes[clsid]!;
      const next = clsid < classes.last ? clsid + 1 : NO_CLASS;
      for (let less = 0; less < 8; less++) {
        if (size - less <= classes.chunkBytes[clsid - 1]!) break;
        assertEquals(classes.fit(size - less), clsid as SlabClass, `${size - less} bytes`);
      }
      for (let more = 1; more < 8; more++) {
        assertEquals(classes.fit(size + more), next as SlabClass, `${size + more} bytes`);
      }
    }
    assertEquals(classes.fit(1), 1 as SlabClass);
    assertEquals(classes.fit(2 ** 31), NO_CLASS);
  });
}
