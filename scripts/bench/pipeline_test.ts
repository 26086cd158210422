import { assertEquals, assertNotEquals } from "@std/assert";
import { buildBatch } from "./pipeline.ts";

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

Deno.test("buildBatch() presets what its gets read, and knows the replies", () => {
  const batch = buildBatch("get", 3, 2, 4);
  assertEquals(
    decode(batch.preset),
    [
      "set bench-3-0 0 0 4\r\nghij\r\n",
      "set bench-3-1 0 0 4\r\nhijk\r\n",
    ].join(""),
  );
  assertEquals(decode(batch.presetReply), "STORED\r\nSTORED\r\n");
  assertEquals(decode(batch.request), "get bench-3-0\r\nget bench-3-1\r\n");
  assertEquals(
    decode(batch.reply),
    [
      "VALUE bench-3-0 0 4\r\nghij\r\nEND\r\n",
      "VALUE bench-3-1 0 4\r\nhijk\r\nEND\r\n",
    ].join(""),
  );
  assertEquals(batch.ops, 2);
});

Deno.test("buildBatch() asks for all keys of a multiget in one line", () => {
  const batch = buildBatch("multiget", 0, 2, 1);
  assertEquals(decode(batch.request), "get bench-0-0 bench-0-1\r\n");
  assertEquals(
    decode(batch.reply),
    "VALUE bench-0-0 0 1\r\na\r\nVALUE bench-0-1 0 1\r\nb\r\nEND\r\n",
  );
});

Deno.test("buildBatch() presets nothing for sets, and fills values of any length", () => {
  const batch = buildBatch("set", 0, 1, 100);
  assertEquals(batch.preset.length, 0);
  assertEquals(batch.request.length, "set bench-0-0 0 0 100\r\n".length + 100 + 2);
  assertNotEquals(decode(batch.request), decode(buildBatch("set", 1, 1, 100).request));
});

Deno.test("buildBatch() knows where versions are in the replies of the binary protocol", () => {
  const batch = buildBatch("binary-get", 0, 2, 3);
  const response = [0x81, 0, ...Array(2).fill(0), 4, 0, 0, 0, 0, 0, 0, 7, ...Array(16).fill(0)];
  assertEquals([...batch.reply.subarray(0, 31)], [...response, 97, 98, 99]);
  assertEquals(batch.versionsAt, [16, 31 + 16]);
  assertEquals(batch.presetVersionsAt, [16, 24 + 16]);
});
