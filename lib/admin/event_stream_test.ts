// Goal: what one reading says reaches every client, once a second; nobody costs more than its
// place, and nothing is read for nobody.

import { assertEquals, assertMatch } from "@std/assert";
import { EventStream, type Reading } from "./event_stream.ts";
import { AdminServer, readStats } from "./http.ts";
import { TestTimer, viewAfter } from "./stats_fixture.ts";

const SECOND_MS = 1000;
const LINE = { level: "warning", text: "<b>odd</b>\nline", at: 5 };

/** One client that reads when it is told to. */
class Client {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #pending: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;

  constructor(stream: EventStream) {
    const body = stream.open();
    if (body === undefined) throw new Error("not taken");
    this.#reader = body.getReader();
  }

  /** The next events, by name and data; what is not there yet is not waited for. */
  async take(): Promise<string[]> {
    const texts: string[] = [];
    while (true) {
      this.#pending ??= this.#reader.read();
      const soon = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined)));
      const next = await Promise.race([this.#pending, soon]);
      if (next === undefined) return texts;
      this.#pending = undefined;
      if (next.done) return [...texts, "end"];
      const text = new TextDecoder().decode(next.value);
      texts.push(text.replace(/^id: \d+\nevent: (\w+)\ndata: (.*)\n\n$/s, "$1 $2"));
    }
  }

  /** Hangs up. */
  async leave(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** A stream whose readings count themselves. */
function openStream(): { stream: EventStream; timer: TestTimer; readings: () => number } {
  const timer = new TestTimer();
  let count = 0;
  const read = (): Reading => ({ event: "stats", data: `{"n":${++count}}` });
  return { stream: new EventStream(read, timer), timer, readings: () => count };
}

Deno.test("EventStream reads once a second for all clients, and for none not at all", async () => {
  const { stream, timer, readings } = openStream();
  timer.pass(5 * SECOND_MS);
  assertEquals([readings(), timer.isArmed], [0, false]);
  const one = new Client(stream);
  assertEquals(await one.take(), ["retry: 2000\n\n", 'stats {"n":1}']);
  timer.pass(SECOND_MS / 2);
  const two = new Client(stream);
  assertEquals(await two.take(), ["retry: 2000\n\n", 'stats {"n":1}']);
  timer.pass(SECOND_MS / 2);
  assertEquals([await one.take(), await two.take()], [['stats {"n":2}'], ['stats {"n":2}']]);
  await one.leave();
  await two.leave();
  assertEquals([stream.clients, timer.isArmed], [0, false]);
  timer.pass(5 * SECOND_MS);
  assertEquals(readings(), 2);
});

Deno.test("EventStream reads no more often for a client that comes and goes", async () => {
  const { stream, timer, readings } = openStream();
  for (let turn = 0; turn < 20; turn++) {
    const client = new Client(stream);
    assertEquals((await client.take()).length, 2);
    timer.pass(SECOND_MS / 10);
    await client.leave();
  }
  assertEquals(readings(), 3);
});

Deno.test("EventStream says when a reading was made", async () => {
  const { stream, timer } = openStream();
  const reader = stream.open()?.getReader();
  await reader?.read();
  const { value } = await reader?.read() ?? {};
  assertEquals(
    new TextDecoder().decode(value),
    `id: ${timer.now()}\nevent: stats\ndata: {"n":1}\n\n`,
  );
  stream.close();
});

Deno.test("EventStream shows a line of the log as one event, cut where too long", async () => {
  const { stream } = openStream();
  stream.tell(LINE);
  const client = new Client(stream);
  await client.take();
  stream.tell(LINE);
  stream.tell({ ...LINE, text: "x".repeat(5000) });
  const [first = "", second = ""] = await client.take();
  assertEquals(JSON.parse(first.replace("log ", "")), LINE);
  assertEquals(JSON.parse(second.replace("log ", "")).text.length, 1000);
  stream.close();
});

Deno.test("EventStream takes 32 clients; the next gets the place of one that left", async () => {
  const { stream } = openStream();
  const clients = Array.from({ length: 32 }, () => new Client(stream));
  assertEquals(stream.open(), undefined);
  await clients[3]?.leave();
  assertEquals(stream.clients, 31);
  new Client(stream);
  assertEquals(stream.clients, 32);
  stream.close();
  assertEquals(stream.clients, 0);
});

Deno.test("EventStream skips a client that does not read, and keeps little for it", async () => {
  const { stream, timer } = openStream();
  const slow = new Client(stream);
  const quick = new Client(stream);
  await quick.take();
  let seen = 0;
  for (let second = 0; second < 100; second++) {
    timer.pass(SECOND_MS);
    stream.tell(LINE);
    seen += (await quick.take()).length;
  }
  assertEquals(seen, 200);
  const kept = await slow.take();
  assertEquals(kept.length <= 17, true, `${kept.length} events kept`);
  timer.pass(SECOND_MS);
  assertEquals(await slow.take(), ['stats {"n":102}']);
  stream.close();
});

Deno.test("EventStream.close() ends every stream and takes nobody any more", async () => {
  const { stream, timer } = openStream();
  const client = new Client(stream);
  stream.close();
  assertEquals((await client.take()).at(-1), "end");
  assertEquals([timer.isArmed, stream.clients], [false, 0]);
  assertEquals(stream.open(), undefined);
});

Deno.test("EventStream rests after a reading that took long", () => {
  const timer = new TestTimer();
  let readings = 0;
  const stream = new EventStream(() => {
    readings++;
    timer.pass(2 * SECOND_MS);
    return { event: "problem", data: "{}" };
  }, timer);
  new Client(stream);
  timer.pass(SECOND_MS - 1);
  assertEquals(readings, 1);
  timer.pass(1);
  assertEquals(readings, 2);
  stream.close();
});

Deno.test("readStats() turns a failure into an event `problem` and a line in the log", () => {
  const lines: string[] = [];
  const { view } = viewAfter("");
  assertMatch(readStats(view, (line) => lines.push(line)).data, /^\{"general":\{/);
  view.slabs = () => {
    throw new Error("Lock 7 not had within 2000 ms");
  };
  assertEquals(readStats(view, (line) => lines.push(line)), {
    event: "problem",
    data: '{"message":"statistics cannot be read: Lock 7 not had within 2000 ms"}',
  });
  assertEquals(lines, ["admin: statistics cannot be read: Lock 7 not had within 2000 ms"]);
});

Deno.test("AdminServer ends the streams when it stops, and forgets who hangs up", async () => {
  const server = new AdminServer({ host: "127.0.0.1", port: 0 }, viewAfter("").view, () => {});
  const url = `${server.url}/api/events`;
  const client = new AbortController();
  const left = await fetch(url, { signal: client.signal });
  assertMatch(left.headers.get("content-type") ?? "", /^text\/event-stream/);
  client.abort();
  await left.body?.cancel().catch(() => {});
  // More than there is room for, if those that left were kept.
  for (let turn = 0; turn < 40; turn++) {
    const gone = new AbortController();
    const response = await fetch(url, { signal: gone.signal });
    await response.body?.getReader().read();
    gone.abort();
    while (server.watchers > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(response.status, 200);
  }
  const { body } = await fetch(url);
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  server.tell(LINE);
  let text = "";
  while (!text.includes("event: log")) text += (await reader?.read())?.value;
  assertMatch(text, /^retry: 2000\n\nid: \d+\nevent: stats\ndata: \{"general":.*\n\n/);
  await server.stop();
  // Whether it ends or breaks is the system's choice.
  assertEquals(await reader?.read().then(({ done }) => done, () => true), true);
});
