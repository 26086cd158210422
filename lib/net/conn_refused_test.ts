// Goal: a line that is refused never puts a client out of step. `noreply` keeps every answer back,
// and the bytes of a value are never taken for commands.
// Method: a table of faults for each command of the text protocol that knows noreply, and one for
// each storage command, played at several receive sizes; a marker behind shows where the server is.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { defaultSettings } from "../config/settings.ts";
import { COMMANDS, CommandShape } from "../protocol/text/commands.ts";
import { checkStore } from "../store/check.ts";
import type { Store } from "../store/store.ts";
import { makeStore } from "../store/store_fixture.ts";
import { flushNow } from "../store/whole_store.ts";
import { converse, cutsOf } from "./network_fixture.ts";

const BAD_FORMAT = "CLIENT_ERROR bad command line format\r\n";
const LONG_KEY = "k".repeat(251);
const RECEIVES = cutsOf([1, 2, 3, 5, 7, 11, 16, 1 << 20]);
/** A value that does harm when it is run. */
const VALUE = "flush_all";
const LENGTH = VALUE.length;

/** Faults of a storage line up to its length, `n` bytes, and what follows that. */
const storageFaults = (behind = "") => [
  `${LONG_KEY} 0 0 ${LENGTH}${behind}`,
  `k abc 0 ${LENGTH}${behind}`,
  `k -1 0 ${LENGTH}${behind}`,
  `k 4294967296 0 ${LENGTH}${behind}`,
  `k 0 abc ${LENGTH}${behind}`,
  `k 0 1.5 ${LENGTH}${behind}`,
  `k 0 9223372036854775808 ${LENGTH}${behind}`,
  `${LONG_KEY} x y ${LENGTH}${behind} and more`,
];

/** Lines of each storage command that name a length and are refused, without the command. */
const REFUSED_VALUES: Readonly<Record<string, readonly string[]>> = {
  set: storageFaults(),
  add: storageFaults(),
  replace: storageFaults(),
  append: storageFaults(),
  prepend: storageFaults(),
  cas: [
    ...storageFaults(" 1"),
    `k 0 0 ${LENGTH}`,
    `k 0 0 ${LENGTH} abc`,
    `k 0 0 ${LENGTH} -1`,
    `k 0 0 ${LENGTH} 18446744073709551616`,
    `k 0 0 ${LENGTH} ${"0".repeat(22)}1`,
  ],
  ms: [
    `${LONG_KEY} ${LENGTH}`,
    `k ${LENGTH} !`,
    `k ${LENGTH} Z`,
    `k ${LENGTH} q q`,
    `k ${LENGTH} Tx`,
    `k ${LENGTH} T+5`,
    `k ${LENGTH} T4294967295`,
    `k ${LENGTH} F-1`,
    `k ${LENGTH} Cx`,
    `k ${LENGTH} MX`,
    `k ${LENGTH} b`,
    `k ${LENGTH} O${"o".repeat(40)}`,
    `k ${LENGTH} ${Array.from("bcefhkqstuv", (flag) => `${flag} `).join("").repeat(3)}`,
  ],
};

/** Places of the length in a line, the command's name included. */
const LENGTH_TOKEN = (command: string) => command === "ms" ? 2 : 4;
/** What no value can be as long as. */
const LENGTHS_REFUSED: readonly string[] = [
  "-1",
  "abc",
  "1x",
  "0x10",
  "1.5",
  "2147483646",
  "2147483647",
  "2147483648",
  "4294967295",
  "18446744073709551616",
];

/** Lines of every command that knows noreply, good and bad ones, without the command. */
const SILENT: Readonly<Record<string, readonly string[]>> = {
  set: storageFaults(),
  add: storageFaults(),
  replace: storageFaults(),
  append: storageFaults(),
  prepend: storageFaults(),
  cas: REFUSED_VALUES["cas"]!,
  incr: ["", "n", "n abc", "n -1", "n 1 2 3", `${LONG_KEY} 1`, "n 18446744073709551616", "n 1"],
  decr: ["", "n", "n abc", "n +1x", "n 1 2 3", `${LONG_KEY} 1`, "text 1", "n 1"],
  delete: ["", "n 5", "n 0 0", `${LONG_KEY}`, `${LONG_KEY} 0`, "n"],
  touch: ["", "n", "n abc", "n +5", "n 4294967295", "n 1 2", `${LONG_KEY} 1`, "n 1"],
  "flush_all": ["abc", "1.5", "x y", "1000000"],
  verbosity: ["", "abc", "-1", "1 2", "0"],
  "cache_memlimit": ["", "abc", "1", "1 2", "99999999999"],
  lru: ["", "x", "tune", "tune 1 2 3 4", "tune 90 90 1 1", "mode x", "temp_ttl x"],
  "lru_crawler": ["", "x", "crawl", "crawl 999", "sleep", "sleep x", "sleep 9999999", "tocrawl x"],
  extstore: ["", "x", "item_size", "item_size x", "free_memchunks 1", "max_frag x"],
  slabs: ["", "x", "reassign", "reassign x y", "reassign 1 1", "automove", "automove x"],
  watch: ["x", "fetchers x"],
};

