// Goal: whatever meta commands come, in whatever pieces, the replies are the same, each request
// gets its own, and nothing in the store is broken.
// Method: random lines out of the table of flags, with right and wrong tokens, mixed with classic
// commands on the same few keys; each followed by `mn`, whose reply ends that of the line. Played
// whole and in pieces of one to seven bytes, on stores of the same kind, and compared.

import { Prng } from "../../lib/base/prng.ts";
import { converse, type Cut } from "../../lib/net/network_fixture.ts";
import { FLAG_ROWS, FlagToken } from "../../lib/protocol/meta/flags.ts";
import { checkStore } from "../../lib/store/check.ts";
import type { StoreShape } from "../../lib/store/plan.ts";
import { makeStore, testClock } from "../../lib/store/store_fixture.ts";
import { restartProblems } from "../support/restarted.ts";
import type { FuzzOptions } from "./store_fuzz.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20 };
const LINES_MAX = 120;
const KEYS = ["a", "b", "counter", "Zm9v", "Zm9vYmFy", "k".repeat(250)];
const NUMBERS = ["0", "1", "2", "30", "4294967295", "4294967296", "18446744073709551615"];
const WRONG = ["", "x", "-1", "18446744073709551616", "1 ", "99999999999999999999"];

/** Every line that may begin a reply. */
const REPLY = new RegExp(
  "^(HD|VA|EN|NF|NS|EX|ME|STORED|NOT_STORED|DELETED|NOT_FOUND|VALUE|END|" +
    "CLIENT_ERROR|SERVER_ERROR|ERROR|$)",
);

/** Plays one round and returns what is wrong, with the seed that plays it again. */
export function fuzzMeta({ seed, operations }: FuzzOptions): string[] {
  const prng = new Prng(seed);
  const lines = Array.from({ length: Math.min(operations, LINES_MAX) }, () => lineOf(prng));
  const input = bytesOf(lines.map((line) => `${line}mn\r\n`).join(""));
  const shape: Partial<StoreShape> = {
    slabChunkMax: prng.pick([1024, 2 ** 19]),
    useCas: prng.below(4) > 0,
    itemSizeMax: prng.pick([1024 * 8, 2 ** 20]),
  };
  const problems: string[] = [];
  const whole = play(input, WHOLE, shape, problems);
  const cut = { recv: 1 + prng.below(7), send: 1 + prng.below(40) };
  const cutUp = play(input, cut, shape, problems);
  if (whole !== cutUp) {
    problems.push(`other replies ${JSON.stringify(cut)}: ${firstDifference(whole, cutUp)}`);
  }
  const answers = whole.split("MN\r\n");
  if (answers.length !== lines.length + 1) {
    problems.push(`${answers.length - 1} answers to ${lines.length} lines`);
  }
  answers.forEach((answer, index) => {
    if (!REPLY.test(answer)) {
      problems.push(`${JSON.stringify(lines[index])}: ${answer.slice(0, 80)}`);
    }
  });
  return problems.map((problem) => `--seed ${seed}: ${problem}`);
}

function play(
  input: Uint8Array<ArrayBuffer>,
  cut: Cut,
  shape: Partial<StoreShape>,
  problems: string[],
): string {
  const store = makeStore(shape, testClock());
  const { client, conn } = converse(input, cut, store);
  if (conn.session.sending !== 0) problems.push("an item is still being sent");
  problems.push(...checkStore(store).problems, ...restartProblems(store));
  return client.text;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function firstDifference(a: string, b: string): string {
  let at = 0;
  while (a[at] === b[at]) at++;
  return JSON.stringify([a.slice(at - 20, at + 60), b.slice(at - 20, at + 60)]);
}

/** A line, with the value that belongs to it. */
function lineOf(prng: Prng): string {
  const key = prng.pick(KEYS);
  const value = String.fromCharCode(33 + prng.below(200)).repeat(
    prng.pick([0, 1, 5, 100, 3000, 6000]),
  );
  switch (prng.below(12)) {
    case 0:
      return `get ${key}\r\n`;
    case 1:
      return `set ${key} ${prng.below(5)} ${
        prng.pick([0, 100, -1])
      } ${value.length}\r\n${value}\r\n`;
    case 2:
      return `delete ${key}\r\n`;
    case 3:
      return `set counter 0 0 2\r\n${prng.below(90) + 10}\r\n`;
    case 4:
    case 5:
    case 6:
      return `ms ${key} ${value.length}${flagsOf(prng)}\r\n${value}\r\n`;
    case 7:
      return `md ${key}${flagsOf(prng)}\r\n`;
    case 8:
      return `ma ${prng.pick([key, "counter"])}${flagsOf(prng)}\r\n`;
    case 9:
      return `me ${key}\r\n`;
    default:
      return `mg ${key}${flagsOf(prng)}\r\n`;
  }
}

function flagsOf(prng: Prng): string {
  const count = prng.below(6);
  let flags = "";
  for (let n = 0; n < count; n++) {
    const [letter, token] = prng.pick(FLAG_ROWS);
    flags += ` ${prng.below(200) === 0 ? prng.pick(["!", "Z", "9"]) : letter}${
      tokenOf(token, prng)
    }`;
  }
  return flags;
}

function tokenOf(token: FlagToken, prng: Prng): string {
  if (token !== FlagToken.NONE && prng.below(40) === 0) return prng.pick(WRONG);
  switch (token) {
    case FlagToken.NONE:
      return prng.below(20) === 0 ? "junk" : "";
    case FlagToken.TTL:
      return prng.pick(["0", "30", "100", "-1", "2592001"]);
    case FlagToken.MODE:
      return prng.pick(["E", "A", "P", "R", "S", "I", "D", "+", "-", "?", "e"]);
    case FlagToken.OPAQUE:
      return "o".repeat(prng.pick([0, 1, 31, 32]));
    default:
      return prng.pick(NUMBERS);
  }
}
