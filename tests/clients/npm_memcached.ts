// npm's `memcached`: the oldest Node client, still the most used one. Text protocol, pool of conns.
//
// It reads replies as text, tells values apart by flags (2 JSON, 4 Buffer, 8 number) and answers
// misses with undefined, refusals with false or an error.

import { Buffer } from "node:buffer";
import Memcached from "npm:memcached@2.2.2";
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

type Callback = (error: unknown, result: unknown) => void;
type Method = (...args: [...unknown[], Callback]) => void;
type Client = Readonly<Record<string, Method>>;

const { host, port } = serverFromArgs();
const server = `${host}:${port}`;
const tap = new Tap();

function connect(options: Readonly<Record<string, unknown>> = {}): Client {
  return new Memcached(server, { retries: 1, ...options }) as unknown as Client;
}
const client = connect();

/** Calls one method and settles as its callback says. */
function call(name: string, ...args: unknown[]): Promise<unknown> {
  return callOn(client, name, ...args);
}

function callOn(target: Client, name: string, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const method = target[name];
    if (method === undefined) throw new Error(`The client has no method ${name}`);
    method.call(target, ...args, (error: unknown, result: unknown) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(result);
    });
  });
}

const key = (name: string): string => `npm-memcached:${name}`;

await tap.group("get and set", async () => {
  tap.equal("get of an unknown key", await call("get", key("none")), undefined);
  tap.equal("set", await call("set", key("a"), "one", 0), true);
  tap.equal("get", await call("get", key("a")), "one");
  tap.equal("set again", await call("set", key("a"), "two", 0), true);
  tap.equal("get sees the new value", await call("get", key("a")), "two");
  await call("set", key("empty"), "", 0);
  tap.equal("get of an empty value", await call("get", key("empty")), "");
});

await tap.group("types by flags", async () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["number", 42.5],
    ["object", { list: [1, "two", null], nested: { deep: true } }],
    ["boolean", true],
    ["bytes", Buffer.from(ALL_BYTES)],
    ["text that looks like the protocol", TRICKY],
    ["unicode text", UNICODE.repeat(50)],
  ];
  for (const [name, value] of cases) {
    await call("set", key(name.replaceAll(" ", "-")), value, 0);
    tap.equal(name, await call("get", key(name.replaceAll(" ", "-"))), value);
  }
});

await tap.group("add and replace", async () => {
  await call("del", key("ar"));
  await tap.rejects("replace of a missing key", call("replace", key("ar"), "x", 0), /not stored/);
  tap.equal("add of a missing key", await call("add", key("ar"), "first", 0), true);
  await tap.rejects("add of a present key", call("add", key("ar"), "x", 0), /not stored/);
  tap.equal("refused add changes nothing", await call("get", key("ar")), "first");
  tap.equal("replace of a present key", await call("replace", key("ar"), "second", 0), true);
  tap.equal("get sees the replacement", await call("get", key("ar")), "second");
});

await tap.group("append and prepend", async () => {
  await call("del", key("ap"));
  await tap.rejects("append to a missing key", call("append", key("ap"), "x"), /not stored/);
  await tap.rejects("prepend to a missing key", call("prepend", key("ap"), "x"), /not stored/);
  await call("set", key("ap"), "middle", 0);
  tap.equal("append", await call("append", key("ap"), ">"), true);
  tap.equal("prepend", await call("prepend", key("ap"), "<"), true);
  tap.equal("get sees both", await call("get", key("ap")), "<middle>");
});

await tap.group("gets and cas", async () => {
  tap.equal("gets of an unknown key", await call("gets", key("none")), undefined);
  await call("set", key("cas"), "old", 0);
  const got = await call("gets", key("cas")) as Record<string, string>;
  tap.equal("gets gives the value", got[key("cas")], "old");
  tap.ok("gets gives a number as cas", /^\d+$/.test(got.cas ?? ""), `cas is ${got.cas}`);
  tap.equal("cas with it", await call("cas", key("cas"), "new", got.cas, 0), true);
  tap.equal("cas with it again", await call("cas", key("cas"), "newer", got.cas, 0), false);
  tap.equal("the second one changes nothing", await call("get", key("cas")), "new");
  tap.equal("cas of a missing key", await call("cas", key("none"), "x", got.cas, 0), false);
});

await tap.group("incr and decr", async () => {
  tap.equal("incr of a missing key", await call("incr", key("none"), 1), false);
  tap.equal("decr of a missing key", await call("decr", key("none"), 1), false);
  await call("set", key("n"), "10", 0);
  tap.equal("incr", await call("incr", key("n"), 5), 15);
  tap.equal("decr", await call("decr", key("n"), 4), 11);
  tap.equal("decr stops at 0", await call("decr", key("n"), 1000), 0);
  await call("set", key("n"), "word", 0);
  await tap.rejects("incr of a word", call("incr", key("n"), 1), /non-numeric value/);
});

await tap.group("del and touch", async () => {
  await call("set", key("d"), "x", 0);
  tap.equal("touch", await call("touch", key("d"), 100), true);
  tap.equal("del", await call("del", key("d")), true);
  tap.equal("get after del", await call("get", key("d")), undefined);
  tap.equal("del again", await call("del", key("d")), false);
  tap.equal("touch of a missing key", await call("touch", key("d"), 100), false);
});

