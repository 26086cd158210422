// npm's `memcache`: a modern Node client over the text protocol, with ketama hashing and events.
//
// Results are true, false or undefined; it takes a server's error for a refusal.

import { createNode, Memcache } from "npm:memcache@1.10.0";
import {
  LARGE_BYTES,
  largeText,
  TOO_LARGE_BYTES,
  TRICKY,
  TWO_SECONDS_GONE_MS,
  UNICODE,
} from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

const { host, port } = serverFromArgs();
const server = `${host}:${port}`;
const tap = new Tap();
const client = new Memcache({ nodes: [server], maxExpiration: 2 ** 31 });

const key = (name: string): string => `npm-memcache:${name}`;

/** The cas of a key, for which this client has no method of its own: asked by the meta protocol. */
async function casOf(name: string): Promise<string> {
  const [node] = await client.getNodesByKey(name);
  const line: unknown = await node?.command(`mg ${name} c`);
  return /^HD c(\d+)$/.exec(String(line))?.[1] ?? `no cas in "${line}"`;
}

await tap.group("get and set", async () => {
  tap.equal("get of an unknown key", await client.get(key("none")), undefined);
  tap.equal("set", await client.set(key("a"), "one"), true);
  tap.equal("get", await client.get(key("a")), "one");
  tap.equal("set again", await client.set(key("a"), "two"), true);
  tap.equal("get sees the new value", await client.get(key("a")), "two");
  await client.set(key("empty"), "");
  tap.equal("get of an empty value", await client.get(key("empty")), "");
  await client.set(key("tricky"), TRICKY);
  tap.equal("text that looks like the protocol", await client.get(key("tricky")), TRICKY);
  await client.set(key("unicode"), UNICODE.repeat(50));
  tap.equal("unicode text", await client.get(key("unicode")), UNICODE.repeat(50));
});

await tap.group("flags", async () => {
  await client.set(key("flags"), "x", 0, 4294967295);
  const [node] = await client.getNodesByKey(key("flags"));
  tap.equal("32 bits come back", await node?.command(`mg ${key("flags")} f`), "HD f4294967295");
});

await tap.group("add and replace", async () => {
  tap.equal("replace of a missing key", await client.replace(key("ar"), "x"), false);
  tap.equal("add of a missing key", await client.add(key("ar"), "first"), true);
  tap.equal("add of a present key", await client.add(key("ar"), "x"), false);
  tap.equal("refused add changes nothing", await client.get(key("ar")), "first");
  tap.equal("replace of a present key", await client.replace(key("ar"), "second"), true);
  tap.equal("get sees the replacement", await client.get(key("ar")), "second");
});

await tap.group("append and prepend", async () => {
  tap.equal("append to a missing key", await client.append(key("ap"), "x"), false);
  tap.equal("prepend to a missing key", await client.prepend(key("ap"), "x"), false);
  await client.set(key("ap"), "middle");
  tap.equal("append", await client.append(key("ap"), ">"), true);
  tap.equal("prepend", await client.prepend(key("ap"), "<"), true);
  tap.equal("get sees both", await client.get(key("ap")), "<middle>");
});

await tap.group("cas", async () => {
  await client.set(key("cas"), "old");
  const cas = await casOf(key("cas"));
  tap.equal("cas of an unchanged key", await client.cas(key("cas"), "new", cas), true);
  tap.equal("cas of a changed key", await client.cas(key("cas"), "newer", cas), false);
  tap.equal("the second one changes nothing", await client.get(key("cas")), "new");
  tap.equal("cas of a missing key", await client.cas(key("none"), "x", cas), false);
});

await tap.group("incr and decr", async () => {
  tap.equal("incr of a missing key", await client.incr(key("none")), undefined);
  tap.equal("decr of a missing key", await client.decr(key("none")), undefined);
  await client.set(key("n"), "10");
  tap.equal("incr by one", await client.incr(key("n")), 11);
  tap.equal("incr", await client.incr(key("n"), 4), 15);
  tap.equal("decr", await client.decr(key("n"), 5), 10);
  tap.equal("decr stops at 0", await client.decr(key("n"), 1000), 0);
  await client.set(key("n"), "word");
  tap.equal("incr of a word", await client.incr(key("n")), undefined);
});

await tap.group("delete and touch", async () => {
  await client.set(key("d"), "x");
  tap.equal("touch", await client.touch(key("d"), 100), true);
  tap.equal("delete", await client.delete(key("d")), true);
  tap.equal("get after delete", await client.get(key("d")), undefined);
  tap.equal("delete again", await client.delete(key("d")), false);
  tap.equal("touch of a missing key", await client.touch(key("d"), 100), false);
});

