// Goal: what a binary client sees does not depend on how the network cut its bytes, nor on how many
// chunks a value is in; and nobody gets past the login.
// Method: play conversations at many receive and send sizes against a real store, compare, and walk
// the store afterwards.

import { assert, assertEquals } from "@std/assert";
import {
  bytesOfLatin1,
  Op,
  packet,
  packets,
  type Parts,
  readResponses,
  type Response,
  word32,
  word64,
} from "../../tests/support/packets.ts";
import { Logins } from "../auth/logins.ts";
import { ascii } from "../base/ascii.ts";
import type { Settings } from "../config/settings.ts";
import { checkStore } from "../store/check.ts";
import type { Store } from "../store/store.ts";
import { makeStore } from "../store/store_fixture.ts";
import { flushNow } from "../store/whole_store.ts";
import { REPLY_BYTES } from "./buffer_pool.ts";
import { converse, type Cut, cutsOf } from "./network_fixture.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20 };
const NOTHING = word32(0) + word32(0);

function talk(
  input: Uint8Array<ArrayBuffer>,
  cut: Cut = WHOLE,
  store: Store = makeStore(),
  settings: Partial<Settings> = {},
): Response[] {
  const { client } = converse(input, cut, store, settings);
  assertEquals(checkStore(store).problems, []);
  return readResponses(bytesOfLatin1(client.text));
}

/** `status value` of each response. */
function short(responses: readonly Response[]): string[] {
  return responses.map(({ status, value }) => `${status} ${value}`.trimEnd());
}

const set = (key: string, value: string): Parts => ({ op: Op.SET, key, extras: NOTHING, value });
const noop = (opaque: number): Parts => ({ op: Op.NOOP, opaque });

const MIXED = packets(
  set("a", "abc"),
  { op: Op.GETK, key: "a", opaque: 7 },
  { op: Op.GETQ, key: "none" },
  { op: Op.APPEND, key: "a", value: "def" },
  { op: Op.INCREMENT, key: "n", extras: word64(2n) + word64(2n ** 63n) + word32(0) },
  { op: Op.INCREMENTQ, key: "n", extras: word64(2n) + word64(0n) + word32(0) },
  { op: Op.GATK, key: "n", extras: word32(100) },
  { op: 0x50, key: "key", extras: "ext", value: "value" },
  set("b", "x".repeat(2000)),
  { op: Op.SETQ, key: "c", extras: NOTHING, value: "\r\n" },
  set("long", "x".repeat(5000)),
  { op: Op.GET, key: "c" },
  { op: Op.GET, key: "b" },
  { op: Op.DELETE, key: "a" },
  { op: Op.DELETEQ, key: "a" },
  noop(0xfeedface),
  { op: Op.QUIT },
);

Deno.test("drive() answers packets the same at any cut", () => {
  const play = (cut: Cut) => talk(MIXED, cut, makeStore({ itemSizeMax: 4096 }));
  const expected = play(WHOLE);
  assertEquals(short(expected).map((text) => text.slice(0, 30)), [
    "0",
    "0 abc",
    "0",
    `0 \x80${"\0".repeat(7)}`,
    "0 9223372036854775810",
    "129 Unknown command",
    "0",
    "3 Too large.",
    "0 \r\n".trimEnd(),
    `0 ${"x".repeat(28)}`,
    "0",
    "1 Not found",
    "0",
    "0",
  ]);
  assertEquals(expected.at(-2)?.opaque, 0xfeedface);
  for (const recv of cutsOf([1, 2, 3, 5, 7, 11, 23, 24, 25, 26, 97, 1000, 16 * 1024])) {
    for (const send of [1 << 20, recv < 5 ? 1000 : 17]) {
      assertEquals(short(play({ recv, send })), short(expected), `${recv} ${send}`);
    }
  }
});

/** Value bytes of a chunk of 1,024. */
const CHUNK_VALUE = 1024 - 32;

