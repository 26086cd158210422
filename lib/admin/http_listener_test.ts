// Goal: whoever takes a connection and makes nothing of it has it for a while only, and those over
// the limit have none. Real sockets, short patience; nothing is asserted of how long it took.

import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { type Asked, type Handler, HttpListener } from "./http_listener.ts";

const HOSTNAME = "127.0.0.1";
const CONNS = 4;
const PATIENCE_MS = 300;
const WAIT_MS_MAX = 30_000;
const HEAD = "HTTP/1.1\r\nHost: localhost\r\n";
/** More than buffers of the kernel take. */
const BIG = 64 * 2 ** 20;

/** A handler with an answer of every kind. */
function makeHandler(): Handler & { streams: number } {
  const handler = (({ url }: Asked) => {
    const { pathname } = new URL(url);
    if (pathname === "/big") return Promise.resolve(new Response(new Uint8Array(BIG)));
    if (pathname !== "/events") return Promise.resolve(new Response("ok"));
    const body = new ReadableStream<Uint8Array>({
      start: () => void handler.streams++,
      pull: (client) => client.enqueue(new Uint8Array(2 ** 20)),
      cancel: () => void handler.streams--,
    });
    const headers = { "content-type": "text/event-stream" };
    return Promise.resolve(new Response(body, { headers }));
  }) as Handler & { streams: number };
  handler.streams = 0;
  return handler;
}

async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!await isTrue()) {
    assertLess(Date.now(), deadline, "it does not come true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function send(conn: Deno.Conn, text: string): Promise<void> {
  // It may be closed by now, which is what is waited for.
  await conn.write(new TextEncoder().encode(text)).catch(() => 0);
}

/** What comes until the end; "" where the connection is closed at once. */
async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const bytes = new Uint8Array(65536);
  while (true) {
    const count = await conn.read(bytes).catch(() => null);
    if (count === null) return text;
    text += new TextDecoder().decode(bytes.subarray(0, count));
  }
}

async function ask(port: number, text = `GET / ${HEAD}\r\n`): Promise<string> {
  using conn = await Deno.connect({ hostname: HOSTNAME, port });
  await send(conn, text);
  return await readAll(conn);
}

type Misuse = readonly [name: string, first: string, again?: string];

/** What clients do with a connection: what they send first, and again and again. */
const MISUSES: readonly Misuse[] = [
  ["says nothing", ""],
  ["sends half a head", "GET /met"],
  ["sends a head a byte at a time", "GET / HTTP/1.1\r\nX: ", "y"],
  ["keeps the connection after its answer", `GET / ${HEAD}\r\n`],
  ["asks again behind its answer", `GET / ${HEAD}\r\n`, `GET / ${HEAD}\r\n`],
  ["sends a body a byte at a time", `POST / ${HEAD}Content-Length: 9999\r\n\r\n`, "x"],
  ["does not read a large answer", `GET /big ${HEAD}\r\n`],
  ["does not read events", `GET /events ${HEAD}\r\n`],
];

for (const [name, first, again = ""] of MISUSES) {
  Deno.test(`HttpListener gets its place back from a client that ${name}`, async () => {
    const handler = makeHandler();
    const lines: string[] = [];
    const complain = (line: string) => void lines.push(line);
    const limits = { conns: CONNS, patienceMs: PATIENCE_MS };
    const listener = new HttpListener({ host: HOSTNAME, port: 0 }, handler, complain, limits);
    const { port } = listener;
    const conns: Deno.Conn[] = [];
    for (let count = 0; count < CONNS; count++) {
      const conn = await Deno.connect({ hostname: HOSTNAME, port });
      await send(conn, first);
      conns.push(conn);
    }
    // They stay, and go on; nothing is closed on this side.
    await until(async () => {
      for (const conn of conns) await send(conn, again);
      return (await ask(port)).endsWith("\r\n\r\nok");
    });
    await until(() => handler.streams === 0);
    for (const conn of conns) conn.close();
    await listener.stop();
    assertEquals(lines, []);
  });
}

