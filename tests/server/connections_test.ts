// Goal: the limit of connections and the idle limit hold, and are counted, as in memcached.
// Method: open connections to either server and look at the wire and at `stats`. memcached bounds
// descriptor numbers and not connections, so how many it admits is found out, not known.

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import type { Address } from "../support/address.ts";
import { startMemden } from "../support/server.ts";
import { ask, dial, hear, pause, readStats, say, testBoth, until } from "../support/talk.ts";

/** Flag -c of each server; memden admits as many connections. */
const CONN_LIMIT = { memden: 5, memcached: 45 } as const;
const REFUSAL = "ERROR Too many open connections";
/** More connections than either server admits. */
const LINKS_MAX = 60;
/** Longer than a server that can answer takes, in milliseconds. */
const SILENCE_MS = 700;

/** Connections that are closed together. */
class Crowd {
  readonly links: Link[] = [];

  /** Connects one more. */
  async add(address: Address): Promise<Link> {
    const link = await dial(address);
    this.links.push(link);
    return link;
  }

  [Symbol.dispose](): void {
    for (const link of this.links) link.close();
  }
}

/** Whether a line comes within the silence; the reading goes on. */
function isAnswered(line: Promise<unknown>): Promise<boolean> {
  return Promise.race([line.then(() => true), pause(SILENCE_MS).then(() => false)]);
}

/** The first connection, once the one that saw the server start is gone. */
async function openFirst(crowd: Crowd, address: Address): Promise<Link> {
  const first = await crowd.add(address);
  await until("only one is there", async () => await counter(first, "curr_connections") === 1);
  return first;
}

/** A counter of `stats` as a number. */
async function counter(link: Link, name: string): Promise<number> {
  return Number((await readStats(link)).get(name));
}

testBoth("-c admits so many, answers the next and closes it", async (start, name) => {
  await using server = await start(["-c", String(CONN_LIMIT[name]), "-t", "1"]);
  using crowd = new Crowd();
  const first = await openFirst(crowd, server.address);
  const refusals = (): Promise<number> => counter(first, "rejected_connections");
  while (await refusals() === 0 && crowd.links.length < LINKS_MAX) {
    // Nothing is sent: the answer to who is refused would be lost when it is closed unread.
    await crowd.add(server.address);
    await until(
      "it is admitted or refused",
      async () =>
        await counter(first, "curr_connections") === crowd.links.length || await refusals() > 0,
    );
  }
  const refused = crowd.links.pop() ?? first;
  assertEquals(await hear(refused), REFUSAL);
  assertEquals(await hear(refused), undefined);
  assertEquals(refused.ended, "closed");
  if (name === "memden") assertEquals(crowd.links.length, CONN_LIMIT.memden);
  assertEquals(await refusals(), 1);
  assertEquals(await counter(first, "accepting_conns"), 1);

  crowd.links.pop()?.close();
  await until("one is admitted again", async () => {
    using link = await dial(server.address);
    return await ask(link, "mn") === "MN";
  });
});

testBoth("no_maxconns_fast lets the next one wait until one leaves", async (start, name) => {
  // memcached notices its limit when descriptors run out.
  const launcher = name === "memcached" ? { launcher: ["prlimit", "--nofile=45:45"] } : {};
  const args = ["-c", String(CONN_LIMIT[name]), "-t", "1", "-o", "no_maxconns_fast"];
  await using server = await start(args, launcher);
  using crowd = new Crowd();
  const first = await openFirst(crowd, server.address);
  assertEquals((await readStats(first)).has("rejected_connections"), false);

  let waiting: Promise<string | undefined> | undefined;
  while (waiting === undefined && crowd.links.length < LINKS_MAX) {
    const link = await crowd.add(server.address);
    await say(link, "mn\r\n");
    const answer = hear(link);
    if (!(await isAnswered(answer))) waiting = answer;
  }
  assert(waiting !== undefined, "every connection was answered");
  if (name === "memden") assertEquals(crowd.links.length, CONN_LIMIT.memden + 1);
  await until("it stops accepting", async () => await counter(first, "accepting_conns") === 0);
  assertGreater(await counter(first, "listen_disabled_num"), 0);

  crowd.links[1]!.close();
  assertEquals(await waiting, "MN");
  crowd.links[2]!.close();
  await until("it accepts again", async () => await counter(first, "accepting_conns") === 1);
  assertGreater(await counter(first, "time_in_listen_disabled_us"), 0);
  using last = await dial(server.address);
  assertEquals(await ask(last, "mn"), "MN");
});

testBoth("idle_timeout closes who is idle, and nobody else", async (start) => {
  await using server = await start(["-o", "idle_timeout=1", "-t", "1"]);
  using active = await dial(server.address);
  using idle = await dial(server.address);
  using silent = await dial(server.address);
  using stuck = await dial(server.address);
  assertEquals(await ask(idle, "mn"), "MN");
  await say(stuck, "set stuck 0 0 4\r\nab");

  const kicked = [hear(idle), hear(silent)];
  let gone = 0;
  for (const line of kicked) void line.then(() => gone++);
  await until("both are closed", async () => {
    assertEquals(await ask(active, "mn"), "MN", "an active connection stays");
    return gone === kicked.length;
  });
  assertEquals([await kicked[0], await kicked[1]], [undefined, undefined]);
  assertEquals([idle.ended, silent.ended], ["closed", "closed"]);
  assertEquals(await counter(active, "idle_kicks"), 2);

  await say(stuck, "cd\r\n");
  assertEquals(await hear(stuck), "STORED", "a connection in the middle of a value stays");
});

testBoth("idle_kicks is only there with idle_timeout", async (start) => {
  await using server = await start(["-t", "1"]);
  using link = await dial(server.address);
  assertEquals((await readStats(link)).has("idle_kicks"), false);
});

for (const over of ["tcp", "unix"] as const) {
  testBoth(
    `what comes behind a receive that stops short is answered, over ${over}`,
    async (start) => {
      await using server = await start(["-t", "1"], { over });
      const { address } = server;
      const where = "path" in address ? address.path : String(address.port);
      for (let times = 0; times < 3; times++) {
        const { stdout } = await new Deno.Command("python3", {
          args: [new URL("short_receives.py", import.meta.url).pathname, over, where],
        }).output();
        assertEquals(new TextDecoder().decode(stdout), "3\n");
      }
    },
  );
}

Deno.test("memden: a relayed client counts until it has read its last replies", async () => {
  await using server = await startMemden(["-t", "1", "-c", "6"], { over: "relay" });
  using first = await dial(server.address);
  const value = "x".repeat(100_000);
  assertEquals(await ask(first, `set big 0 0 ${value.length}\r\n${value}`), "STORED");
  const descriptors = () => [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length;
  const before = descriptors();
  const script = new URL("unread_replies.py", import.meta.url).pathname;
  const crowd = new Deno.Command("python3", {
    args: [script, String(server.port), "30", "big"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await crowd.stdout.getReader().read();
  assertGreater(before + 7, descriptors());
  assertEquals((await readStats(first)).get("curr_connections"), "6");
  await crowd.stdin.close();
  await crowd.status;
  await until("they are gone", async () => {
    return (await readStats(first)).get("curr_connections") === "1";
  });
});