Deno.test("a value gets its CRLF in whichever chunks its last bytes are", () => {
  const store = makeStore({ slabChunkMax: 1024, maxbytes: 16 * 2 ** 20 });
  for (const chunks of [1, 2, 3, 40]) {
    for (let more = -4; more <= 4; more++) {
      const value = "0123456789".repeat(8000).slice(0, chunks * CHUNK_VALUE + more);
      const input = packets(
        set("k", value),
        { op: Op.GET, key: "k" },
        { op: Op.APPEND, key: "k", value: "!" },
        { op: Op.GETQ, key: "k" },
        noop(1),
      );
      for (const cut of [WHOLE, { recv: 991, send: 300 }, { recv: 1 << 20, send: 5000 }]) {
        flushNow(store);
        const [stored, got, appended, again, last] = talk(input, cut, store);
        assertEquals([stored?.status, appended?.status, last?.opaque], [0, 0, 1]);
        assert(got?.value === value && again?.value === `${value}!`, `${chunks} ${more}`);
        const text = converse(ascii("get k\r\n"), WHOLE, store).client.text;
        assert(text === `VALUE k 0 ${value.length + 1}\r\n${value}!\r\nEND\r\n`);
      }
    }
  }
});

Deno.test("packets wait in the read buffer while the replies are full", () => {
  const store = makeStore();
  const value = "v".repeat(3000);
  const large = "w".repeat(30_000);
  const gets = Array.from({ length: 200 }, (_, opaque): Parts => {
    return { op: opaque % 7 === 0 ? Op.GETKQ : Op.GET, key: opaque % 5 === 0 ? "l" : "k", opaque };
  });
  const input = packets(set("k", value), set("l", large), ...gets, noop(1000));
  for (const cut of [WHOLE, { recv: 500, send: 9999 }, { ...WHOLE, always: true }]) {
    const [, , ...responses] = talk(input, cut, store);
    assertEquals(responses.map(({ opaque }) => opaque), [...gets.keys(), 1000]);
    assert(
      responses.every((response) =>
        response.op === Op.NOOP || response.value === (response.opaque % 5 === 0 ? large : value)
      ),
    );
  }
});

Deno.test("STAT answers more than a buffer, packet by packet", () => {
  const store = makeStore({ maxbytes: 64 * 2 ** 20 });
  const sizes = Array.from({ length: 40 }, (_, i) => Math.floor(20 * 1.25 ** i));
  const sets = sizes.map((size, i): Parts => ({
    op: Op.SETQ,
    key: `k${i}`,
    extras: NOTHING,
    value: "x".repeat(size),
  }));
  const stats = ["", "items", "slabs", "settings"].map((key): Parts => ({ op: Op.STAT, key }));
  const input = packets(...sets, ...stats, noop(9));
  const responses = talk(input, { recv: 1 << 20, send: 5000 }, store);
  const ends = responses.filter(({ op, key }) => op === Op.STAT && key === "");
  assertEquals([ends.length, responses.at(-1)?.opaque], [4, 9]);
  const bytes = responses.reduce((sum, { key, value }) => sum + 24 + key.length + value.length, 0);
  assert(bytes > REPLY_BYTES, "the answer is longer than a buffer");
});

Deno.test("a binary listener closes what is no packet, a text listener takes it for text", () => {
  const text = ascii("version\r\n");
  assertEquals(converse(text, WHOLE, makeStore(), { bindingProtocol: "binary" }).client.text, "");
  const binary = packets(noop(1));
  const answer = converse(binary, WHOLE, makeStore(), { bindingProtocol: "ascii" }).client.text;
  assertEquals(answer, "CLIENT_ERROR bad command line format\r\n");
  assertEquals(talk(binary, WHOLE, makeStore(), { bindingProtocol: "binary" }).length, 1);
});

Deno.test("a value whose client goes away leaves nothing behind", () => {
  for (const slabChunkMax of [1024, 2 ** 19]) {
    const store = makeStore({ slabChunkMax });
    const input = packet(set("k", "x".repeat(5000)));
    for (const to of [10, 24, 33, 40, 3000, 5030]) converse(input.slice(0, to), WHOLE, store);
    assertEquals(checkStore(store), { problems: [], items: 0 });
  }
});

