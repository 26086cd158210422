// npm's `memcache-client` (Walmart's electrode): promises, a parser of its own over raw bytes.
//
// Refusals are rejections whose message is the server's reply line; misses are undefined.

import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import { MemcacheClient, type MultiCasRetrievalResponse } from "npm:memcache-client@1.0.5";
import {
  ALL_BYTES,
  LARGE_BYTES,
  largeText,
  TOO_LARGE_BYTES,
  TRICKY,
  TWO_SECONDS_GONE_MS,
  UNICODE,
} from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

const { host, port } = serverFromArgs();
const tap = new Tap();
const client = new MemcacheClient({
  server: { server: `${host}:${port}`, maxConnections: 3 },
  compressor: {
    compressSync: (payload) => gzipSync(payload?.input as Buffer),
    decompressSync: (payload) => gunzipSync(payload.input as Buffer),
  },
});

const key = (name: string): string => `memcache-client:${name}`;

async function value(name: string): Promise<unknown> {
  return (await client.get<unknown>(name) as { value: unknown } | undefined)?.value;
}

await tap.group("get and set", async () => {
  tap.equal("get of an unknown key", await client.get(key("none")), undefined);
  tap.equal("set", await client.set(key("a"), "one"), ["STORED"]);
  tap.equal("get", await value(key("a")), "one");
  tap.equal("set again", await client.set(key("a"), "two"), ["STORED"]);
  tap.equal("get sees the new value", await value(key("a")), "two");
  await client.set(key("empty"), "");
  tap.equal("get of an empty value", await value(key("empty")), "");
  const got = await client.get(key("a")) as { tokens: string[] };
  tap.equal("the VALUE line has four parts", got.tokens, ["VALUE", key("a"), "0", "3"]);
});

await tap.group("types by flags", async () => {
  const cases: readonly (readonly [string, string | number | Buffer | Record<string, unknown>])[] =
    [
      ["number", 42.5],
      ["object", { list: [1, "two", null], nested: { deep: true } }],
      ["bytes", Buffer.from(ALL_BYTES)],
      ["text-like-the-protocol", TRICKY],
      ["unicode-text", UNICODE.repeat(50)],
    ];
  for (const [name, stored] of cases) {
    await client.set(key(name), stored);
    tap.equal(name, await value(key(name)), stored);
  }
  const text = "to be compressed ".repeat(200);
  await client.set(key("gz"), text, { compress: true });
  tap.equal("compressed text", await value(key("gz")), text);
  const { tokens } = await client.get(key("gz")) as { tokens: string[] };
  tap.ok("is stored compressed", Number(tokens[3]) < text.length / 10, tokens.join(" "));
});

await tap.group("add and replace", async () => {
  await tap.rejects("replace of a missing key", client.replace(key("ar"), "x"), /^NOT_STORED$/);
  tap.equal("add of a missing key", await client.add(key("ar"), "first"), ["STORED"]);
  await tap.rejects("add of a present key", client.add(key("ar"), "x"), /^NOT_STORED$/);
  const ignored = await client.add(key("ar"), "x", { ignoreNotStored: true });
  tap.equal("refusal ignored on request", ignored, "ignore NOT_STORED");
  tap.equal("refused add changes nothing", await value(key("ar")), "first");
  tap.equal("replace of a present key", await client.replace(key("ar"), "second"), ["STORED"]);
  tap.equal("get sees the replacement", await value(key("ar")), "second");
});

await tap.group("append and prepend", async () => {
  await tap.rejects("append to a missing key", client.append(key("ap"), "x"), /^NOT_STORED$/);
  await tap.rejects("prepend to a missing key", client.prepend(key("ap"), "x"), /^NOT_STORED$/);
  await client.set(key("ap"), "middle");
  tap.equal("append", await client.append(key("ap"), ">"), ["STORED"]);
  tap.equal("prepend", await client.prepend(key("ap"), "<"), ["STORED"]);
  tap.equal("get sees both", await value(key("ap")), "<middle>");
});

