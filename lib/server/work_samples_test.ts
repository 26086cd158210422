// Goal: commands of every protocol are timed and counted by name, hot keys are named readably.

import { assert, assertEquals } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { Block } from "../base/block.ts";
import { COMMANDS } from "../protocol/text/commands.ts";
import { LATENCY_KINDS } from "../stats/latency.ts";
import { Workload } from "../stats/samples.ts";
import { makeStore } from "../store/store_fixture.ts";
import { keyText, workSamples } from "./work_samples.ts";
import { hashKey } from "../store/link.ts";

Deno.test("workSamples() is undefined where nothing is noted", () => {
  assertEquals(workSamples(makeStore()), undefined);
  const store = makeStore();
  const workload = new Workload(store.control, 1, () => 1);
  workload.countConnection(1);
  workload.tick(1);
  assertEquals(workSamples(store), undefined);
});

Deno.test("workSamples() names commands, and tells of each worker", () => {
  const store = makeStore({ takesSamples: true, threads: 2 });
  const workload = new Workload(store.control, 1, () => 1.5);
  workload.countConnection(1);
  workload.countConnection(1);
  workload.countConnection(-1);
  workload.tick(1);
  workload.latency.beginTurn();
  workload.latency.record(1, 1);
  workload.latency.record(5, 2);
  const samples = workSamples(store);
  assertEquals(samples?.latencies.map(({ command, count }) => [command, count]), [
    ["get", 1],
    ["set", 2],
  ]);
  const nothing = { commands: 0, bytesRead: 0, bytesWritten: 0 };
  assertEquals(samples?.workers, [
    { thread: 1, connections: 1, cpuSeconds: 1.5, ...nothing },
    { thread: 2, connections: 0, cpuSeconds: 0, ...nothing },
  ]);
});

Deno.test("keys are noted where that is asked for, and never looked at elsewhere", () => {
  const key = Block.of(ascii("user:7"));
  for (const takesSamples of [false, true]) {
    for (const notesKeys of [false, true]) {
      const store = makeStore({ takesSamples, notesKeys });
      let looks = 0;
      for (let count = 0; count < 100; count++) {
        if (store.hotKeys.isDue()) looks++;
        hashKey(store, key, 0, key.bytes.length);
      }
      const names = workSamples(store)?.hot?.keys.map(({ name }) => name);
      const isOn = takesSamples && notesKeys;
      assertEquals([looks > 0, names], [isOn, isOn ? ["user:7"] : undefined]);
    }
  }
});

Deno.test("every command has a kind of latency of its own", () => {
  assert(COMMANDS.every(({ verb }) => verb < LATENCY_KINDS));
});

Deno.test("keyText() shows text as it is, and other bytes by their numbers", () => {
  const ofText = (text: string): string => latin1(new TextEncoder().encode(text));
  for (const text of ["user:1", "100%", "clé:ü", "鍵"]) assertEquals(keyText(ofText(text)), text);
  assertEquals(keyText("a\0b%"), "a%00b%25");
  assertEquals([keyText("\xff"), keyText("%FF")], ["%FF", "%25FF"]);
  assertEquals(keyText(ofText("\ufeffdup")), "%EF%BB%BFdup");
  assertEquals(keyText(ofText("a\u202eb")), "a%E2%80%AEb");
  assertEquals(keyText(ofText("a\x1b[31m")), "a%1B[31m");
  assert(!keyText(ofText("\u0085")).includes("\u0085"));
});
