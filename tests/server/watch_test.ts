// Goal: `watch` tells memcached's lines to everybody who watches, from all threads, and a client
// that does not read them is in nobody's way.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import { ask, dial, hear, pause, readStats, say, testBoth, until } from "../support/talk.ts";
import { startMemden } from "../support/server.ts";

const WATCHERS_MAX = 20;

/** A line without its time and number, and without the connection's. */
function bare(line: string | undefined): string {
  return (line ?? "(ended)").replace(/^ts=\d+\.\d{1,6} gid=\d+ /, "").replace(/ cfd=\d+/, "");
}

/** The next `count` lines, but those of the crawler, which come when they like. */
async function hearLines(link: Link, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) {
    const line = await hear(link);
    if (line === undefined) break;
    if (!line.includes("type=lru_crawler")) lines.push(line);
  }
  return lines;
}

/** Commands with their one line of answer, and the lines about them. */
const DONE: readonly (readonly [command: string, answer: string, lines: readonly string[]])[] = [
  ["get a", "END", ["type=item_get key=a status=not_found clsid=0 size=0"]],
  ["set a 0 0 1\r\nx", "STORED", [
    "type=item_get key=a status=not_found clsid=0 size=0",
    "type=item_store key=a status=stored cmd=set ttl=0 clsid=1 size=1",
  ]],
  ["add a 0 0 1\r\nx", "NOT_STORED", [
    "type=item_get key=a status=found clsid=1 size=1",
    "type=item_store key=a status=not_stored cmd=add ttl=0 clsid=1 size=1",
  ]],
  ["replace q 0 0 1\r\nx", "NOT_STORED", [
    "type=item_get key=q status=not_found clsid=0 size=0",
    "type=item_store key=q status=not_stored cmd=replace ttl=0 clsid=1 size=1",
  ]],
  ["append a 0 0 2\r\nyz", "STORED", [
    "type=item_get key=a status=found clsid=1 size=1",
    "type=item_store key=a status=stored cmd=append ttl=0 clsid=1 size=3",
  ]],
  ["cas a 0 0 1 4000\r\nx", "EXISTS", [
    "type=item_get key=a status=found clsid=1 size=3",
    "type=item_store key=a status=exists cmd=cas ttl=0 clsid=1 size=1",
  ]],
  ["touch a 0", "TOUCHED", ["type=item_get key=a status=found clsid=1 size=3"]],
  ["mg a", "HD", ["type=item_get key=a status=found clsid=1 size=3"]],
  ["set k%\x01 0 0 1\r\nx", "STORED", [
    "type=item_get key=k%25%01 status=not_found clsid=0 size=0",
    "type=item_store key=k%25%01 status=stored cmd=set ttl=0 clsid=1 size=1",
  ]],
  ["incr none 1", "NOT_FOUND", ["type=item_get key=none status=not_found clsid=0 size=0"]],
  ["delete none", "NOT_FOUND", ["type=item_get key=none status=not_found clsid=0 size=0"]],
];

testBoth("watch tells what is asked for and what is stored", async (start) => {
  await using server = await start(["-t", "2"]);
  using watcher = await dial(server.address);
  using client = await dial(server.address);
  assertEquals(await ask(watcher, "watch fetchers mutations"), "OK");
  for (const [command, answer, lines] of DONE) {
    assertEquals(await ask(client, command), answer);
    assertEquals((await hearLines(watcher, lines.length)).map(bare), lines, command);
  }
});

