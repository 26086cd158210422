// The store's steps: hash, lock, find, allocate, replace.

import { assert } from "../../../lib/base/assert.ts";
import { ascii } from "../../../lib/base/ascii.ts";
import { Block } from "../../../lib/base/block.ts";
import { U64 } from "../../../lib/base/u64.ts";
import { allocate } from "../../../lib/store/room/allocate.ts";
import type { ItemRef } from "../../../lib/store/item/item.ts";
import { takeCas } from "../../../lib/store/item/cas.ts";
import { storeLocked } from "../../../lib/store/update/storing.ts";
import { isRefused, StoreMode } from "../../../lib/store/outcome.ts";
import { makeStore } from "../../../lib/store/store_fixture.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  releaseItem,
  unlockShard,
} from "../../../lib/store/link.ts";

const store = makeStore({ maxbytes: 64 * 2 ** 20 });
const cas = new U64();
const VALUE = "x".repeat(100);
const KEYS = Array.from({ length: 10_000 }, (_, i) => Block.of(ascii(`bench-key-${i}`)));

function make(key: Block): ItemRef {
  const it = allocate(store, key, 0, key.bytes.length, 0, 0, VALUE.length + 2);
  assert(!isRefused(it), "There is memory");
  return it;
}

function put(key: Block): void {
  const length = key.bytes.length;
  const it = make(key);
  const hv = hashKey(store, key, 0, length);
  lockShard(store, hv);
  storeLocked(store, hv, it, StoreMode.SET, cas);
  unlockShard(store, hv);
}
for (const key of KEYS) put(key);

let turn = 0;
const nextKey = (): Block => KEYS[turn++ % KEYS.length]!;

for (const length of [10, 16, 32, 250]) {
  const block = Block.of(new Uint8Array(length).fill(0x61));
  Deno.bench(`hash of ${length} bytes`, { group: "hash" }, () => {
    hashKey(store, block, 0, length);
  });
}

Deno.bench("lock and unlock", () => {
  lockShard(store, turn++ & 0xffff);
  unlockShard(store, (turn - 1) & 0xffff);
});

Deno.bench("take a cas", () => takeCas(store.control, cas));

Deno.bench("find an item", () => {
  const key = nextKey();
  const hv = hashKey(store, key, 0, key.bytes.length);
  lockShard(store, hv);
  findLocked(store, hv, key, 0, key.bytes.length);
  unlockShard(store, hv);
});

Deno.bench("allocate and release", () => {
  releaseItem(store, make(KEYS[0]!));
});

Deno.bench("replace a value of 100 bytes", () => put(nextKey()));
