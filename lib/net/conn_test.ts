// Goal: what a client sees does not depend on how the network cut its bytes, nothing of a
// connection is left when it ends, and no connection can take more than its share.
// Method: play one conversation at every receive size and several send sizes against a real store,
// compare, and walk the store afterwards.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { flushNow } from "../store/whole_store.ts";
import { Snapshot } from "../stats/counters.ts";
import { READ_BYTES, REPLY_BYTES } from "./buffer_pool.ts";
import { converse, type Cut, cutsUpTo } from "./network_fixture.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20 };
const x = (count: number) => "x".repeat(count);

const BAD_FORMAT = "CLIENT_ERROR bad command line format\r\n";
const TOO_LARGE = "SERVER_ERROR object too large for cache\r\n";

const SCRIPTS: readonly (readonly [name: string, input: string, replies: string])[] = [
  [
    "stores and returns a value",
    "set k 7 0 3\r\nabc\r\nget k\r\n",
    "STORED\r\nVALUE k 7 3\r\nabc\r\nEND\r\n",
  ],
  [
    "keeps CRLF inside a value",
    "set k 0 0 4\r\n\r\n\r\n\r\nget k\r\n",
    "STORED\r\nVALUE k 0 4\r\n\r\n\r\n\r\nEND\r\n",
  ],
  [
    "accepts a bare LF after a line",
    "set k 0 0 1\nx\r\nget k\n",
    "STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n",
  ],
  ["stores an empty value", "set k 0 0 0\r\n\r\nget k\r\n", "STORED\r\nVALUE k 0 0\r\n\r\nEND\r\n"],
  [
    "refuses a value without its CRLF",
    "set k 0 0 3\r\nabcde\r\nget k\r\n",
    "CLIENT_ERROR bad data chunk\r\nCLIENT_ERROR bad command line format\r\nEND\r\n",
  ],
  [
    "discards a value that is too large",
    `set k 0 0 1100\r\n${x(1100)}\r\nget k\r\n`,
    `${TOO_LARGE}END\r\n`,
  ],
  [
    "discards the value of a line with bad flags",
    "set k a 0 7\r\nget k\r\n\r\nget k\r\n",
    `${BAD_FORMAT}END\r\n`,
  ],
  ["answers an unknown command", "frob\r\n\r\nset k\r\n", `ERROR\r\n${BAD_FORMAT}${BAD_FORMAT}`],
  [
    "answers several keys in order",
    "set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\nget b c a b\r\n",
    "STORED\r\nSTORED\r\nVALUE b 0 1\r\n2\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n",
  ],
  ["answers a long key by an error only", `get a ${x(251)}\r\nmn\r\n`, `${BAD_FORMAT}MN\r\n`],
  ["is silent on noreply", "set a 0 0 1 noreply\r\n1\r\ndelete a noreply\r\nmn\r\n", "MN\r\n"],
  [
    "closes after a length that is no number",
    "mn\r\nset a 0 0 x\r\n1\r\nmn\r\n",
    `MN\r\n${BAD_FORMAT}`,
  ],
  ["closes on quit", "mn\r\nquit\r\nmn\r\n", "MN\r\n"],
  ["closes on a line over 2,048 bytes", `mn\r\nset ${x(2100)} 0 0 1\r\n1\r\n`, "MN\r\n"],
  ["closes on an HTTP request", "GET / HTTP/1.1\r\nmn\r\n", ""],
];

for (const [name, input, replies] of SCRIPTS) {
  Deno.test(`drive() ${name}, however the bytes are cut`, () => {
    const store = makeStore({ itemSizeMax: 1100 });
    for (const recv of cutsUpTo(Math.min(input.length, 64))) {
      for (const send of [1, 2, 7, 4096]) {
        flushNow(store);
        const { client } = converse(ascii(input), { recv, send }, store);
        assertEquals(client.text, replies, `recv ${recv}, send ${send}`);
        assertEquals(checkStore(store).problems, []);
      }
    }
  });
}

Deno.test("drive() sends large values from the item's memory, however the bytes are cut", () => {
  const value = Array.from({ length: 30_000 }, (_, i) => String.fromCharCode(97 + i % 23)).join("");
  const input = ascii(
    `set big 3 0 30000\r\n${value}\r\nset s 0 0 1\r\n1\r\nget big s big\r\nmn\r\n`,
  );
  const big = `VALUE big 3 30000\r\n${value}\r\n`;
  const expected = `STORED\r\nSTORED\r\n${big}VALUE s 0 1\r\n1\r\n${big}END\r\nMN\r\n`;
  for (const recv of [1000, 4099, 1 << 20]) {
    for (const send of [13, 1000, 30_030, 1 << 20]) {
      const store = makeStore();
      const { client } = converse(input, { recv, send }, store);
      assert(client.text === expected, `recv ${recv}, send ${send}`);
      assertEquals(checkStore(store).problems, [], "holders are released");
    }
  }
});

