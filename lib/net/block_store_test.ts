// Which memory a BlockStore holds, and from where it takes.

import { assertEquals } from "@std/assert";
import { BlockStore, STORE_BLOCK_BYTES, type StoredBlock } from "./block_store.ts";

const REGION_BLOCKS = 16;
const REGION_BYTES = REGION_BLOCKS * STORE_BLOCK_BYTES;

/** A store of which all blocks of `count` regions are taken, by region. */
function takenRegions(count: number): { store: BlockStore; regions: StoredBlock[][] } {
  const store = new BlockStore();
  const regions = Array.from(
    { length: count },
    () => Array.from({ length: REGION_BLOCKS }, () => store.take()),
  );
  assertEquals(store.heldBytes, count * REGION_BYTES);
  return { store, regions };
}

function giveAll(store: BlockStore, blocks: readonly StoredBlock[] = []): void {
  for (const block of blocks) store.give(block);
}

Deno.test("BlockStore.take() takes from the lowest region that has a free block", () => {
  const { store, regions: [low = [], high = []] } = takenRegions(2);
  store.give(low[3]!);
  store.give(high[5]!);
  assertEquals(store.take().region.index, 0);
  assertEquals(store.take().region.index, 1);
  assertEquals(store.take().region.index, 2);
});

Deno.test("BlockStore.give() keeps the memory of the lowest free region alone", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
    const { store, regions } = takenRegions(3);
    for (const index of order) giveAll(store, regions[index]);
    assertEquals(store.heldBytes, REGION_BYTES, `${order}`);
    assertEquals(store.take().region.index, 0);
    assertEquals(store.heldBytes, REGION_BYTES, `${order}: it was kept`);
  }
});

Deno.test("BlockStore remembers its spare region while others are taken from", () => {
  const { store, regions: [low = [], high] } = takenRegions(2);
  giveAll(store, high);
  store.give(low[0]!);
  low[0] = store.take();
  assertEquals(low[0].region.index, 0);
  giveAll(store, low);
  assertEquals(store.heldBytes, REGION_BYTES);
});

Deno.test("BlockStore takes its spare region into use: it is not given back then", () => {
  const { store, regions: [low, high] } = takenRegions(2);
  giveAll(store, high);
  const block = store.take();
  block.bytes.fill(7);
  giveAll(store, low);
  assertEquals(block.bytes.length, STORE_BLOCK_BYTES);
  assertEquals(block.bytes.every((byte) => byte === 7), true);
  assertEquals(store.heldBytes, 2 * REGION_BYTES);
});
