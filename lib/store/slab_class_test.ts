// Goal: the chunk sizes are memcached's for our header, and every size finds the smallest class.

import { assert, assertEquals } from "@std/assert";
import { ITEM } from "./item.ts";
import { NO_CLASS, PAGE_BYTES, type SlabClass, SlabClasses, type SlabShape } from "./slab_class.ts";

const DEFAULT: SlabShape = { factor: 1.25, chunkSize: 48, slabChunkMax: 2 ** 19 };

/** The classes' chunk sizes, smallest first. */
function sizesOf(shape: SlabShape): number[] {
  const classes = new SlabClasses(shape);
  return [...classes.chunkBytes.subarray(1, classes.last + 1)];
}

/** Source: memcached slabs.c, slabs_init, as it stands there; the header is ours. */
function memcachedSizes({ factor, chunkSize, slabChunkMax }: SlabShape): number[] {
  const sizes: number[] = [];
  let size = ITEM.bytes + chunkSize;
  while (sizes.length < 62) {
    if (size >= slabChunkMax / factor) break;
    if (size % 8 !== 0) size += 8 - size % 8;
    sizes.push(size);
    size = Math.trunc(size * factor);
  }
  sizes.push(slabChunkMax);
  return sizes;
}

Deno.test("SlabClasses has memcached's default sizes, less 16 bytes of header at the start", () => {
  // deno-fmt-ignore
  assertEquals(sizesOf(DEFAULT), [
    80, 104, 136, 176, 224, 280, 352, 440, 552, 696, 872, 1096, 1376, 1720, 2152, 2696, 3376, 4224,
    5280, 6600, 8256, 10320, 12904, 16136, 20176, 25224, 31536, 39424, 49280, 61600, 77000, 96256,
    120320, 150400, 188000, 235000, 293752, 367192, 524288,
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
  Deno.test(`SlabClasses follows memcached for ${JSON.stringify(shape)}`, () => {
    const expected = memcachedSizes(shape);
    // With more sizes than classes, ours stops two earlier and so has room for the page.
    if (expected.length < 60) assertEquals(sizesOf(shape), expected);
  });
}

const ODD: readonly SlabShape[] = [
  ...SHAPES,
  { ...DEFAULT, slabChunkMax: PAGE_BYTES },
  { ...DEFAULT, factor: 1.0001 },
  { factor: 1.000_001, chunkSize: 524_200, slabChunkMax: 2 ** 19 },
  { factor: 1.01, chunkSize: 1, slabChunkMax: PAGE_BYTES },
  { factor: 2, chunkSize: 32, slabChunkMax: PAGE_BYTES },
  { factor: 10, chunkSize: 600_000, slabChunkMax: PAGE_BYTES },
  { factor: 1000, chunkSize: 1, slabChunkMax: 1024 },
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
