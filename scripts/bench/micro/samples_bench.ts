// What latencies and hot keys cost: the question that every key and every turn asks, and the look
// that is taken a thousand times a second. The numbers of docs/decisions/0020-samples.md.

import { ascii } from "../../../lib/base/ascii.ts";
import { Block } from "../../../lib/base/block.ts";
import { Prng } from "../../../lib/base/prng.ts";
import { Workload } from "../../../lib/stats/samples.ts";
import { makeStore } from "../../../lib/store/store_fixture.ts";
import { hashKey } from "../../../lib/store/link.ts";

const KEYS = Array.from({ length: 4096 }, (_, n) => Block.of(ascii(`user:session:${n}`)));
const prng = new Prng(1);
let next = 0;

for (const takesSamples of [false, true]) {
  const name = takesSamples ? "with --admin-keys" : "without";
  const store = makeStore({ takesSamples, notesKeys: takesSamples });
  const workload = new Workload(store.control, 1, () => 0);
  Deno.bench(`hash of a key, ${name}`, { group: "key", baseline: !takesSamples }, () => {
    const key = KEYS[next++ & 4095]!;
    hashKey(store, key, 0, key.bytes.length);
  });
  Deno.bench(`begin of a turn, ${name}`, { group: "turn", baseline: !takesSamples }, () => {
    workload.latency.beginTurn();
  });
  if (!takesSamples) continue;
  Deno.bench("a key looked at, of a few frequent ones", () => {
    const key = KEYS[next++ & 63]!;
    store.hotKeys.note(next & 63, key.bytes, 0, key.bytes.length, 1);
  });
  Deno.bench("a key looked at, of very many", () => {
    const key = KEYS[next++ & 4095]!;
    store.hotKeys.note(prng.below(2 ** 30), key.bytes, 0, key.bytes.length, 1);
  });
  Deno.bench("a connection's turn looked at", () => {
    workload.latency.record(1, 1);
  });
  let second = 1;
  Deno.bench("a second passes", () => {
    second++;
    store.hotKeys.tick(second, 1);
    workload.tick(1);
  });
}