await tap.group("expiry", async () => {
  await call("set", key("brief"), "x", 2);
  await call("set", key("long"), "x", 100);
  await call("set", key("shortened"), "x", 100);
  await call("set", key("prolonged"), "x", 2);
  await call("set", key("past"), "x", -1);
  await call("touch", key("shortened"), 1);
  await call("touch", key("prolonged"), 100);
  tap.equal("a negative time has passed at once", await call("get", key("past")), undefined);
  tap.equal("two seconds are not over at once", await call("get", key("brief")), "x");
  await sleep(TWO_SECONDS_GONE_MS);
  tap.equal("two seconds are over", await call("get", key("brief")), undefined);
  tap.equal("a hundred are not", await call("get", key("long")), "x");
  tap.equal("touch shortens", await call("get", key("shortened")), undefined);
  tap.equal("touch prolongs", await call("get", key("prolonged")), "x");
});

await tap.group("getMulti", async () => {
  const all = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [key(`m${at}`), `v${at}`]));
  for (const [name, value] of Object.entries(all)) await call("set", name, value, 0);
  const names = Object.keys(all);
  tap.equal("all of 100 keys", await call("getMulti", names), all);
  const mixed = names.slice(0, 2).toSpliced(1, 0, key("none"));
  const found = Object.fromEntries(Object.entries(all).slice(0, 2));
  tap.equal("leaves out unknown keys", await call("getMulti", mixed), found);
  tap.equal("of unknown keys only", await call("getMulti", [key("none"), key("no")]), {});
});

await tap.group("keys", async () => {
  await call("set", UNICODE, "unicode key", 0);
  tap.equal("unicode key", await call("get", UNICODE), "unicode key");
  const longest = "k".repeat(250);
  await call("set", longest, "longest", 0);
  tap.equal("key of 250 bytes", await call("get", longest), "longest");
  await call("set", "l".repeat(400), "hashed", 0);
  tap.equal("longer key, which the client hashes", await call("get", "l".repeat(400)), "hashed");
  const spaced = connect({ namespace: "ns:" });
  await callOn(spaced, "set", "x", "in the namespace", 0);
  tap.equal("namespace goes before the key", await call("get", "ns:x"), "in the namespace");
  const found = await callOn(spaced, "getMulti", ["x", "none"]);
  tap.equal("getMulti takes it off again", found, { x: "in the namespace" });
  callOn(spaced, "end").catch(() => {});
});

await tap.group("large values", async () => {
  const large = largeText(LARGE_BYTES);
  tap.equal("set of 500 KB", await call("set", key("large"), large, 0), true);
  tap.ok("get of 500 KB", await call("get", key("large")) === large);
  // A client of its own: this one takes a SERVER_ERROR as a reason to close the conn.
  const other = connect();
  const tooLarge = "x".repeat(TOO_LARGE_BYTES);
  const stored = await callOn(other, "set", key("large"), tooLarge, 0).catch(() => false);
  tap.equal("set of 1 MiB is refused", stored, false);
  tap.equal("and removes the old value", await call("get", key("large")), undefined);
});

await tap.group("in parallel", async () => {
  const numbers = Array.from({ length: 1000 }, (_, at) => at);
  const stored = await Promise.all(numbers.map((n) => call("set", key(`p${n}`), `v${n}`, 0)));
  tap.equal("1000 sets", stored.filter((result) => result === true).length, 1000);
  const values = await Promise.all(numbers.map((n) => call("get", key(`p${n}`))));
  tap.equal("1000 gets", values, numbers.map((n) => `v${n}`));
  await call("set", key("count"), "0", 0);
  await Promise.all(numbers.map(() => call("incr", key("count"), 1)));
  tap.equal("1000 incrs of one key", await call("get", key("count")), "1000");
});

await tap.group("server", async () => {
  const [version] = await call("version") as { version: string; server: string }[];
  tap.ok("version", /^\d+\.\d+\.\d+$/.test(version?.version ?? ""), Deno.inspect(version));
  const [stats] = await call("stats") as Record<string, unknown>[];
  const first = /^[\d.]+/.exec(String(stats?.version))?.[0];
  tap.equal("is read as the one in stats begins", version?.version, first);
  tap.ok("stats counts gets", Number(stats?.cmd_get) > 1000, `cmd_get ${stats?.cmd_get}`);
  const [settings] = await call("settings") as Record<string, unknown>[];
  tap.equal("settings tell the port", settings?.tcpport, port);
  const [slabs] = await call("slabs") as Record<string, unknown>[];
  tap.ok(
    "slabs tell active classes",
    Number((slabs?.active_slabs as Record<string, unknown>)?.undefined) > 0,
  );
  const [items] = await call("items") as Record<string, Record<string, number>>[];
  const classes = Object.keys(items ?? {}).filter((name) => /^\d+$/.test(name));
  tap.ok("items tell a class with items", classes.some((id) => (items?.[id]?.number ?? 0) > 0));
  const dump = await call("cachedump", server, Number(classes[0]), 5);
  tap.ok("cachedump answers", dump === undefined || typeof dump === "object", Deno.inspect(dump));
});

await tap.group("flush", async () => {
  await call("set", key("f"), "x", 0);
  tap.equal("flush", await call("flush"), [true]);
  tap.equal("get after flush", await call("get", key("f")), undefined);
  tap.equal("set after flush", await call("set", key("f"), "y", 0), true);
  tap.equal("get of it", await call("get", key("f")), "y");
});

tap.end();
