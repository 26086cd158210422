import { assertEquals, assertThrows } from "@std/assert";
import { keyForm, RequestBuffer, SetBatch, writeDigits } from "./text_requests.ts";

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

Deno.test("SetBatch.from() numbers its keys", () => {
  const form = keyForm("k-", 10);
  const batch = new SetBatch(form, 3, 2, true);
  const sets = "set k-00000009 0 0 3 noreply\r\nxxx\r\nset k-00000010 0 0 3 noreply\r\nxxx\r\n";
  assertEquals(decode(batch.from(9)), sets);
  assertEquals(decode(new SetBatch(form, 0, 1, false).from(7)), "set k-00000007 0 0 0\r\n\r\n");
});

Deno.test("RequestBuffer appends requests, and begins anew", () => {
  const requests = new RequestBuffer(keyForm("k-", 10), 100);
  requests.get([1, 23]);
  requests.set(4, 2);
  assertEquals(
    decode(requests.bytes),
    "get k-00000001 k-00000023\r\nset k-00000004 0 0 2\r\nxx\r\n",
  );
  requests.clear();
  requests.metaGet(6);
  requests.metaSet(7, 2);
  assertEquals(decode(requests.bytes), "mg k-00000006 v\r\nms k-00000007 2\r\nxx\r\n");
  requests.clear();
  requests.get([5]);
  assertEquals(decode(requests.bytes), "get k-00000005\r\n");
});

Deno.test("RequestBuffer refuses more than it has room for", () => {
  const requests = new RequestBuffer(keyForm("k-", 10), 30);
  assertThrows(() => requests.get([1, 2, 3, 4]), Error, "30 bytes");
});

Deno.test("keyForm() refuses keys that are too short or too long", () => {
  assertThrows(() => keyForm("key-", 11));
  assertThrows(() => keyForm("key-", 251));
  assertThrows(() => keyForm("key-", NaN));
});

Deno.test("writeDigits() pads with zeros", () => {
  const bytes = new Uint8Array(6).fill(45);
  writeDigits(bytes, 1, 5, 42);
  assertEquals(decode(bytes), "-0042-");
});