testBoth("watch tells who comes and goes, and why", async (start) => {
  await using server = await start(["-t", "2"]);
  using watcher = await dial(server.address);
  assertEquals(await ask(watcher, "watch connevents"), "OK");
  await pause(300); // The connection that saw the server start may just be going.
  for (const end of ["closes", "quits"]) {
    const client = await dial(server.address);
    assertEquals(await ask(client, "mn"), "MN");
    const port = client.localPort;
    if (end === "quits") await say(client, "quit\r\n");
    else client.close();
    const own = async (): Promise<string> => {
      for (;;) {
        const line = bare((await hearLines(watcher, 1))[0]);
        if (line === "(ended)" || line.includes(`rport=${port} `)) return line;
      }
    };
    const endpoint = `rip=127.0.0.1 rport=${port} transport=tcp`;
    assertEquals((await own()).trimEnd(), `type=conn_new ${endpoint}`);
    assertEquals((await own()).trimEnd(), `type=conn_close ${endpoint} reason=normal`);
    client.close();
  }
});

testBoth("there are so many watchers and no more", async (start) => {
  await using server = await start(["-t", "2"]);
  const links: Link[] = [];
  for (let number = 0; number < WATCHERS_MAX; number++) {
    const link = await dial(server.address);
    links.push(link);
    assertEquals(await ask(link, "watch evictions"), "OK");
  }
  using next = await dial(server.address);
  assertEquals(
    await ask(next, "watch evictions"),
    "WATCHER_TOO_MANY log watcher limit reached",
  );
  for (const link of links) link.close();
  await until("a place is free again", async () => {
    return await ask(next, "watch evictions") === "OK";
  });
});

Deno.test("memden: lines of all threads are numbered, and reach every watcher", async () => {
  await using server = await startMemden(["-t", "3"]);
  using first = await dial(server.address);
  using second = await dial(server.address);
  for (const link of [first, second]) assertEquals(await ask(link, "watch"), "OK");
  for (let number = 0; number < 6; number++) {
    using client = await dial(server.address);
    assertEquals(await ask(client, `get all-${number}`), "END");
  }
  const [one, two] = [await hearLines(first, 6), await hearLines(second, 6)];
  assertEquals(one, two);
  const gids = one.map((line) => Number(/ gid=(\d+) /.exec(line)?.[1]));
  assertEquals(gids, gids.map((_, index) => gids[0]! + index));
  assertEquals(
    one.map((line) => /key=(\S+)/.exec(line)?.[1]),
    [0, 1, 2, 3, 4, 5].map((n) => `all-${n}`),
  );
  using client = await dial(server.address);
  await until("all lines are counted", async () => {
    return (await readStats(client)).get("log_watcher_sent") === "12";
  });
  assertEquals((await readStats(client)).get("log_watchers"), "2");
});

Deno.test("memden: a watcher that does not read is told how much it has missed", async () => {
  const args = ["-t", "2", "-o", "watcher_logbuf_size=16,worker_logbuf_size=4096"];
  await using server = await startMemden(args);
  using watcher = await dial(server.address);
  using client = await dial(server.address);
  assertEquals(await ask(watcher, "watch"), "OK");
  const line = `get ${Array.from({ length: 60 }, (_, n) => `${"k".repeat(230)}${n}`).join(" ")}`;
  // As many lines as no socket takes, while nobody reads them.
  let asked = 0;
  await until("lines are skipped", async () => {
    for (let round = 0; round < 100; round++) assertEquals(await ask(client, line), "END");
    asked += 6000;
    const stats = await readStats(client);
    return Number(stats.get("log_worker_written")) > 60_000;
  });
  let sent = 0;
  let skipped = 0;
  const stats = await readStats(client);
  const written = Number(stats.get("log_worker_written"));
  assertEquals(written + Number(stats.get("log_worker_dropped")), asked);
  while (sent + skipped < written) {
    const text = await hear(watcher);
    if (text === undefined) throw new Error(`The watcher is ${watcher.ended}`);
    const match = /^skipped=(\d+)$/.exec(text);
    if (match === null) sent++;
    else skipped += Number(match[1]);
  }
  assertEquals(sent + skipped, written);
  assert(skipped > 0);
  assertEquals((await readStats(client)).get("log_watcher_skipped"), String(skipped));
});