Deno.test("HttpListener closes what comes over the limit at once, and no other", async () => {
  const limits = { conns: CONNS, patienceMs: 2 ** 30 };
  const listener = new HttpListener(
    { host: HOSTNAME, port: 0 },
    makeHandler(),
    () => {},
    limits,
  );
  const { port } = listener;
  const first = await Deno.connect({ hostname: HOSTNAME, port });
  const others: Deno.Conn[] = [];
  while (others.length < CONNS - 1) others.push(await Deno.connect({ hostname: HOSTNAME, port }));
  for (let count = 0; count < 3 * CONNS; count++) assertEquals(await ask(port), "");
  await send(first, `GET / ${HEAD}\r\n`);
  assertMatch(await readAll(first), /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
  first.close();
  await until(async () => await ask(port) !== "");
  for (const conn of others) conn.close();
  await listener.stop();
});

/** Requests that are none, or of a kind that is not served; all get an answer or an end. */
const ODD = [
  `CONNECT a:1 ${HEAD}\r\n`,
  `GET / ${HEAD}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
  `POST / ${HEAD}Expect: 100-continue\r\nContent-Length: 1\r\n\r\n`,
  `POST / ${HEAD}Expect: x\r\nContent-Length: 1\r\n\r\n`,
  `POST / ${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  `GET / ${HEAD}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`,
  `GET / ${HEAD}X: ${"x".repeat(100_000)}\r\n\r\n`,
  `GET /${"x".repeat(100_000)} ${HEAD}\r\n`,
  `GET / ${HEAD}__proto__: x\r\n\r\n`,
  "GET / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET /\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "\r\n\r\n",
  "\0",
];

Deno.test("HttpListener outlives whatever is sent, and whoever hangs up", async () => {
  const limits = { conns: 64, patienceMs: PATIENCE_MS };
  const listener = new HttpListener(
    { host: HOSTNAME, port: 0 },
    makeHandler(),
    () => {},
    limits,
  );
  const { port } = listener;
  for (const text of ODD) {
    assertMatch(await ask(port, text), /^(HTTP\/1.[01] [1-5]\d\d |$)/, text.slice(0, 60));
  }
  for (const path of ["/", "/big", "/events"]) {
    for (let round = 0; round < 20; round++) {
      const conn = await Deno.connect({ hostname: HOSTNAME, port });
      await send(conn, `GET ${path} ${HEAD}\r\n`);
      if (round % 2 === 0) await conn.read(new Uint8Array(100));
      conn.close();
    }
  }
  await until(async () => (await ask(port)).endsWith("\r\n\r\nok"));
  await listener.stop();
});

/** An error of the runtime: `code` is the errno's name. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code} (os error 1)`), { code });
}

/** A listener whose first `accept()` calls come to `errors`, and whose clients are gone at once. */
function failingListen(errors: string[]): typeof Deno.listen {
  const { listen } = Deno;
  return ((options: Deno.TcpListenOptions) => {
    const listener = listen(options);
    const accept = listener.accept.bind(listener);
    listener.accept = async () => {
      const code = errors.shift();
      if (code !== undefined) throw systemError(code);
      const conn = await accept();
      conn.setNoDelay = () => {
        throw systemError("EINVAL");
      };
      return conn;
    };
    return listener;
  }) as typeof Deno.listen;
}

type Failing = readonly [errors: readonly string[], lines: readonly RegExp[]];

const FAILING: readonly Failing[] = [
  [[], []],
  [["ECONNABORTED", "ECONNRESET", "EPROTO"], []],
  [["EMFILE"], [/^admin: EMFILE; listening again in 1000 ms$/]],
  [["ENFILE"], [/^admin: ENFILE; listening again in 1000 ms$/]],
];

for (const [errors, lines] of FAILING) {
  const title = `HttpListener serves after [${errors}] of accept(), and EINVAL of TCP_NODELAY`;
  Deno.test(title, async () => {
    const told: string[] = [];
    const { listen } = Deno;
    Deno.listen = failingListen([...errors]);
    const listener = new HttpListener(
      { host: HOSTNAME, port: 0 },
      makeHandler(),
      (line) => void told.push(line),
      { conns: CONNS, patienceMs: PATIENCE_MS },
    );
    Deno.listen = listen;
    assertMatch(await ask(listener.port), /\r\n\r\nok$/);
    await listener.stop();
    assertEquals(told.length, lines.length, told.join());
    for (const [index, line] of lines.entries()) assertMatch(told[index]!, line);
  });
}
