// A cache client that speaks nothing but the meta protocol. It is written out here: none of the npm
// clients beside this file speaks it by itself.
//
// It opens one conn, sends requests as they come and matches replies by their order; quiet batches
// end with `mn`, as doc/protocol.txt proposes.

import { Buffer } from "node:buffer";
import { ALL_BYTES, LARGE_BYTES, largeText, TRICKY, TWO_SECONDS_GONE_MS } from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

const CRLF = "\r\n";
const READ_BYTES = 65536;

/** One reply: its word, its flags by letter, and the value behind `VA`. */
interface Answer {
  readonly word: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly value?: string;
}

/** A conn that speaks the meta protocol. Texts are Latin-1: one letter for each byte. */
class MetaClient {
  readonly #conn: Deno.Conn;
  #text = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open(hostname: string, port: number): Promise<MetaClient> {
    return new MetaClient(await Deno.connect({ hostname, port }));
  }

  /** Sends `requests` as they are, each with its CRLF, in one piece. */
  async send(...requests: string[]): Promise<void> {
    const bytes = Buffer.from(requests.map((request) => request + CRLF).join(""), "latin1");
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** The next reply. */
  async receive(): Promise<Answer> {
    const line = await this.#take(await this.#find(CRLF));
    await this.#take(CRLF.length);
    const [word = "", ...tokens] = line.split(" ");
    if (word.endsWith("ERROR") || word === "ME") return { word, flags: {}, value: line };
    const bytes = word === "VA" ? Number(tokens.shift()) : undefined;
    const flags = Object.fromEntries(tokens.map((token) => [token[0]!, token.slice(1)]));
    if (bytes === undefined) return { word, flags };
    const value = await this.#take(bytes);
    if (await this.#take(CRLF.length) !== CRLF) throw new Error(`"${line}" lies about its length`);
    return { word, flags, value };
  }

  /** The reply to one request, or to a line and its value. */
  async ask(...lines: string[]): Promise<Answer> {
    await this.send(lines.join(CRLF));
    return await this.receive();
  }

  /** Replies to a batch of quiet requests, up to the one of `mn`. */
  async batch(requests: readonly string[]): Promise<Answer[]> {
    // The server may answer while we are still sending.
    const sent = this.send(...requests, "mn");
    const answers: Answer[] = [];
    while (true) {
      const answer = await this.receive();
      if (answer.word === "MN") break;
      answers.push(answer);
    }
    await sent;
    return answers;
  }

  /** Stores `value`; `flags` are those of `ms`. */
  set(key: string, value: string, flags = ""): Promise<Answer> {
    return this.ask(`ms ${key} ${value.length} ${flags}`, value);
  }

  /** The value of `key`, or undefined. */
  async get(key: string): Promise<string | undefined> {
    return (await this.ask(`mg ${key} v`)).value;
  }

  async #more(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const count = await this.#conn.read(buffer);
    if (count === null) throw new Error("the server closed the conn");
    this.#text += Buffer.from(buffer.buffer, 0, count).toString("latin1");
  }

  async #find(text: string): Promise<number> {
    while (!this.#text.includes(text)) await this.#more();
    return this.#text.indexOf(text);
  }

  async #take(count: number): Promise<string> {
    while (this.#text.length < count) await this.#more();
    const taken = this.#text.slice(0, count);
    this.#text = this.#text.slice(count);
    return taken;
  }
}

const { host, port } = serverFromArgs();
const tap = new Tap();
const client = await MetaClient.open(host, port);

const key = (name: string): string => `meta-raw:${name}`;
const base64 = (bytes: Uint8Array | string): string =>
  Buffer.from(bytes as string).toString("base64");

await tap.group("get and set", async () => {
  tap.equal("mg of an unknown key", await client.ask(`mg ${key("none")} v`), {
    word: "EN",
    flags: {},
  });
  tap.equal("ms", (await client.set(key("a"), "one")).word, "HD");
  tap.equal("mg", await client.get(key("a")), "one");
  await client.set(key("a"), "two");
  tap.equal("mg sees the new value", await client.get(key("a")), "two");
  await client.set(key("empty"), "");
  tap.equal("an empty value", await client.get(key("empty")), "");
  await client.set(key("tricky"), TRICKY);
  tap.equal("text that looks like the protocol", await client.get(key("tricky")), TRICKY);
  const bytes = Buffer.from(ALL_BYTES).toString("latin1");
  await client.set(key("bytes"), bytes);
  tap.equal("every byte", await client.get(key("bytes")), bytes);
  const large = largeText(LARGE_BYTES);
  await client.set(key("large"), large);
  tap.ok("500 KB", await client.get(key("large")) === large);
});