await tap.group("gets and cas", async () => {
  tap.equal("gets of an unknown key", await client.gets(key("none")), undefined);
  await client.set(key("cas"), "old");
  const got = await client.gets(key("cas")) as { value: unknown; casUniq: string };
  tap.equal("gets gives the value", got.value, "old");
  const { casUniq } = got;
  tap.ok("gets gives a number as cas", /^\d+$/.test(casUniq), `cas is ${casUniq}`);
  tap.equal("cas with it", await client.cas(key("cas"), "new", { casUniq }), ["STORED"]);
  await tap.rejects("cas again", client.cas(key("cas"), "newer", { casUniq }), /^EXISTS$/);
  tap.equal("the second one changes nothing", await value(key("cas")), "new");
  await tap.rejects("cas of a missing key", client.cas(key("no"), "x", { casUniq }), /^NOT_FOUND$/);
});

await tap.group("incr and decr", async () => {
  await tap.rejects("incr of a missing key", client.incr(key("none"), 1), /^NOT_FOUND$/);
  await tap.rejects("decr of a missing key", client.decr(key("none"), 1), /^NOT_FOUND$/);
  await client.set(key("n"), "10");
  tap.equal("incr", await client.incr(key("n"), 5), "15");
  tap.equal("decr", await client.decr(key("n"), 4), "11");
  tap.equal("decr stops at 0", await client.decr(key("n"), 1000), "0");
  await client.set(key("n"), "18446744073709551615");
  tap.equal("incr turns over after 64 bits", await client.incr(key("n"), 2), "1");
  await client.set(key("n"), "word");
  await tap.rejects(
    "incr of a word",
    client.incr(key("n"), 1),
    /^CLIENT_ERROR cannot increment or decrement non-numeric value$/,
  );
});

await tap.group("delete and touch", async () => {
  await client.set(key("d"), "x");
  tap.equal("touch", await client.touch(key("d"), 100), ["TOUCHED"]);
  tap.equal("delete", await client.delete(key("d")), ["DELETED"]);
  tap.equal("get after delete", await client.get(key("d")), undefined);
  await tap.rejects("delete again", client.delete(key("d")), /^NOT_FOUND$/);
  await tap.rejects("touch of a missing key", client.touch(key("d"), 100), /^NOT_FOUND$/);
});

await tap.group("expiry", async () => {
  await client.set(key("brief"), "x", { lifetime: 2 });
  await client.set(key("long"), "x", { lifetime: 100 });
  await client.set(key("shortened"), "x", { lifetime: 100 });
  await client.set(key("prolonged"), "x", { lifetime: 2 });
  await client.set(key("past"), "x", { lifetime: -1 });
  await client.touch(key("shortened"), 1);
  const gat = await client.cmd<Record<string, { value: unknown }>>(`gat 100 ${key("prolonged")}`);
  tap.equal("gat gives the value", gat[key("prolonged")]?.value, "x");
  tap.equal("a negative time has passed at once", await value(key("past")), undefined);
  tap.equal("two seconds are not over at once", await value(key("brief")), "x");
  await sleep(TWO_SECONDS_GONE_MS);
  tap.equal("two seconds are over", await value(key("brief")), undefined);
  tap.equal("a hundred are not", await value(key("long")), "x");
  tap.equal("touch shortens", await value(key("shortened")), undefined);
  tap.equal("gat prolongs", await value(key("prolonged")), "x");
});

await tap.group("many keys at once", async () => {
  const names = Array.from({ length: 100 }, (_, at) => key(`m${at}`));
  await Promise.all(names.map((name) => client.set(name, `value of ${name}`)));
  const all = await client.get<MultiCasRetrievalResponse>(names);
  tap.equal(
    "get of 100 keys",
    names.map((name) => all[name]?.value),
    names.map((name) => `value of ${name}`),
  );
  const mixed = [key("m0"), key("none"), key("m1")];
  const found = await client.gets<MultiCasRetrievalResponse>(mixed);
  tap.equal("gets leaves out unknown keys", Object.keys(found), [key("m0"), key("m1")]);
  const [first, second] = Object.values(found);
  tap.ok("each has a cas of its own", first?.casUniq !== second?.casUniq, Deno.inspect(found));
  tap.equal("get of unknown keys only", await client.get([key("none"), key("no")]), {});
});

