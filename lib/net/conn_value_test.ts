// Goal: a value is taken whole wherever it is cut, and its answer waits for room in the replies.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { Snapshot } from "../stats/counters.ts";
import { makeStore } from "../store/store_fixture.ts";
import { REPLY_BYTES } from "./buffer_pool.ts";
import { converse } from "./network_fixture.ts";

/** The longest answer to a value: every flag that comes back with it. */
const OPAQUE = "o".repeat(31);
const KEY = "k".repeat(250);
const SET = `ms ${KEY} 1 O${OPAQUE} k s c\r\nx\r\n`;

Deno.test("receive() answers a value once the replies before it have left room", () => {
  const get = "get a\r\n";
  const gotten = `VALUE a 0 100\r\n${"x".repeat(100)}\r\nEND\r\n`;
  for (let room = 0; room < 500; room += 100) {
    const gets = Math.floor((REPLY_BYTES - room) / gotten.length);
    const mns = Math.floor((REPLY_BYTES - room - gets * gotten.length) / 4);
    const input = `set a 0 0 100 noreply\r\n${"x".repeat(100)}\r\n` +
      get.repeat(gets) + "mn\r\n".repeat(mns) + SET + "mn\r\n";
    const cut = { recv: 1 << 20, send: 1 << 20, always: true };
    const { client } = converse(ascii(input), cut, makeStore(), { reqsPerEvent: 10_000 });
    const before = gotten.repeat(gets) + "MN\r\n".repeat(mns);
    assert(client.text.startsWith(before), `room ${room}`);
    const rest = client.text.slice(before.length).replace(/ c\d+/, "");
    assertEquals(rest, `HD O${OPAQUE} k${KEY} s1\r\nMN\r\n`, `room ${room}`);
  }
});

Deno.test("receive() and swallow() count every byte that has come", () => {
  for (const bytes of [5, 3000, 10_000_000]) {
    for (const recv of [1000, 16_384, 1 << 20]) {
      const store = makeStore();
      const input = `set k 0 0 ${bytes}\r\n${"x".repeat(bytes)}\r\nmn\r\n`;
      converse(ascii(input), { recv, send: 100, always: true }, store);
      assertEquals(new Snapshot(store.control).of("bytes_read"), input.length);
    }
  }
});
