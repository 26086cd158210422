// npm's memcached as driver.ts wants it: a line of JSON for each request and reply. A node that is
// dead to it is removed from its ring for good, so to rejoin is to begin anew.
//
// usage: memcached_driver.ts HOST:PORT…
// deno-lint-ignore-file no-console

import Memcached from "npm:memcached@2.2.2";

interface Request {
  readonly op: string;
  readonly keys: readonly string[];
  readonly value: string;
}

type Callback = (error: unknown, result: unknown) => void;
type Client = Readonly<Record<"get" | "set" | "getMulti", (...args: unknown[]) => void>>;

/** Requests at a time; more than the client has connections would be refused. */
const AT_ONCE = 8;
/** A call may take so long. */
const CALL_MS_MAX = 1500;
const LIFETIME_SECONDS = 1000;

// After two failures, a tenth of a second apart, a node is removed.
const OPTIONS = { remove: true, failures: 2, retry: 100, retries: 0, timeout: 500, minTimeout: 50 };

let client = connect();

function connect(): Client {
  return new Memcached([...Deno.args], OPTIONS) as unknown as Client;
}

/** Calls one method. What is under way when a node dies is never called back: that is an error. */
function call(name: keyof Client, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${name}`)), CALL_MS_MAX);
    const done: Callback = (error, result) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(result);
    };
    client[name](...args, done);
  });
}

async function oneByOne(request: Request): Promise<unknown> {
  const values: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  const work = async (key: string): Promise<void> => {
    try {
      if (request.op === "set") await call("set", key, request.value, LIFETIME_SECONDS);
      else {
        const value = await call("get", key);
        if (value !== undefined) values[key] = value;
      }
    } catch (error) {
      errors[key] = String(error);
    }
  };
  for (let at = 0; at < request.keys.length; at += AT_ONCE) {
    await Promise.all(request.keys.slice(at, at + AT_ONCE).map(work));
  }
  return { values, errors };
}

async function answer(request: Request): Promise<unknown> {
  switch (request.op) {
    case "getMany":
      return { values: await call("getMulti", request.keys), errors: {} };
    case "rejoin":
      client = connect();
      return { values: {}, errors: {} };
    default:
      return await oneByOne(request);
  }
}

let received = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  received += text;
  for (let at = received.indexOf("\n"); at >= 0; at = received.indexOf("\n")) {
    const request: Request = JSON.parse(received.slice(0, at));
    received = received.slice(at + 1);
    console.log(JSON.stringify(await answer(request)));
  }
}
// Its sockets and timers would keep the process.
Deno.exit(0);
