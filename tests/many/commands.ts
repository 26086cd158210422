// What twemproxy carries to the nodes and what it does not: every command, values and keys of all
// bytes, gets that span all nodes. deploy/README.md has the same in words.

import type { Checks } from "../load/checks.ts";
import type { Nodes } from "./nodes.ts";
import type { Proxy } from "./proxy.ts";
import { KETAMA, Ring } from "./ring.ts";
import type { TextConn } from "./text_conn.ts";

/** A request with what must come back, line by line. */
const CARRIED: readonly (readonly [request: string, replies: readonly string[]])[] = [
  ["set c 7 0 3\r\nabc\r\n", ["STORED"]],
  ["get c\r\n", ["VALUE c 7 3", "abc", "END"]],
  ["add c 0 0 1\r\nx\r\n", ["NOT_STORED"]],
  ["replace c 7 0 2\r\nbc\r\n", ["STORED"]],
  ["append c 0 0 1\r\nd\r\n", ["STORED"]],
  ["prepend c 0 0 1\r\na\r\n", ["STORED"]],
  ["get c none\r\n", ["VALUE c 7 4", "abcd", "END"]],
  ["cas c 0 0 1 1\r\nx\r\n", ["EXISTS"]],
  ["touch c 100\r\n", ["TOUCHED"]],
  ["set n 0 0 2\r\n10\r\n", ["STORED"]],
  ["incr n 5\r\n", ["15"]],
  ["decr n 1\r\n", ["14"]],
  ["incr c 1\r\n", ["CLIENT_ERROR cannot increment or decrement non-numeric value"]],
  ["delete c\r\n", ["DELETED"]],
  ["delete c\r\n", ["NOT_FOUND"]],
  ["get c\r\n", ["END"]],
  // Without a reply: that of the next command is the first that comes.
  ["set c 0 0 1 noreply\r\nx\r\nget c\r\n", ["VALUE c 0 1", "x", "END"]],
  ["append c 0 0 1 noreply\r\ny\r\nincr n 1 noreply\r\nget c\r\n", ["VALUE c 0 2", "xy", "END"]],
  ["get n\r\n", ["VALUE n 0 2", "15", "END"]],
  ["delete c noreply\r\ntouch n 100 noreply\r\nget c\r\n", ["END"]],
];

/** Requests that end the connection without a word. */
const REFUSED: readonly string[] = [
  "gat 100 c",
  "gats 100 c",
  "mg c v",
  "ms c 1\r\nx",
  "md c",
  "ma n",
  "me c",
  "mn",
  "flush_all",
  "stats",
  "verbosity 1",
  "watch",
  "lru tune 20 40",
  "lru_crawler metadump all",
  "slabs automove 0",
  "cache_memlimit 64",
  "shutdown",
  "delete c 0",
  "set c 0 -1 1\r\nx",
  "unknown",
  `get ${"k".repeat(251)}`,
  // The binary protocol: a version request.
  `\x80\x0b${"\0".repeat(22)}`,
];

const MANY_KEYS = 3000;
const LARGE_BYTES = 1_000_000;
const TOO_LARGE_BYTES = 1024 * 1024;
const REFUSAL_MS_MAX = 5000;

