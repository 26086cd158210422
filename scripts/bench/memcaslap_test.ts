import { assertEquals, assertThrows } from "@std/assert";
import { caslapConfig, parseCaslapReport } from "./memcaslap.ts";

const OUTPUT = `servers: 127.0.0.1:21999
threads count: 1
set proportion: set_prop=0.10
cmd_get: 359320
cmd_set: 39951
get_misses: 3
written_bytes: 19564238
verify_misses: 1
verify_failed: 2

Run time: 3.0s Ops: 399271 TPS: 132944 Net_rate: 23.8M/s
`;

Deno.test("parseCaslapReport() reads the counts of a finished run", () => {
  assertEquals(parseCaslapReport(OUTPUT), {
    gets: 359320,
    sets: 39951,
    misses: 3,
    wrong: 3,
    seconds: 3,
  });
});

Deno.test("parseCaslapReport() takes a run without verification as having none wrong", () => {
  assertEquals(parseCaslapReport(OUTPUT.replaceAll(/^verify.*\n/gm, "")).wrong, 0);
});

Deno.test("parseCaslapReport() throws what memcaslap said instead of a report", () => {
  assertThrows(() => parseCaslapReport("Please specify the item window size"), Error, "window");
});

Deno.test("caslapConfig() writes sizes and shares in memcaslap's sections", () => {
  const workload = { tool: "memcaslap", name: "x", conns: 1, keysPerGet: 1 } as const;
  assertEquals(
    caslapConfig({ ...workload, getShare: 0.9, valueBytes: 100 }),
    "key\n32 32 1\nvalue\n100 100 1\ncmd\n0 0.100\n1 0.900\n",
  );
});