await tap.group("flags", async () => {
  await client.set(key("f"), "abc", "F4294967295 T1000");
  const { word, flags, value } = await client.ask(`mg ${key("f")} s v f Oxy k t`);
  tap.equal("value", [word, value], ["VA", "abc"]);
  tap.equal("in the order of the request", Object.keys(flags).join(""), "sfOkt");
  tap.equal("32 bits come back", flags.f, "4294967295");
  tap.equal("size, opaque and key", [flags.s, flags.O, flags.k], ["3", "xy", key("f")]);
  tap.ok("time to live", Number(flags.t) > 990 && Number(flags.t) <= 1000, flags.t);
  await client.set(key("h"), "x");
  const fresh = await client.ask(`mg ${key("h")} h u`);
  tap.equal("not hit yet", fresh.flags.h, "0");
  await client.get(key("h"));
  tap.equal("hit", (await client.ask(`mg ${key("h")} h`)).flags.h, "1");
});

await tap.group("modes", async () => {
  tap.equal("replace of a missing key", (await client.set(key("m"), "x", "MR")).word, "NS");
  tap.equal("append to a missing key", (await client.set(key("m"), "x", "MA")).word, "NS");
  tap.equal("prepend to a missing key", (await client.set(key("m"), "x", "MP")).word, "NS");
  tap.equal("add of a missing key", (await client.set(key("m"), "b", "ME")).word, "HD");
  tap.equal("add of a present key", (await client.set(key("m"), "x", "ME")).word, "NS");
  tap.equal("append", (await client.set(key("m"), "c", "MA")).word, "HD");
  tap.equal("prepend", (await client.set(key("m"), "a", "MP")).word, "HD");
  tap.equal("all of it", await client.get(key("m")), "abc");
  tap.equal("replace", (await client.set(key("m"), "new", "MR")).word, "HD");
  tap.equal("set", (await client.set(key("m"), "newer", "MS")).word, "HD");
  tap.equal("the last one", await client.get(key("m")), "newer");
});

await tap.group("cas", async () => {
  const { flags: { c: one } } = await client.set(key("cas"), "old", "c");
  tap.equal("mg tells the same", (await client.ask(`mg ${key("cas")} c`)).flags.c, one);
  tap.equal("unchanged", (await client.set(key("cas"), "new", `C${one}`)).word, "HD");
  tap.equal("changed", (await client.set(key("cas"), "newer", `C${one}`)).word, "EX");
  tap.equal("missing", (await client.set(key("none"), "x", `C${one}`)).word, "NF");
  tap.equal("md of a changed item", (await client.ask(`md ${key("cas")} C${one}`)).word, "EX");
  tap.equal("nothing happened", await client.get(key("cas")), "new");
});

await tap.group("touch and expiry", async () => {
  await client.set(key("brief"), "x", "T2");
  await client.set(key("prolonged"), "x", "T2");
  await client.set(key("shortened"), "x", "T1000");
  tap.equal("mg T", (await client.ask(`mg ${key("prolonged")} T1000`)).word, "HD");
  await client.ask(`mg ${key("shortened")} T1`);
  tap.equal("mg T of a missing key", (await client.ask(`mg ${key("none")} T1000`)).word, "EN");
  await sleep(TWO_SECONDS_GONE_MS);
  tap.equal("two seconds are over", await client.get(key("brief")), undefined);
  tap.equal("touch prolongs", await client.get(key("prolonged")), "x");
  tap.equal("touch shortens", await client.get(key("shortened")), undefined);
});

