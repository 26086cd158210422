// Random requests of the classic text protocol, odd ones included, in a form in which a request can
// be played on two servers and again with other keys.
//
// A request is a string of bytes (0..255). Other characters stand for what differs between plays:
//   KEY + n    a key that requests share: what one stores, the next one sees
//   FRESH + n  a key that only this request uses: the servers may disagree about it for good
//   CAS + n    the cas number of shared key n as this server showed it last
//
// No value holds "MN", so that the reply to an `mn` after each request is easily found.

import type { Prng } from "../../lib/base/prng.ts";

// Chinese characters, none of which is white space to a regular expression.
export const KEY = 0x4e00;
export const CAS = 0x4f00;
export const FRESH = 0x5000;

/** One request, or several lines that belong together. */
export interface Request {
  readonly text: string;
  /** Is followed by an `mn`, so that its replies are told from those of the next one. */
  readonly sync: boolean;
  /** Is malformed or extreme: looked at by itself, since the servers may answer differently. */
  readonly odd: boolean;
}

const KEYS = 6;
const STORAGE = ["set", "set", "set", "add", "replace", "append", "prepend"];
const FLAGS = ["0", "0", "0", "1", "7", "65535", "4294967295", "007", "+5"];
/** None ends within the seconds that a conversation takes, except those that have ended already. */
const EXPTIMES = ["0", "0", "0", "0", "100", "2592000", "2147483647", "-1", "-100", "2592001"];
const NUMBERS = ["0", "1", "5", "9", "10", "99", "100", "007", "4294967295", "9007199254740993"]
  .concat(["18446744073709551615", "18446744073709551614", "18446744073709551616", " 7", "12 ab"])
  .concat(["-1", "", "1.5", "99999999999999999999", "184467440737095516150"]);
const DELTAS = ["0", "1", "1", "2", "9", "10", "100", "9007199254740993", "18446744073709551615"]
  .concat(["0001", "9223372036854775808"]);
const ODD_NUMBERS = ["-1", "x", "1x", "1.5", "", "-", "18446744073709551616", "4294967296"]
  .concat(["99999999999999999999999", "-9223372036854775809", "0x10", "1e3", "\xff", "noreply"]);
const ODD_LENGTHS = ["-1", "x", "3x", "2147483646", "2147483647", "-2147483648"]
  .concat(["99999999999999999999", "1.5"]);
const WIDE_EXPTIMES = ["2147483648", "4294967295", "4294967296", "4294967396", "253402300800"];
const WORDS = ["get", "gets", "gat", "gats", "set", "add", "replace", "append", "prepend", "cas"]
  .concat(["incr", "decr", "delete", "touch", "verbosity"]);
const GARBAGE = "abcdefgxyzABCDEFG0123456789!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~\t\x01\x7f\x80\xff";

/** Makes requests out of one generator. */
export class Generator {
  readonly #prng: Prng;
  #fresh = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** A conversation of `count` requests. */
  conversation(count: number): Request[] {
    return Array.from({ length: count }, () => this.#request());
  }

  #request(): Request {
    if (this.#chance(0.3)) return { text: this.#odd(), sync: true, odd: true };
    return { text: this.#plain(), sync: this.#chance(0.6), odd: false };
  }

  #chance(part: number): boolean {
    return this.#prng.below(1_000_000) < part * 1_000_000;
  }

  #key(): string {
    return String.fromCharCode(KEY + this.#prng.below(KEYS));
  }

  #freshKey(): string {
    return String.fromCharCode(FRESH + this.#fresh++ % 0x800);
  }

  #noreply(): string {
    return this.#chance(0.15) ? " noreply" : "";
  }

  #value(numbers: readonly string[]): string {
    if (this.#chance(0.4)) return this.#prng.pick(numbers);
    if (this.#chance(0.1)) {
      return this.#prng.pick(["a\r\n", "a\r\nb", "get x\r\n", "x\0", "\xff\xfe"]);
    }
    const length = this.#prng.pick([0, 1, 2, 3, 10, 10, 40, 100, 1000, 5000, 20000]);
    return this.#prng.pick(["d", "e", "5"]).repeat(this.#prng.below(length + 1));
  }

