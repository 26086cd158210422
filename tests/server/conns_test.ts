// Goal: `stats conns` says of every connection what it is doing.
// Method: bring a connection into a state, then ask on another one. The port tells which one it
// is; over a Unix socket, the state that only one of them can be in.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import { ask, dial, readStats, say, type Start, testBoth, until } from "../support/talk.ts";
import type { Over } from "../support/ways.ts";

/** The lines about one connection, without its number. */
type Conn = ReadonlyMap<string, string>;

/** Reads `stats conns`: lines of one connection stand together. */
async function readConns(link: Link): Promise<Conn[]> {
  const conns = new Map<string, Map<string, string>>();
  for (const [name, value] of await readStats(link, "stats conns")) {
    assertMatch(name, /^\d+:\w+$/);
    const [id = "", field = ""] = name.split(":");
    const conn = conns.get(id) ?? new Map<string, string>();
    conns.set(id, conn.set(field, value));
  }
  return [...conns.values()];
}

/** What a connection sends to get into a state, and the line to wait for before. */
const STATES: readonly (readonly [state: string, sends: string, answer: string | undefined])[] = [
  ["conn_nread", "set conns 0 0 10\r\nabc", undefined],
  ["conn_read", "get half-a-li", undefined],
  ["conn_read", "mn\r\n", "MN"],
  ["conn_watch", "watch\r\n", "OK"],
];

for (const over of ["tcp", "tls"] as const) {
  testBoth(`conns names the states of other connections, over ${over}`, async (start) => {
    for (const [state, sends, answer] of STATES) {
      await checkState(start, over, state, sends, answer);
    }
  });
}

async function checkState(
  start: Start,
  over: Over,
  state: string,
  sends: string,
  answer: string | undefined,
): Promise<void> {
  await using server = await start(["-t", "2"], { over });
  using asker = await dial(server.address);
  using other = await dial(server.address);
  if (answer === undefined) await say(other, sends);
  else assertEquals(await ask(other, sends.trimEnd()), answer);
  const port = `tcp:127.0.0.1:${other.localPort}`;
  const find = async (): Promise<Conn | undefined> =>
    (await readConns(asker)).find((conn) => conn.get("addr") === port);
  await until(`${JSON.stringify(sends)} shows ${state}`, async () => {
    return (await find())?.get("state") === state;
  });
  const conn = await find();
  assertEquals(conn?.get("listen_addr"), `tcp:127.0.0.1:${server.port}`);
  assertMatch(conn?.get("secs_since_last_cmd") ?? "", /^\d+$/);
}

testBoth("conns has one entry for each socket, with its fields in order", async (start) => {
  await using server = await start(["-t", "1"]);
  using asker = await dial(server.address);
  using other = await dial(server.address);
  assertEquals(await ask(other, "mn"), "MN");
  // The connection that saw the server start may not be gone yet.
  await until("three are left", async () => (await readConns(asker)).length === 3);
  const conns = await readConns(asker);
  const listening = conns.filter((conn) => conn.get("state") === "conn_listening");
  assertEquals(listening.map((conn) => [...conn.keys()]), [
    ["addr", "state", "secs_since_last_cmd"],
  ]);
  assertEquals(listening[0]?.get("addr"), `tcp:127.0.0.1:${server.port}`);
  const own = conns.find((conn) => conn.get("addr") === `tcp:127.0.0.1:${asker.localPort}`);
  assertEquals([...own?.keys() ?? []], ["addr", "listen_addr", "state", "secs_since_last_cmd"]);
  assertEquals(own?.get("state"), "conn_parse_cmd");
  assertEquals(own?.get("secs_since_last_cmd"), "0");
});

testBoth("conns shows that somebody has not asked for a while", async (start) => {
  await using server = await start(["-t", "1"]);
  using asker = await dial(server.address);
  using other = await dial(server.address);
  assertEquals(await ask(other, "mn"), "MN");
  const addr = `tcp:127.0.0.1:${other.localPort}`;
  const seconds = async (): Promise<number> =>
    Number(
      (await readConns(asker)).find((conn) => conn.get("addr") === addr)
        ?.get("secs_since_last_cmd"),
    );
  await until("a few seconds are shown", async () => await seconds() >= 2);
  assertEquals(await ask(other, "mn"), "MN");
  assert(await seconds() <= 1);
});

testBoth("conns shows the state over a Unix socket", async (start) => {
  await using server = await start(["-t", "1"], { over: "unix" });
  using asker = await dial(server.address);
  using other = await dial(server.address);
  await say(other, "set conns 0 0 10\r\nabc");
  const find = async (): Promise<Conn | undefined> =>
    (await readConns(asker)).find((conn) => conn.get("state") === "conn_nread");
  await until("it is in the middle of a value", async () => await find() !== undefined);
  const path = "path" in server.address ? server.address.path : "";
  assertEquals((await find())?.get("listen_addr"), `unix:${path}`);
});