await tap.group("expiry", async () => {
  const now = Math.floor(Date.now() / 1000);
  await client.set(key("brief"), "x", 2);
  await client.set(key("long"), "x", 100);
  await client.set(key("shortened"), "x", 100);
  await client.set(key("prolonged"), "x", 2);
  await client.set(key("date"), "x", now + 100);
  await client.set(key("past"), "x", now - 100);
  await client.touch(key("shortened"), 1);
  await client.touch(key("prolonged"), 100);
  tap.equal("a date long past", await client.get(key("past")), undefined);
  tap.equal("two seconds are not over at once", await client.get(key("brief")), "x");
  await sleep(TWO_SECONDS_GONE_MS);
  tap.equal("two seconds are over", await client.get(key("brief")), undefined);
  tap.equal("a hundred are not", await client.get(key("long")), "x");
  tap.equal("nor is a date to come", await client.get(key("date")), "x");
  tap.equal("touch shortens", await client.get(key("shortened")), undefined);
  tap.equal("touch prolongs", await client.get(key("prolonged")), "x");
});

await tap.group("gets of many keys", async () => {
  const all = new Map(Array.from({ length: 100 }, (_, at) => [key(`m${at}`), `v${at}`]));
  for (const [name, value] of all) await client.set(name, value);
  tap.equal("all of 100 keys", await client.gets([...all.keys()]), all);
  const mixed = await client.gets([key("m0"), key("none"), key("m1")]);
  tap.equal("leaves out unknown keys", mixed, new Map([[key("m0"), "v0"], [key("m1"), "v1"]]));
  tap.equal("of unknown keys only", await client.gets([key("none"), key("no")]), new Map());
});

await tap.group("keys", async () => {
  await client.set(UNICODE, "unicode key");
  tap.equal("unicode key", await client.get(UNICODE), "unicode key");
  const longest = "k".repeat(250);
  await client.set(longest, "longest");
  tap.equal("key of 250 bytes", await client.get(longest), "longest");
  // 249 letters pass the client's check and are 498 bytes to the server.
  tap.equal("key of too many bytes", await client.set("ж".repeat(249), "x"), false);
  tap.equal("and its value is swallowed", await client.get(longest), "longest");
});

await tap.group("large values", async () => {
  const large = largeText(LARGE_BYTES);
  tap.equal("set of 500 KB", await client.set(key("large"), large), true);
  tap.ok("get of 500 KB", await client.get(key("large")) === large);
  const tooLarge = "x".repeat(TOO_LARGE_BYTES);
  tap.equal("add of 1 MiB is refused", await client.add(key("large2"), tooLarge), false);
  tap.equal("set of 1 MiB is refused", await client.set(key("large"), tooLarge), false);
  tap.equal("and removes the old value", await client.get(key("large")), undefined);
});

await tap.group("in parallel", async () => {
  const numbers = Array.from({ length: 2000 }, (_, at) => at);
  await Promise.all(numbers.map((n) => client.set(key(`p${n}`), `v${n}`)));
  const values = await Promise.all(numbers.map((n) => client.get(key(`p${n}`))));
  tap.equal("2000 sets and gets", values, numbers.map((n) => `v${n}`));
  await client.set(key("count"), "0");
  await Promise.all(numbers.map(() => client.incr(key("count"))));
  tap.equal("2000 incrs of one key", await client.get(key("count")), "2000");
});

await tap.group("events and hooks", async () => {
  const events: string[] = [];
  client.on("hit", (name: string) => events.push(`hit ${name}`));
  client.on("miss", (name: string) => events.push(`miss ${name}`));
  await client.set(key("e"), "x");
  await client.gets([key("e"), key("none")]);
  tap.equal("hit and miss", events, [`hit ${key("e")}`, `miss ${key("none")}`]);
});

await tap.group("server", async () => {
  const version = (await client.version()).get(server) ?? "";
  tap.ok("version", /^VERSION \d+\.\d+\.\d+/.test(version), version);
  const stats = (await client.stats()).get(server);
  tap.equal("stats names the version", `VERSION ${stats?.version}`, version);
  tap.ok("stats counts gets", Number(stats?.cmd_get) > 2000, `cmd_get ${stats?.cmd_get}`);
  const settings = (await client.stats("settings")).get(server);
  tap.equal("stats settings", settings?.tcpport, String(port));
  const slabs = (await client.stats("slabs")).get(server);
  tap.ok("stats slabs", Number(slabs?.active_slabs) > 0, Deno.inspect(slabs));
  const items = (await client.stats("items")).get(server);
  tap.ok("stats items", Object.keys(items ?? {}).some((name) => /^items:\d+:number$/.test(name)));
});

await tap.group("conns", async () => {
  const second = new Memcache({ nodes: [createNode(host, port)] });
  tap.equal("a second client sees the first one's key", await second.get(key("count")), "2000");
  await second.reconnect();
  tap.equal("and still after a reconnect", await second.get(key("count")), "2000");
  await second.quit();
  tap.equal("quit closes the conn", second.isConnected(), false);
});

await tap.group("flush", async () => {
  await client.set(key("f"), "x");
  tap.equal("flush", await client.flush(), true);
  tap.equal("get after flush", await client.get(key("f")), undefined);
  tap.equal("set after flush", await client.set(key("f"), "y"), true);
  tap.equal("get of it", await client.get(key("f")), "y");
  tap.equal("flush in a hundred seconds", await client.flush(100), true);
  tap.equal("does not flush now", await client.get(key("f")), "y");
  tap.equal("flush forgets the later one", await client.flush(), true);
});

tap.end();