/** Sends everything through the proxy. */
export async function checkCommands(checks: Checks, proxy: Proxy, nodes: Nodes): Promise<void> {
  using conn = await proxy.connect("md5");
  let right = 0;
  for (const [request, replies] of CARRIED) {
    await conn.send(request);
    const got: string[] = [];
    while (got.length < replies.length) got.push(await conn.line());
    if (got.join("\n") === replies.join("\n")) right++;
    else checks.check(false, `twemproxy carries ${JSON.stringify(request)}`, got.join(", "));
  }
  checks.equal(right, CARRIED.length, "twemproxy carries requests of all storing commands");
  const version = await conn.ask("version");
  const own = await (await nodes.connect(nodes.names[0]!)).ask("version");
  checks.check(version === own, "twemproxy carries version to a node", version);

  let refused = 0;
  for (const request of REFUSED) {
    using own = await proxy.connect("md5", REFUSAL_MS_MAX);
    await own.send(Uint8Array.from(`${request}\r\n`, (char) => char.charCodeAt(0)));
    const reply = await own.line();
    if (/^connection (closed|reset)$/.test(reply)) refused++;
    else checks.check(false, `twemproxy refuses ${JSON.stringify(request)}`, reply);
  }
  checks.equal(refused, REFUSED.length, "twemproxy closes at requests that it does not know");
  await checkBytes(checks, conn);
  await checkMany(checks, conn, nodes);
  await checkLarge(checks, conn, proxy);
}

/** Every byte that a key may have, and every byte in a value. */
async function checkBytes(checks: Checks, conn: TextConn): Promise<void> {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const key = all.filter((byte) => byte !== 0 && byte !== 10 && byte !== 13 && byte !== 32);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  let right = 0;
  // In two halves: a key has at most 250 bytes.
  const halves = [key.subarray(0, 126), key.subarray(126)];
  for (const half of halves) {
    const parts = [encode("set "), half, encode(" 0 0 256\r\n"), all, encode("\r\n")];
    for (const part of parts) await conn.send(part);
    if (await conn.line() !== "STORED") continue;
    for (const part of [encode("get "), half, encode("\r\n")]) await conn.send(part);
    const expected = [encode("VALUE "), half, encode(" 0 256\r\n"), all, encode("\r\nEND\r\n")]
      .flatMap((part) => [...part]);
    const got = await conn.bytes(expected.length);
    if (got.every((byte, at) => byte === expected[at])) right++;
  }
  checks.equal(right, halves.length, "keys and values of all bytes pass twemproxy");
}

/** One get of keys on all nodes, and what it becomes. */
async function checkMany(checks: Checks, conn: TextConn, nodes: Nodes): Promise<void> {
  const keys = Array.from({ length: MANY_KEYS }, (_, at) => `many:${at}`);
  for (const key of keys.filter((_, at) => at % 3 !== 0)) await conn.set(key, key);
  await conn.send(`get ${keys.join(" ")}\r\n`);
  const found = await conn.values();
  const expected = keys.filter((_, at) => at % 3 !== 0);
  const claim = typeof found !== "string" && found.size === expected.length &&
    expected.every((key) => found.get(key) === key);
  checks.check(claim, `a get of ${MANY_KEYS} keys finds those of all nodes`, expected.length);
  const held = await nodes.held(expected);
  const ring = new Ring(nodes.names, KETAMA);
  const elsewhere = expected.filter((key) => !held.of(ring.ownerOf(key)).has(key));
  checks.equal(elsewhere.length, 0, "keys of that get that were not where the ring says");
}

/** Values up to the largest, and one that a node refuses. */
async function checkLarge(checks: Checks, conn: TextConn, proxy: Proxy): Promise<void> {
  const value = Array.from({ length: LARGE_BYTES / 10 }, (_, at) => `${at}`.padStart(9, "0") + "|")
    .join("");
  const stored = await conn.set("large", value);
  const answer = await conn.get("large");
  const same = answer.kind === "hit" && answer.value === value;
  checks.check(same, `a value of ${LARGE_BYTES} bytes passes twemproxy`, stored);
  const before = await proxy.ejections("md5");
  const replies = new Set<string>();
  for (let time = 0; time < 5; time++) {
    replies.add(await conn.set("too-large", "x".repeat(TOO_LARGE_BYTES)));
  }
  const refusal = [...replies].join(", ");
  checks.check(refusal === "SERVER_ERROR object too large for cache", "one too large", refusal);
  const ejections = await proxy.ejections("md5") - before;
  checks.equal(ejections, 0, "nodes that are left out for such answers");
}