Deno.test("drive() answers a get of any length, and by the same bytes at any cut", () => {
  const keys = Array.from({ length: 6000 }, (_, i) => `key-${i}`);
  const store = makeStore({ maxbytes: 16 * 2 ** 20 });
  const sets = keys.map((key, i) =>
    `set ${key} 0 0 4 noreply\r\n${String(i).padStart(4, "0")}\r\n`
  );
  converse(ascii(sets.join("")), WHOLE, store);
  const input = ascii(`get ${keys.join(" ")} missing\r\nmn\r\n`);
  assert(input.length > 3 * READ_BYTES, "the line is longer than a buffer");
  const values = keys.map((key, i) => `VALUE ${key} 0 4\r\n${String(i).padStart(4, "0")}\r\n`);
  const expected = `${values.join("")}END\r\nMN\r\n`;
  for (const recv of [97, 1000, 16 * 1024, 1 << 20]) {
    const { client } = converse(input, { recv, send: 50_000 }, store);
    assert(client.text === expected, `recv ${recv}`);
  }
});

Deno.test("drive() ends a get that is longer than a buffer at a key that is too long", () => {
  const keys = x(2).repeat(1) + " ";
  const input = ascii(`get ${keys.repeat(8000)}${x(300)} ${keys.repeat(8000)}\r\nmn\r\n`);
  for (const recv of [1000, 1 << 20]) {
    const { client } = converse(input, { recv, send: 1 << 20 });
    assertEquals(client.text, `${BAD_FORMAT}MN\r\n`);
  }
});

/** A client that has sent all at once: -R, how many `mn`, how often memcached yields. */
const YIELDS: readonly (readonly [reqsPerEvent: number, requests: number, yields: number])[] = [
  [1, 1, 1],
  [1, 2, 1],
  [1, 50, 49],
  [2, 1, 0],
  [2, 2, 1],
  [2, 3, 1],
  [10, 9, 0],
  [10, 10, 1],
  [10, 100, 10],
  [20, 100, 5],
];

for (const [reqsPerEvent, requests, yields] of YIELDS) {
  Deno.test(`drive() yields ${yields} times in ${requests} requests at -R ${reqsPerEvent}`, () => {
    const store = makeStore();
    const input = ascii("mn\r\n".repeat(requests));
    const cut = { ...WHOLE, always: true };
    const talk = converse(input, cut, store, { reqsPerEvent });
    assertEquals(talk.client.text, "MN\r\n".repeat(requests));
    assertEquals(new Snapshot(store.control).of("conn_yields"), yields);
  });
}

const GET_KEYS = `get ${Array.from({ length: 600 }, (_, i) => `k${i}`).join(" ")}`;
/** What takes far longer than a get. One turn is never for more than two of it. */
const COSTLY = [
  ...["", " settings", " items", " slabs", " sizes", " conns", " detail dump", " reset"]
    .map((group) => `stats${group}`),
  GET_KEYS,
  GET_KEYS.replace("get", "gets"),
  GET_KEYS.replace("get", "gat 0"),
  "lru_crawler metadump all",
  "stats cachedump 1 0",
];

for (const command of COSTLY) {
  Deno.test(`drive() gives way early at ${command.slice(0, 24)}`, () => {
    const line = `${command}\r\n`;
    const count = 16 * Math.ceil(1000 / line.length);
    const input = ascii(`set k 0 0 1\r\n1\r\n${line.repeat(count)}mn\r\n`);
    const cut = { ...WHOLE, always: true };
    const { client, yields } = converse(input, cut, makeStore(), { reqsPerEvent: 20 });
    assert(client.text.endsWith("MN\r\n"));
    assert(yields >= count / 2, `${yields} yields in ${count} commands`);
  });
}

Deno.test("drive() does not count a turn that was only costly as a yield", () => {
  const store = makeStore();
  converse(ascii("stats\r\n"), WHOLE, store, { reqsPerEvent: 20 });
  assertEquals(new Snapshot(store.control).of("conn_yields"), 0);
});

Deno.test("drive() leaves an idle connection without a buffer", () => {
  const store = makeStore();
  const input = ascii("set k 0 0 1\r\n1\r\nget k\r\n");
  const { conn, client, shared } = converse(input, WHOLE, store);
  assert(client.isClosed);
  assertEquals([conn.input, conn.replies, conn.session.isReceiving], [undefined, undefined, false]);
  shared.pool.countSpare();
  const totals = new Snapshot(store.control);
  assertEquals(totals.of("read_buf_bytes"), totals.of("read_buf_bytes_free"));
});

Deno.test("drive() gives up a value whose client goes away", () => {
  const store = makeStore();
  converse(ascii("set k 0 0 1000\r\nabc"), { recv: 5, send: 5 }, store);
  assertEquals(checkStore(store), { problems: [], items: 0 });
});

Deno.test("drive() answers more than a buffer of statistics", () => {
  const store = makeStore({ maxbytes: 64 * 2 ** 20 });
  const sizes = Array.from({ length: 40 }, (_, i) => Math.floor(20 * 1.25 ** i));
  const sets = sizes.map((size, i) => `set k${i} 0 0 ${size} noreply\r\n${x(size)}\r\n`);
  const input = ascii(`${sets.join("")}stats items\r\nstats slabs\r\nmn\r\n`);
  const { client } = converse(input, { recv: 1 << 20, send: 5000 }, store);
  assert(client.text.length > REPLY_BYTES, "the answer is longer than a buffer");
  const lines = client.text.split("\r\n");
  assertEquals(lines.filter((line) => line === "END").length, 2);
  assertEquals(lines.slice(-2), ["MN", ""]);
  assert(lines.slice(0, -2).every((line) => /^(STAT \S+ \S+|END)$/.test(line)));
});
