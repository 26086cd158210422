// The store's steps: hash, lock, find, allocate, replace.

import { ascii } from "../../../lib/base/ascii.ts";
import { Block } from "../../../lib/base/block.ts";
import { U64 } from "../../../lib/base/u64.ts";
import { allocate } from "../../../lib/store/room/allocate.ts";
import { takeCas } from "../../../lib/store/item/cas.ts";
import { storeLocked, StoreMode } from "../../../lib/store/update/storing.ts";
import { makeStore } from "../../../lib/store/store_fixture.ts";

const store = makeStore({ maxbytes: 64 * 2 ** 20 });
const cas = new U64();
const VALUE = "x".repeat(100);
const KEYS = Array.from({ length: 10_000 }, (_, i) => Block.of(ascii(`bench-key-${i}`)));

function put(key: Block): void {
  const length = key.bytes.length;
  const it = allocate(store, key, 0, length, 0, 0, VALUE.length + 2);
  const hv = store.hash(key, 0, length);
  store.lock(hv);
  storeLocked(store, hv, it, StoreMode.SET, cas);
  store.unlock(hv);
}
for (const key of KEYS) put(key);

let turn = 0;
const nextKey = (): Block => KEYS[turn++ % KEYS.length]!;

for (const length of [10, 16, 32, 250]) {
  const block = Block.of(new Uint8Array(length).fill(0x61));
  Deno.bench(`hash of ${length} bytes`, { group: "hash" }, () => {
    store.hash(block, 0, length);
  });
}

Deno.bench("lock and unlock", () => {
  store.lock(turn++ & 0xffff);
  store.unlock((turn - 1) & 0xffff);
});

Deno.bench("take a cas", () => takeCas(store.control, cas));

Deno.bench("find an item", () => {
  const key = nextKey();
  const hv = store.hash(key, 0, key.bytes.length);
  store.lock(hv);
  store.findLocked(hv, key, 0, key.bytes.length);
  store.unlock(hv);
});

Deno.bench("allocate and release", () => {
  store.release(allocate(store, KEYS[0]!, 0, KEYS[0]!.bytes.length, 0, 0, 102));
});

Deno.bench("replace a value of 100 bytes", () => put(nextKey()));
