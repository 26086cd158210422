// Goal: every route answers as it should, nothing but GET and HEAD is taken, and a broken answer is
// one line in the log.

import { assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { SettingsError } from "../config/settings_error.ts";
import type { StatsView } from "../stats/stats_view.ts";
import { ASSETS } from "./assets.ts";
import { EventStream } from "./event_stream.ts";
import { AdminServer, makeHandler, readStats } from "./http.ts";
import type { Complain, Handler } from "./http_listener.ts";
import { TestTimer, viewAfter } from "./stats_fixture.ts";

const ADDRESS = { host: "127.0.0.1", port: 0 };
const COMMANDS = "set a 0 0 1\r\n1\r\nget a\r\n";

/** What answers requests about `view`; lines of the log go to `complain`. */
function handlerOf(view: StatsView, complain: Complain): Handler {
  const events = new EventStream(() => readStats(view, complain), new TestTimer());
  return makeHandler({ view, events }, complain);
}

/** Answers one request, with nothing in the log. */
async function answer(path: string, init: RequestInit = {}, view?: StatsView): Promise<Response> {
  const lines: string[] = [];
  const handler = handlerOf(view ?? viewAfter(COMMANDS).view, (line) => lines.push(line));
  const response = await handler(new Request(`http://localhost${path}`, init));
  assertEquals(lines, []);
  assertMatch(response.headers.get("cache-control") ?? "", /^no-store(, no-transform)?$/);
  assertEquals(response.headers.has("access-control-allow-origin"), false);
  return response;
}

const ANSWERS: readonly (readonly [method: string, path: string, status: number])[] = [
  ["GET", "/healthz", 200],
  ["HEAD", "/healthz", 200],
  ["GET", "/readyz?x=1", 200],
  ["GET", "/metrics", 200],
  ["GET", "/api/stats", 200],
  ["GET", "/", 200],
  ["HEAD", "/app.js", 200],
  ["GET", "/api/events", 200],
  ["HEAD", "/api/events", 200],
  ["GET", "/page/app.js", 404],
  ["GET", "/metrics/", 404],
  ["GET", "/..%2fmetrics", 404],
  ["POST", "/metrics", 405],
  ["DELETE", "/nothing", 405],
  ["OPTIONS", "/metrics", 405],
  ["GET", `/${"x".repeat(3000)}`, 414],
];

for (const [method, path, status] of ANSWERS) {
  Deno.test(`${method} ${path.slice(0, 30)} is answered ${status}`, async () => {
    const response = await answer(path, { method });
    assertEquals(response.status, status);
    assertEquals(response.headers.get("allow"), status === 405 ? "GET, HEAD" : null);
    await response.body?.cancel();
  });
}

Deno.test("on loopback it answers under names of this machine only", async () => {
  const { view } = viewAfter("");
  const sources = {
    view,
    events: new EventStream(() => readStats(view, () => {}), new TestTimer()),
  };
  const status = async (host: string, isLocal: boolean): Promise<number> => {
    const handler = makeHandler(sources, () => {}, isLocal);
    return (await handler(new Request(`http://${host}/healthz`))).status;
  };
  for (const host of ["127.0.0.1:9150", "[::1]", "localhost:8080", "a.localhost", "10.1.2.3"]) {
    assertEquals(await status(host, true), 200, host);
  }
  for (const host of ["evil.example", "127.0.0.1.nip.io:9150", "localhost.evil.example"]) {
    assertEquals([await status(host, true), await status(host, false)], [403, 200], host);
  }
});

Deno.test("/readyz is 503 while the server stops", async () => {
  const { view, stop } = viewAfter("");
  assertEquals((await answer("/readyz", {}, view)).status, 200);
  stop();
  assertEquals((await answer("/readyz", {}, view)).status, 503);
  assertEquals((await answer("/healthz", {}, view)).status, 200);
});

Deno.test("/api/stats shows what `stats` and its sub-commands do", async () => {
  const stats = await (await answer("/api/stats")).json();
  assertEquals(Object.keys(stats), [
    "general",
    "settings",
    "items",
    "slabs",
    "conns",
    "latency",
    "workers",
  ]);
  assertEquals([stats.latency.commands, stats.workers], [{}, []]);
  assertEquals([stats.general.get_hits, stats.general.curr_items], [1, 1]);
  assertMatch(stats.general.version, /^1\.6\./);
  assertEquals([stats.settings.maxconns, stats.settings.umask], ["1024", "700"]);
  const [slab = ""] = Object.keys(stats.items);
  assertEquals([stats.items[slab].number, stats.slabs[slab].used_chunks], [1, 1]);
  assertEquals(stats.conns.states, {});
});

Deno.test("the page and its files have a type, and leave to load from here alone", async () => {
  for (const [path, { type, text }] of ASSETS) {
    const { headers, body } = await answer(path);
    await body?.cancel();
    assertEquals(headers.get("content-type"), type);
    const policy = headers.get("content-security-policy") ?? "";
    assertMatch(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
    assertEquals(policy.includes("unsafe"), false);
    assertGreater(text.length, 100);
  }
});

Deno.test("every file that one of the page's asks for is there", () => {
  const asked = [...ASSETS].flatMap(([path, { text }]) => {
    const names = path === "/" ? / (?:src|href)="([\w.]+)"/g : /\bfrom "\.\/([\w.]+)"/g;
    return [...text.matchAll(names)].map(([, name]) => `/${name}`);
  });
  const missing = asked.filter((path) => !ASSETS.has(path) && path !== "/metrics");
  assertEquals(missing, []);
  const unused = [...ASSETS.keys()].filter((path) => path !== "/" && !asked.includes(path));
  assertEquals(unused, []);
});

Deno.test("an answer that fails is a 500 and a line in the log", async () => {
  const lines: string[] = [];
  const { view } = viewAfter("");
  view.general = () => {
    throw new Error("broken");
  };
  const handler = handlerOf(view, (line) => lines.push(line));
  assertEquals((await handler(new Request("http://localhost/metrics"))).status, 500);
  assertEquals((await handler(new Request("http://localhost/healthz"))).status, 200);
  assertEquals(lines, ["admin: /metrics: broken"]);
});

/** What a server answers to the head of a request, with its end added. */
async function rawAnswer(port: number, head: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = conn.writable.getWriter();
  // It may be refused before all of it was sent.
  void writer.write(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`)).catch(() => {});
  const bytes = new Uint8Array(4096);
  const count = await conn.read(bytes).catch(() => null);
  return new TextDecoder().decode(bytes.subarray(0, count ?? 0));
}

Deno.test("AdminServer serves until it is stopped, and wants its port for itself", async () => {
  const { view } = viewAfter(COMMANDS);
  const server = new AdminServer(ADDRESS, view, () => {});
  const head = await fetch(`${server.url}/metrics`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const body = await (await fetch(`${server.url}/healthz`, { method: "GET" })).text();
  assertEquals(body, "ok\n");

  const port = Number(new URL(server.url).port);
  const error = assertThrows(
    () => new AdminServer({ ...ADDRESS, port }, view, () => {}),
    SettingsError,
    `failed to listen on admin port ${port}: Address already in use`,
  );
  assertEquals(error.exitCode, 71);

  for (const host of ["", "a b", "[", "x".repeat(5000), "a:b:c"]) {
    assertMatch(await rawAnswer(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n`), /^HTTP\/1.1 /);
  }
  assertMatch(await rawAnswer(port, "GET /healthz HTTP/1.0\r\n"), /^HTTP\/1.\d 200 /);
  assertMatch(await rawAnswer(port, "no HTTP at all\r\n"), /^HTTP\/1.1 400 /);
  const big = `GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(600_000)}\r\n`;
  assertMatch(await rawAnswer(port, big), /^(HTTP\/1.1 4\d\d |$)/);
  assertEquals((await fetch(`${server.url}/healthz`)).status, 200);

  await server.stop();
  assertEquals(await fetch(`${server.url}/healthz`).then(() => true, () => false), false);
});