  #plain(): string {
    const { pick } = this.#prng;
    const from = <T>(list: readonly T[]): T => pick.call(this.#prng, list) as T;
    switch (this.#prng.below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        return this.#storage(from(STORAGE), this.#key(), "");
      case 6:
        return this.#cas();
      case 7:
      case 8:
      case 9:
        return `${from(["get", "gets"])}${this.#keys()}\r\n`;
      case 10:
        return `${from(["gat", "gats"])} ${from(EXPTIMES)}${this.#keys()}\r\n`;
      case 11:
      case 12:
      case 13:
      case 14:
        return `${from(["incr", "decr"])} ${this.#key()} ${from(DELTAS)}${this.#noreply()}\r\n`;
      case 15:
        return `delete ${this.#key()}${from(["", "", " 0"])}${this.#noreply()}\r\n`;
      case 16:
      case 17:
        return `touch ${this.#key()} ${from(EXPTIMES)}${this.#noreply()}\r\n`;
      case 18:
        if (this.#chance(0.8)) return `gets${this.#keys()}\r\n`;
        return `flush_all${from(["", " 0", " -1", " -5"])}${this.#noreply()}\r\n`;
      default:
        return from(["version\r\n", "verbosity 0\r\n", "nonsense\r\n", "verbosity 0 noreply\r\n"]);
    }
  }

  #storage(command: string, key: string, extra: string): string {
    // Not so long that leading zeros could make a number of more than 20 digits that is in range:
    // there the releases of memcached differ.
    const grows = command === "append" || command === "prepend";
    // No minus sign in front of many digits: 1.6.18's strtoull takes that for a number.
    const value = this.#value(grows ? ["1", "20", "1-", "", " 7"] : NUMBERS);
    const [flags, exptime] = [this.#prng.pick(FLAGS), this.#prng.pick(EXPTIMES)];
    const space = this.#chance(0.03) ? "  " : " ";
    const line = [command, key, flags, exptime, String(value.length) + extra].join(space);
    return `${line}${this.#noreply()}${this.#chance(0.05) ? "\n" : "\r\n"}${value}\r\n`;
  }

  #cas(): string {
    const at = this.#prng.below(KEYS);
    const known = String.fromCharCode(CAS + at);
    const number = this.#prng.pick([known, known, known, "0", "1", "18446744073709551615"]);
    return this.#storage("cas", String.fromCharCode(KEY + at), ` ${number}`);
  }