Deno.test("memden: a watcher that sends no more goes on receiving, until it is gone", async () => {
  await using server = await startMemden(["-t", "1"]);
  using client = await dial(server.address);
  const watcher = await dial(server.address);
  assertEquals(await ask(watcher, "watch"), "OK");
  await say(watcher, "get ignored\r\n");
  await watcher.closeWrite();
  await until("it is seen", async () => (await readStats(client)).get("log_watchers") === "0");
  assertEquals(await ask(client, "get half"), "END");
  assertMatch(bare((await hearLines(watcher, 1))[0]), /^type=item_get key=half /);
  const conns = (await readStats(client)).get("curr_connections");
  watcher.close();
  await until("it is closed", async () => {
    await ask(client, "get again");
    return Number((await readStats(client)).get("curr_connections")) < Number(conns);
  });
});

Deno.test("memden: watchers that come and go do not pile up, though nothing happens", async () => {
  await using server = await startMemden(["-t", "1"]);
  using client = await dial(server.address);
  const COUNT = 60;
  for (let number = 0; number < COUNT; number++) {
    using watcher = await dial(server.address);
    assertEquals(await ask(watcher, "watch evictions"), "OK");
    watcher.close();
    await until("it is seen", async () => {
      return (await readStats(client)).get("log_watchers") === "0";
    });
  }
  await until("most of them are closed", async () => {
    return Number((await readStats(client)).get("curr_connections")) < COUNT / 2;
  });
});

Deno.test("memden: the first line that a watcher cannot get any more closes it", async () => {
  await using server = await startMemden(["-t", "1"]);
  using client = await dial(server.address);
  const watcher = await dial(server.address);
  assertEquals(await ask(watcher, "watch deletions"), "OK");
  const before = Number((await readStats(client)).get("curr_connections"));
  watcher.close();
  await until("it is seen", async () => (await readStats(client)).get("log_watchers") === "0");
  assertEquals(Number((await readStats(client)).get("curr_connections")), before);
  assertEquals(await ask(client, "set gone 0 0 1\r\nx"), "STORED");
  assertEquals(await ask(client, "delete gone"), "DELETED");
  await until("it is closed", async () => {
    return Number((await readStats(client)).get("curr_connections")) < before;
  });
});

Deno.test("memden: a watcher that sends no more is asked whether it is there", async () => {
  await using server = await startMemden(["-t", "1"]);
  using client = await dial(server.address);
  using watcher = await dial(server.address);
  assertEquals(await ask(watcher, "watch evictions"), "OK");
  await watcher.closeWrite();
  await until("it is seen", async () => (await readStats(client)).get("log_watchers") === "0");
  // Of the server's end: state 08 is CLOSE_WAIT, timer 02 that of keepalive, in hundredths.
  const local = `0100007F:${server.port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (await Deno.readTextFile("/proc/net/tcp")).split("\n");
  const timers = lines.map((line) => line.trim().split(/\s+/))
    .filter(([, from, , state]) => from === local && state === "08").map((fields) => fields[5]);
  assertEquals(timers.length, 1);
  const [kind, hundredths] = (timers[0] ?? "").split(":");
  assertEquals(kind, "02");
  assert(Number.parseInt(hundredths ?? "", 16) <= 3000, timers[0]);
});

Deno.test("memden: watchers that are gone leave room where few connections may be", async () => {
  await using server = await startMemden(["-t", "2", "-c", "10"]);
  for (let number = 0; number < 12; number++) {
    using watcher = await dial(server.address);
    await ask(watcher, "watch evictions").catch(() => "refused");
  }
  await until("there is room", async () => {
    using client = await dial(server.address);
    // While there is none the connection is refused, and may be reset.
    const version = await ask(client, "version").catch(() => "");
    return version?.startsWith("VERSION") === true;
  });
});

Deno.test("memden: watch is refused with -W", async () => {
  await using server = await startMemden(["-W"]);
  using client = await dial(server.address);
  assertEquals(await ask(client, "watch"), "CLIENT_ERROR watch commands not allowed");
});
