import { assertEquals } from "@std/assert";
import { Block } from "../../base/block.ts";
import { datagramsOf, isRequest, requestId, writeFrame } from "./frames.ts";

const frame = (...bytes: number[]) => Block.of(new Uint8Array(bytes));

Deno.test("datagramsOf() counts datagrams of 1,392 bytes of payload", () => {
  const sizes = [0, 1, 1391, 1392, 1393, 2784, 2785, 102_400, 16 * 2 ** 20];
  assertEquals(sizes.map(datagramsOf), [0, 1, 1, 1, 2, 2, 3, 74, 12_053]);
});

Deno.test("isRequest() wants one datagram in all, and something behind the frame", () => {
  assertEquals(isRequest(frame(0, 1, 0, 0, 0, 1, 0, 0, 0x6d), 9), true);
  assertEquals(isRequest(frame(0, 1, 0, 9, 0, 1, 9, 9, 0x6d), 9), true, "as memcached");
  assertEquals(isRequest(frame(0, 1, 0, 0, 0, 1, 0, 0), 8), false, "empty");
  assertEquals(isRequest(frame(0, 1, 0, 0, 0, 1, 0, 0, 0x6d), 7), false, "short");
  for (const [high, low] of [[0, 0], [0, 2], [1, 0], [1, 1], [255, 255]] as const) {
    assertEquals(isRequest(frame(0, 1, 0, 0, high, low, 0, 0, 0x6d), 9), false, `${high} ${low}`);
  }
});

Deno.test("writeFrame() writes big-endian numbers, and requestId() reads them", () => {
  const datagram = frame(1, 2, 3, 4, 5, 6, 7, 8, 9);
  writeFrame(datagram, 0xfedc, 0x0102, 0xa0b0);
  assertEquals([...datagram.bytes], [0xfe, 0xdc, 1, 2, 0xa0, 0xb0, 0, 0, 9]);
  assertEquals(requestId(datagram), 0xfedc);
});