const plain = (text: string): Parts => ({ op: Op.SASL_AUTH, key: "PLAIN", value: text });

/** What a client is told that says `requests` to a server with the login joe, secret. */
function logIn(...requests: readonly Parts[]): string[] {
  let answers: string[] = [];
  for (const recv of [1 << 20, 1, 5]) {
    const store = makeStore();
    new Logins(store.control, store.locks).replace([{ user: ascii("joe"), pass: ascii("secret") }]);
    const settings = { sasl: true, bindingProtocol: "binary" } as const;
    const these = short(talk(packets(...requests), { ...WHOLE, recv }, store, settings));
    if (recv < 1 << 20) assertEquals(these, answers);
    answers = these;
  }
  return answers;
}

const FAILURE = "32 Auth failure.";
const IN = "0 Authenticated";
const step = (value: string): Parts => ({ op: Op.SASL_STEP, key: "PLAIN", value });
const GOOD = "\0joe\0secret";

const LOGINS: readonly (readonly [name: string, requests: readonly Parts[], answers: string[]])[] =
  [
    ["lists the mechanisms", [{ op: Op.SASL_LIST }, { op: Op.VERSION }], ["0 PLAIN", "0 1.6.45"]],
    ["lets in", [plain(GOOD), noop(1), set("k", "v")], [IN, "0", "0"]],
    ["lets in who names himself twice", [plain(`joe${GOOD}`), noop(1)], [IN, "0"]],
    ["lets nobody act as another", [plain(`root${GOOD}`), noop(1)], [FAILURE, FAILURE]],
    ["asks who says nothing", [plain(""), step(GOOD), noop(1)], ["33", IN, "0"]],
    ["takes no step unasked", [step(GOOD), noop(1)], [FAILURE, FAILURE]],
    ["takes no step after a wrong one", [plain(""), step("\0a\0b"), step(GOOD)], [
      "33",
      FAILURE,
      FAILURE,
    ]],
    ["does not know another mechanism", [{ ...plain(GOOD), key: "LOGIN" }], [FAILURE]],
    ["refuses a long mechanism", [{ ...plain(GOOD), key: "P".repeat(33) }, plain(GOOD)], [
      "4 Invalid arguments",
      IN,
    ]],
    ["refuses a long message", [plain("\0".repeat(9000)), plain(GOOD)], ["130 Out of memory", IN]],
    ["tells wrong passwords", [plain("\0joe\0secre"), plain("\0joe\0secrets")], [FAILURE, FAILURE]],
    ["tells wrong names", [plain("\0jo\0esecret"), plain("\0\0secret")], [FAILURE, FAILURE]],
    ["tells messages that are none", [plain("joe"), plain("\0joe"), plain("\0joe\0")], [
      FAILURE,
      FAILURE,
      FAILURE,
    ]],
    ["may be tried again", [plain("\0joe\0no"), plain(GOOD), noop(1)], [FAILURE, IN, "0"]],
    ["ends with a failed one", [plain(GOOD), plain("\0joe\0no"), noop(1)], [IN, FAILURE, FAILURE]],
    ["stays when mechanisms are listed", [plain(GOOD), { op: Op.SASL_LIST }, noop(1)], [
      IN,
      "0 PLAIN",
      "0",
    ]],
    ["comes before everything", [noop(1), plain(GOOD)], [FAILURE]],
    ["comes before a set", [set("k", "v"), plain(GOOD)], [FAILURE]],
    ["comes before what is unknown", [{ op: 0x50, key: "k" }, plain(GOOD)], [FAILURE]],
    ["comes before a look at the key", [{ op: Op.GET, key: "k".repeat(251) }], [FAILURE]],
  ];

for (const [name, requests, answers] of LOGINS) {
  Deno.test(`a SASL login ${name}`, () => assertEquals(logIn(...requests), answers));
}