/** What a line leaves of a conversation: the marker, and no trace of a value that was run. */
function play(input: string, store: Store): string[] {
  return RECEIVES.map((recv) => {
    flushNow(store);
    const { client } = converse(ascii(input), { recv, send: 4096 }, store);
    assertEquals(checkStore(store).problems, []);
    return client.text;
  });
}

/** Every receive size gives `expected`. */
function expectEach(input: string, expected: string, store = makeStore()): void {
  for (const text of play(input, store)) assertEquals(text, expected, input);
}

Deno.test("the tables have every command that they are about", () => {
  const known = COMMANDS.filter(({ knowsNoreply }) => knowsNoreply).map(({ text }) => text);
  assertEquals(Object.keys(SILENT).sort(), known.sort());
  const storage = COMMANDS.filter(({ shape }) => shape === CommandShape.VALUE);
  assertEquals(Object.keys(REFUSED_VALUES).sort(), storage.map(({ text }) => text).sort());
});

for (const [command, lines] of Object.entries(SILENT)) {
  const isStorage = command in REFUSED_VALUES;
  Deno.test(`execute() answers no line of ${command} that ends in noreply`, () => {
    const store = makeStore();
    for (const line of lines) {
      const words = [command, line, "noreply"].filter((word) => word !== "").join(" ");
      const value = isStorage ? `${VALUE}\r\n` : "";
      expectEach(`${words}\r\n${value}mn\r\n`, "MN\r\n", store);
    }
  });
}

for (const [command, lines] of Object.entries(REFUSED_VALUES)) {
  Deno.test(`execute() swallows the value of a line of ${command} that it refuses`, () => {
    const store = makeStore();
    for (const line of lines) {
      const input = `set kept 0 0 1\r\nx\r\n${command} ${line}\r\n${VALUE}\r\nget kept\r\n`;
      for (const text of play(input, store)) {
        const [stored, refusal = "", ...rest] = text.split("\r\n");
        assertEquals(stored, "STORED");
        assert(refusal.startsWith("CLIENT_ERROR "), `${line}: ${refusal}`);
        assertEquals(rest, ["VALUE kept 0 1", "x", "END", ""], line);
      }
    }
  });

  Deno.test(`execute() closes after a line of ${command} without a length`, () => {
    const store = makeStore();
    const token = LENGTH_TOKEN(command);
    const before = ["k", "0", "0"].slice(0, token - 1);
    const short = [[], ...before.map((_, index) => before.slice(0, index + 1))];
    const wrong = LENGTHS_REFUSED.map((length) => [...before, length]);
    for (const words of [...short, ...wrong]) {
      const line = [command, ...words].join(" ");
      // noreply or not: a length that says nothing is always answered.
      const ends = command === "ms" ? [""] : ["", " noreply"];
      for (const end of ends) {
        const input = `mn\r\n${line}${end}\r\n${VALUE}\r\nmn\r\n`;
        expectEach(input, `MN\r\n${BAD_FORMAT}`, store);
      }
    }
  });
}

Deno.test("execute() answers the next line of a client that was silent", () => {
  expectEach(
    "incr n abc noreply\r\nincr n abc\r\n",
    "CLIENT_ERROR invalid numeric delta argument\r\n",
  );
  expectEach("set k x 0 1 noreply\r\na\r\nget k\r\n", "END\r\n");
});

Deno.test("execute() keeps a refusal of -F back from a client that wants silence", () => {
  const { flushEnabled } = defaultSettings();
  assert(flushEnabled);
  const { client } = converse(
    ascii("flush_all noreply\r\nmn\r\n"),
    { recv: 5, send: 5 },
    makeStore(),
    {
      flushEnabled: false,
    },
  );
  assertEquals(client.text, "MN\r\n");
});

Deno.test("execute() sends a key dump, noreply or not", () => {
  expectEach("lru_crawler metadump all noreply\r\nmn\r\n", "OK\r\nEND\r\nMN\r\n");
});