await tap.group("noreply", async () => {
  // Over one conn, so that the get comes after what it looks for.
  const silent = new MemcacheClient({ server: `${host}:${port}` });
  const noreply = true;
  await silent.set(key("q"), "1", { noreply });
  await silent.incr(key("q"), 4, { noreply });
  await silent.append(key("q"), "0", { noreply });
  await silent.add(key("q"), "x", { noreply });
  await silent.touch(key("q"), 100, { noreply });
  const got = await silent.get(key("q")) as { value: unknown } | undefined;
  tap.equal("set, incr and append work silently", got?.value, "50");
  await silent.delete(key("q"), { noreply });
  tap.equal("so does delete", await silent.get(key("q")), undefined);
  silent.shutdown();
});

await tap.group("keys", async () => {
  await client.set(UNICODE, "unicode key");
  tap.equal("unicode key", await value(UNICODE), "unicode key");
  const longest = "k".repeat(250);
  await client.set(longest, "longest");
  tap.equal("key of 250 bytes", await value(longest), "longest");
  const tooLong = client.set("k".repeat(251), "x");
  await tap.rejects("key of 251 bytes is refused", tooLong, /^CLIENT_ERROR/);
  tap.equal("and its value is swallowed", await value(longest), "longest");
});

await tap.group("large values", async () => {
  const large = largeText(LARGE_BYTES);
  tap.equal("set of 500 KB", await client.set(key("large"), large), ["STORED"]);
  tap.ok("get of 500 KB", await value(key("large")) === large);
  const tooLarge = client.set(key("large"), "x".repeat(TOO_LARGE_BYTES));
  await tap.rejects("set of 1 MiB", tooLarge, /^SERVER_ERROR object too large for cache$/);
  tap.equal("and removes the old value", await value(key("large")), undefined);
});

await tap.group("in parallel", async () => {
  const numbers = Array.from({ length: 2000 }, (_, at) => at);
  await Promise.all(numbers.map((n) => client.set(key(`p${n}`), `v${n}`)));
  const values = await Promise.all(numbers.map((n) => value(key(`p${n}`))));
  tap.equal("2000 sets and gets", values, numbers.map((n) => `v${n}`));
  await client.set(key("count"), "0");
  await Promise.all(numbers.map(() => client.incr(key("count"), 1)));
  tap.equal("2000 incrs of one key", await value(key("count")), "2000");
});

await tap.group("server", async () => {
  const version = await client.version();
  tap.ok("version", version[0] === "VERSION" && /^\d+\.\d+\.\d+/.test(version[1] ?? ""));
  const { STAT } = await client.cmd<Record<"STAT", string[][]>>("stats");
  const stats = Object.fromEntries(STAT.map(([name, value]) => [name, value]));
  tap.equal("stats names the version", stats.version, version[1]);
  tap.ok("stats counts sets", Number(stats.cmd_set) > 2000, `cmd_set ${stats.cmd_set}`);
  await tap.rejects("an unknown command", client.cmd("no_such_command"), /^ERROR$/);
  tap.equal("the next one works", await client.set(key("a"), "one"), ["STORED"]);
  tap.equal("verbosity", await client.cmd("verbosity 0"), ["OK"]);
});

await tap.group("flush", async () => {
  await client.set(key("f"), "x");
  tap.equal("flush_all", await client.cmd("flush_all"), ["OK"]);
  tap.equal("get after it", await client.get(key("f")), undefined);
  tap.equal("set after it", await client.set(key("f"), "y"), ["STORED"]);
  tap.equal("get of that", await value(key("f")), "y");
});

tap.end();
