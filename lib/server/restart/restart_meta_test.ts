// Goal: metadata is read back as it was written, and in no other form: any bit changed, any byte
// missing, any other setting is told, and never throws.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { planStore } from "../../store/plan.ts";
import { saveStore } from "../../store/restart/saved_store.ts";
import { makeStore, SMALL_SHAPE } from "../../store/store_fixture.ts";
import { decodeMeta, encodeMeta, layoutRows, type RestartMeta } from "./restart_meta.ts";
import { flushAt } from "../../store/whole_store.ts";

const SHAPE = { ...SMALL_SHAPE, maxbytesCeiling: SMALL_SHAPE.maxbytes };
const LAYOUT = layoutRows(planStore(SHAPE));

function someMeta(): RestartMeta {
  const client = new StoreClient(makeStore());
  for (let number = 0; number < 50; number++) client.set(`key${number}`, "v".repeat(number * 99));
  flushAt(client.store, 7);
  const saved = saveStore(client.store, 5);
  return {
    id: "0123456789abcdef0123456789abcdef",
    startUnix: 1_700_000_000,
    saved,
    sums: Uint32Array.from(saved.owners, (_, page) => page * 0x9e3779b1),
  };
}

const META = someMeta();
const BYTES = encodeMeta(META, LAYOUT);
const TEXT = new TextDecoder().decode(BYTES);

Deno.test("decodeMeta() reads what encodeMeta() writes", () => {
  assertEquals(decodeMeta(BYTES, LAYOUT), META);
});

Deno.test("decodeMeta() refuses metadata with any one bit changed", () => {
  const bytes = BYTES.slice();
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      bytes[at]! ^= bit;
      assertEquals(typeof decodeMeta(bytes, LAYOUT), "string", `byte ${at}, bit ${bit}`);
      bytes[at]! ^= bit;
    }
  }
});

Deno.test("decodeMeta() refuses metadata that is cut off, or goes on", () => {
  for (let length = 0; length < BYTES.length; length++) {
    assertEquals(typeof decodeMeta(BYTES.subarray(0, length), LAYOUT), "string", `${length} bytes`);
  }
  const longer = new Uint8Array(BYTES.length + 1);
  longer.set(BYTES);
  assertMatch(String(decodeMeta(longer, LAYOUT)), /damaged/);
});

/** `text` with the checksum that it should have. */
async function signed(text: string): Promise<Uint8Array> {
  const body = text.slice(0, text.lastIndexOf("sha256 "));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return new TextEncoder().encode(`${body}sha256 ${new Uint8Array(digest).toHex()}\n`);
}

const FORGED: readonly (readonly [what: string, change: (text: string) => string, RegExp])[] = [
  ["another form", (text) => text.replace(/^memden restart 2/, "memden restart 1"), /has form 1/],
  ["another program's", (text) => text.replace(/^memden restart/, "Tmain"), /not memden's/],
  [
    "another -m",
    (text) => text.replace(/maxbytes \d+/, "maxbytes 1"),
    /^maxbytes was 1, is 4194304$/,
  ],
  [
    "other classes",
    (text) => text.replace(/slab_sizes 80/, "slab_sizes 88"),
    /^slab_sizes differs$/,
  ],
  ["a setting less", (text) => text.replace(/use_cas .*\n/, ""), /^use_cas was missing, is true$/],
  ["a value less", (text) => text.replace(/\nnow .*\n/, "\n"), /incomplete/],
  ["no number", (text) => text.replace(/\nnow .*\n/, "\nnow soon\n"), /incomplete/],
  [
    "a number too large",
    (text) => text.replace(/\ncas .*\n/, "\ncas 4294967296 0\n"),
    /incomplete/,
  ],
  ["a negative number", (text) => text.replace(/\ncas .*\n/, "\ncas -1 0\n"), /incomplete/],
  ["a number more", (text) => text.replace(/\nflush /, "\nflush 1 "), /incomplete/],
  ["a list less", (text) => text.replace(/\nlists \d+ /, "\nlists "), /incomplete/],
  ["a page less", (text) => text.replace(/\nowners \d+ /, "\nowners "), /incomplete/],
  ["no pages", (text) => text.replace(/\n(owners|sums) .*/g, "\n$1 "), /incomplete/],
  ["an id that is none", (text) => text.replace(/\nid .*/, "\nid x"), /incomplete/],
];

for (const [what, change, reason] of FORGED) {
  Deno.test(`decodeMeta() refuses ${what}, with the right checksum`, async () => {
    const text = change(TEXT);
    assert(text !== TEXT);
    assertMatch(String(decodeMeta(await signed(text), LAYOUT)), reason);
  });
}

/** Each setting that changes what is where, with another value. */
const OTHERS = [
  { maxbytes: SHAPE.maxbytes * 2, maxbytesCeiling: SHAPE.maxbytes * 2 },
  { factor: 1.5 },
  { chunkSize: 96 },
  { itemSizeMax: SHAPE.itemSizeMax / 2 },
  { slabChunkMax: SHAPE.slabChunkMax / 2 },
  { slabSizes: [100, 1000, 10_000] },
  { useCas: false },
];

for (const other of OTHERS) {
  const [[name, value] = []] = Object.entries(other);
  Deno.test(`decodeMeta() refuses metadata of another ${name}: ${value}`, () => {
    const layout = layoutRows(planStore({ ...SHAPE, ...other }));
    assertMatch(String(decodeMeta(BYTES, layout)), /^\w+ (differs$|was \S+, is \S+$)/);
  });
}

Deno.test("decodeMeta() takes metadata of a server with other threads and buckets", () => {
  const layout = layoutRows(planStore({ ...SHAPE, threads: 9, conns: 5, hashpowerInit: 20 }));
  assertEquals(decodeMeta(BYTES, layout), META);
});