  #keys(): string {
    const count = this.#prng.pick([1, 1, 2, 3, 10, 30]);
    let keys = "";
    for (let i = 0; i < count; i++) keys += ` ${this.#key()}`;
    return keys;
  }

  #odd(): string {
    const key = this.#freshKey();
    switch (this.#prng.below(12)) {
      case 0:
        return this.#oddStorage(key);
      case 1:
        return `${this.#storageWord()} ${key} 0 0 ${this.#prng.pick(ODD_LENGTHS)}\r\n`;
      case 2:
        return this.#badChunk(key);
      case 3: {
        const word = this.#prng.pick(["incr", "decr"]);
        return `set ${key} 0 0 1\r\n5\r\n${word} ${key} ${this.#prng.pick(ODD_NUMBERS)}\r\n`;
      }
      case 4:
        return this.#oddExptime(key);
      case 5:
        return `set ${key} 0 ${this.#prng.pick(WIDE_EXPTIMES)} 1\r\na\r\nget ${key}\r\n`;
      case 6: {
        const more = this.#prng.pick([" 1", " x", " 0 0", " noreply 0", " 00", " 0 x", " -1"]);
        return `set ${key} 0 0 1\r\na\r\ndelete ${key}${more}\r\nget ${key}\r\n`;
      }
      case 7:
        return this.#fewTokens(key);
      case 8:
        return this.#manyTokens(key);
      case 9:
        return this.#garbage();
      case 10:
        return this.#longKey(key);
      default:
        return this.#oddSpaces(key);
    }
  }

  #storageWord(): string {
    return this.#prng.pick(STORAGE);
  }

  /** Bad flags, expiry or cas; should the value be taken for a command, it is an unknown one. */
  #oddStorage(key: string): string {
    const odd = this.#prng.pick(ODD_NUMBERS.filter((number) => number !== ""));
    const end = ` 5${this.#noreply()}\r\nddddd\r\n`;
    switch (this.#prng.below(4)) {
      case 0:
        return `${this.#storageWord()} ${key} ${odd} 0${end}`;
      case 1:
        return `${this.#storageWord()} ${key} 0 ${odd}${end}`;
      case 2:
        return `cas ${key} 0 0 5 ${odd}\r\nddddd\r\n`;
      default:
        return `${this.#storageWord()} ${key} ${odd} ${odd}${end}`;
    }
  }

  #badChunk(key: string): string {
    const head = `set ${key} 0 0 1\r\na\r\n${this.#storageWord()} ${key} 0 0`;
    const value = this.#prng.pick(["abcdefghij", "ab\r\nddddd", "abcXX", "abc\n\n", "abcd", "ab"]);
    const filler = "\r\nversion\r\n";
    return `${head} 3${this.#noreply()}\r\n${value}${filler}get ${key}\r\n`;
  }

  #oddExptime(key: string): string {
    const odd = this.#prng.pick(ODD_NUMBERS);
    const line = this.#prng.pick([
      `touch ${key} ${odd}`,
      `gat ${odd} ${key}`,
      `gats ${odd} ${key}`,
    ]);
    return `set ${key} 0 0 1\r\na\r\n${line}\r\n`;
  }

  #fewTokens(key: string): string {
    const all = [key, "0", "0", "5"];
    return `${[this.#prng.pick(WORDS), ...all.slice(0, this.#prng.below(4))].join(" ")}\r\n`;
  }

  #manyTokens(key: string): string {
    const more = " j".repeat(1 + this.#prng.below(4)) + this.#noreply();
    switch (this.#prng.below(4)) {
      case 0:
        return `${this.#storageWord()} ${key} 0 0 5${more}\r\nddddd\r\n`;
      case 1:
        return `set ${key} 0 0 1\r\n5\r\nincr ${key} 1${more}\r\n`;
      case 2:
        return `set ${key} 0 0 1\r\n5\r\ntouch ${key} 0${more}\r\n`;
      default:
        return `verbosity 0${more}\r\n`;
    }
  }

  #garbage(): string {
    let line = "";
    for (let i = this.#prng.below(40); i >= 0; i--) line += this.#prng.pick([...GARBAGE, " "]);
    // 0x80 begins the binary protocol, HTTP/ and a leading space are for the conformance scripts.
    return `${line.replace(/^[ \x80]+/, "").replaceAll("HTTP", "")}\r\n`;
  }

  #longKey(key: string): string {
    const long = `${key}${"k".repeat(this.#prng.pick([237, 238, 239, 240, 300, 1000]))}`;
    const line = this.#prng.pick([
      ...[`get ${long}`, `gets ${long}`, `gat 0 ${long}`, `incr ${long} 1`, `decr ${long} 1`],
      ...[`delete ${long}`, `touch ${long} 0`, `get ${key} ${long}`, `get ${long} ${key}`],
      ...[
        `set ${long} 0 0 5\r\nddddd`,
        `add ${long} 0 0 5\r\nddddd`,
        `cas ${long} 0 0 5 1\r\nddddd`,
      ],
    ]);
    return `${line}\r\n`;
  }

  #oddSpaces(key: string): string {
    return this.#prng.pick([
      ...[` get ${key}\r\n`, `   version\r\n`, `get  ${key}  ${key} \r\n`, `get\t${key}\r\n`],
      ...[`set ${key}\tx 0 0 1\r\na\r\nget ${key} ${key}\tx\r\n`, `version \r\n`, `version\t\r\n`],
      ...[`get ${key}\r\r\n`, `get ${key}\n`, `version\n`, `\r\n`, `\n`, `a\r\n`, ` \r\n`, `ab\n`],
      ...[`get ${key}\0x\r\n`, `\0\r\n`, `delete ${key} \r\n`, `incr ${key} 1 \r\n`],
    ]);
  }
}
