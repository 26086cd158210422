import { assertEquals, assertThrows } from "@std/assert";
import { parseCpuTicks, parseResident, parseRssBytes } from "./process_stat.ts";

Deno.test("parseCpuTicks() adds utime and stime, whatever the program is called", () => {
  const after = "S 1 2 3 0 -1 4194560 100 0 0 0 250 75 9 9 20 0 4 0 1000 1 1";
  assertEquals(parseCpuTicks(`42 (memcached) ${after}`), 325);
  assertEquals(parseCpuTicks(`42 (a) b (c d) ${after}`), 325);
});

Deno.test("parseCpuTicks() refuses a text that is too short", () => {
  assertThrows(() => parseCpuTicks("42 (memcached) S 1 2"));
});

Deno.test("parseRssBytes() finds VmRSS among the other sizes", () => {
  assertEquals(parseRssBytes("VmHWM:\t  900 kB\nVmRSS:\t  512 kB\nRssAnon:\t  1 kB\n"), 512 * 1024);
  assertThrows(() => parseRssBytes("VmHWM:\t  900 kB\n"));
});

Deno.test("parseResident() tells heaps from shared mappings", () => {
  const status = "VmRSS:\t  9 kB\nRssAnon:\t  3 kB\nRssFile:\t  4 kB\nRssShmem:\t  2 kB\n";
  assertEquals(parseResident(status), { anonymousBytes: 3072, sharedBytes: 2048 });
  assertThrows(() => parseResident("VmRSS:\t  9 kB\n"));
});