await tap.group("incr and decr", async () => {
  const number = async (request: string) => (await client.ask(request)).value;
  tap.equal("ma of a missing key", (await client.ask(`ma ${key("n")} v`)).word, "NF");
  tap.equal("made", await number(`ma ${key("n")} v N0 J10`), "10");
  tap.equal("up by one", await number(`ma ${key("n")} v N0 J10`), "11");
  tap.equal("up", await number(`ma ${key("n")} v D89`), "100");
  tap.equal("down", await number(`ma ${key("n")} v MD D99`), "1");
  tap.equal("down to 0", await number(`ma ${key("n")} v MD D99`), "0");
  await client.set(key("n"), "18446744073709551614");
  tap.equal("64 bits", await number(`ma ${key("n")} v`), "18446744073709551615");
  tap.equal("wraps", await number(`ma ${key("n")} v`), "0");
  await client.set(key("n"), "word");
  tap.equal("a word", (await client.ask(`ma ${key("n")}`)).word, "CLIENT_ERROR");
});

await tap.group("delete and stale", async () => {
  await client.set(key("d"), "old");
  tap.equal("md", (await client.ask(`md ${key("d")}`)).word, "HD");
  tap.equal("md again", (await client.ask(`md ${key("d")} k`)).word, "NF");
  const made = await client.ask(`mg ${key("d")} v N30`);
  tap.equal("the first one fills", [made.value, Object.keys(made.flags)], ["", ["W"]]);
  const wait = await client.ask(`mg ${key("d")} v N30`);
  tap.equal("the second one waits", [wait.value, Object.keys(wait.flags)], ["", ["Z"]]);
  await client.set(key("d"), "filled");
  tap.equal("filled", await client.ask(`mg ${key("d")} v N30`), {
    word: "VA",
    flags: {},
    value: "filled",
  });
  tap.equal("md I", (await client.ask(`md ${key("d")} I T30`)).word, "HD");
  const stale = await client.ask(`mg ${key("d")} v`);
  tap.equal("stale", [stale.value, Object.keys(stale.flags)], ["filled", ["X", "W"]]);
  const other = await client.ask(`mg ${key("d")} v`);
  tap.equal("and won", [other.value, Object.keys(other.flags)], ["filled", ["Z", "X"]]);
});

await tap.group("quiet batches", async () => {
  const numbers = Array.from({ length: 2000 }, (_, at) => at);
  const sets = numbers.map((n) => `ms ${key(`q${n}`)} 4 q${CRLF}${String(n).padStart(4, "0")}`);
  tap.equal("2000 sets", await client.batch(sets), []);
  tap.equal(
    "all but the missing",
    (await client.batch(numbers.map((n) => `mg ${key(`q${n * 2}`)} v q O${n * 2}`)))
      .map(({ flags, value }) => [Number(flags.O), Number(value)]),
    numbers.slice(0, 1000).map((n) => [n * 2, n * 2]),
  );
  const refused = await client.batch([
    `ms ${key("q0")} 1 q ME O1${CRLF}x`,
    `md ${key("none")} q O2`,
    `ma ${key("none")} q O3`,
    `mg ${key("none")} q O4`,
    `ms ${key("q1")} 1 q O5${CRLF}x`,
  ]);
  const seen = refused.map(({ word, flags }) => `${word}${flags.O}`);
  tap.equal("refusals are not quiet", seen, ["NS1", "NF2", "NF3"]);
  tap.equal("2000 deletes", await client.batch(numbers.map((n) => `md ${key(`q${n}`)} q`)), []);
  tap.equal("are gone", await client.batch(numbers.map((n) => `mg ${key(`q${n}`)} q`)), []);
});

await tap.group("binary keys", async () => {
  const names = [ALL_BYTES.subarray(0, 186), base64("a b\r\n\0"), base64("\xff")]
    .map((name) => typeof name === "string" ? name : base64(name));
  for (const name of names) {
    await client.set(name, "binary", "b");
    const { value, flags } = await client.ask(`mg ${name} b k v`);
    tap.equal(`of ${name.length} letters`, [value, flags], ["binary", { k: name, b: "" }]);
    tap.equal("the letters are another key", await client.get(name), undefined);
    tap.equal("delete", (await client.ask(`md ${name} b`)).word, "HD");
  }
  const { word } = await client.ask("mg not-base64 b");
  tap.equal("what is no base64", word, "CLIENT_ERROR");
});

await tap.group("me", async () => {
  await client.set(key("me"), "x");
  const { value = "" } = await client.ask(`me ${key("me")}`);
  const form = /^ME \S+ exp=-1 la=\d+ cas=\d+ fetch=no cls=\d+ size=\d+$/;
  tap.ok("shows the item", form.test(value), value);
  tap.equal("of a missing key", (await client.ask(`me ${key("none")}`)).word, "EN");
});

tap.end();
