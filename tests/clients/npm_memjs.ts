// npm's `memjs`: the Node client of the binary protocol, with and without a SASL login.
//
// Arguments: HOST PORT, then for a login USER PASSWORD. Values come as Buffers; what is not there
// is null, what is refused is false. Flushes the server.

import { Buffer } from "node:buffer";
import memjs from "npm:memjs@1.3.2";
import { ALL_BYTES, LARGE_BYTES, largeText, TWO_SECONDS_GONE_MS } from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

type Result = { readonly value: Buffer | number | null; readonly flags?: Buffer };
type Client = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

const { host, port } = serverFromArgs();
const [, , username, password] = Deno.args;
const tap = new Tap();

function connect(login: Readonly<Record<string, unknown>> = { username, password }): Client {
  // One try, or a refusal is asked for twice.
  const options = { ...login, retries: 1, timeout: 5, logger: { log: () => {} } };
  return memjs.Client.create(`${host}:${port}`, options) as unknown as Client;
}
const client = connect();

const call = (name: string, ...args: unknown[]): Promise<unknown> => client[name]!(...args);

async function get(key: string): Promise<Buffer | null> {
  const { value } = await call("get", key) as Result;
  return value as Buffer | null;
}

async function text(key: string): Promise<string | null> {
  const value = await get(key);
  return value === null ? null : value.toString();
}

/** What `increment` or `decrement` answers. */
async function count(name: string, key: string, by: number, options = {}): Promise<unknown> {
  const { value } = await call(name, key, by, options) as Result;
  return value;
}

await tap.group("get and set", async () => {
  tap.equal("get of an unknown key", await get("none"), null);
  tap.equal("set", await call("set", "a", "one", {}), true);
  tap.equal("get", await text("a"), "one");
  tap.equal("set of every byte", await call("set", "a", Buffer.from(ALL_BYTES), {}), true);
  tap.equal("get of every byte", Buffer.compare(await get("a") ?? Buffer.of(), ALL_BYTES), 0);
  tap.equal("set of nothing", await call("set", "a", "", {}), true);
  tap.equal("get of nothing", await text("a"), "");
});

await tap.group("add and replace", async () => {
  tap.equal("replace of a missing key", await call("replace", "b", "x", {}), false);
  tap.equal("add", await call("add", "b", "one", {}), true);
  tap.equal("add again", await call("add", "b", "two", {}), false);
  tap.equal("replace", await call("replace", "b", "three", {}), true);
  tap.equal("get", await text("b"), "three");
});

await tap.group("append and prepend", async () => {
  await tap.rejects("append to a missing key", call("append", "c", "x"), /Item not stored/);
  await tap.rejects("prepend to a missing key", call("prepend", "c", "x"), /Item not stored/);
  await call("set", "c", "mid", {});
  tap.equal("append", await call("append", "c", ">"), true);
  tap.equal("prepend", await call("prepend", "c", "<"), true);
  tap.equal("get", await text("c"), "mid><"); // Its prepend sends an append.
});

await tap.group("increment and decrement", async () => {
  tap.equal("increment makes a counter", await count("increment", "n", 5, { initial: 10 }), 10);
  tap.equal("increment", await count("increment", "n", 5), 15);
  tap.equal("decrement", await count("decrement", "n", 6), 9);
  tap.equal("decrement stops at 0", await count("decrement", "n", 100), 0);
  const large = 2 ** 32 - 1; // The client writes no larger number, and reads none wrongly.
  tap.equal("a large number", await count("increment", "m", 1, { initial: large }), large);
  tap.equal("and one less", await count("decrement", "m", 1), large - 1);
});

await tap.group("delete, touch and expiry", async () => {
  tap.equal("delete of a missing key", await call("delete", "none"), false);
  await call("set", "d", "x", {});
  tap.equal("delete", await call("delete", "d"), true);
  tap.equal("get after it", await get("d"), null);
  tap.equal("touch of a missing key", await call("touch", "none", 10), false);
  await call("set", "e", "x", { expires: 1 });
  await call("set", "f", "x", { expires: 1000 });
  await call("set", "g", "x", { expires: 1 });
  tap.equal("touch to less", await call("touch", "f", 1), true);
  tap.equal("touch to more", await call("touch", "g", 1000), true);
  await sleep(TWO_SECONDS_GONE_MS);
  tap.equal("set with an expiry", await get("e"), null);
  tap.equal("touched to less", await get("f"), null);
  tap.equal("touched to more", await text("g"), "x");
});

await tap.group("large values", async () => {
  const large = largeText(LARGE_BYTES);
  tap.equal("set", await call("set", "large", large, {}), true);
  tap.ok("get", await text("large") === large);
  await tap.rejects(
    "set of 2 MiB",
    call("set", "large", largeText(2 ** 21), {}),
    /Value too large/,
  );
  tap.equal("the old value is gone", await get("large"), null);
});

await tap.group("in parallel", async () => {
  const keys = Array.from({ length: 500 }, (_, n) => `p${n}`);
  await Promise.all(keys.map((key) => call("set", key, `value of ${key}`, {})));
  const values = await Promise.all(keys.map(text));
  tap.equal("500 gets", values, keys.map((key) => `value of ${key}`));
});

await tap.group("server", async () => {
  const stats = (name: string, ...args: unknown[]): Promise<Record<string, string>> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, _: string, found: Record<string, string>) =>
        error === null ? resolve(found ?? {}) : reject(error);
      void call(name, ...args, done);
    });
  const all = await stats("stats");
  tap.ok("stats", Number(all["cmd_get"]) > 500, JSON.stringify(all).slice(0, 300));
  const settings = await stats("statsWithKey", "settings");
  tap.equal("stats settings", settings["cas_enabled"], "yes");
  tap.equal("whether there is a login", settings["auth_enabled_sasl"], username ? "yes" : "no");
});

if (username !== undefined) {
  await tap.group("login", async () => {
    const stranger = connect({ username, password: `${password}!` });
    await tap.rejects("a wrong password", stranger["get"]!("a"), /./);
    const nobody = connect({});
    await tap.rejects("no login", nobody["get"]!("a"), /./);
  });
}

await tap.group("flush", async () => {
  await call("set", "h", "x", {});
  tap.equal("flush", await call("flush"), { [`${host}:${port}`]: true });
  tap.equal("get after it", await get("h"), null);
});

tap.end();
