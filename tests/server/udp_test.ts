// Goal: UDP is bound where it was asked for and nowhere else, and nothing that comes by it brings
// the server down.
// Method: run memden, talk to it over UDP and TCP, look at the ports it has.

import { assert, assertEquals, assertMatch } from "@std/assert";
import dgram from "node:dgram";
import { Buffer } from "node:buffer";
import { Prng } from "../../lib/base/prng.ts";
import { freePort, startMemden, type TestServer } from "../support/server.ts";
import { ask as say, dial, readStats } from "../support/talk.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const REPLY_MS_MAX = 10_000;

function request(text: string): Buffer {
  return Buffer.concat([Buffer.from([1, 2, 0, 0, 0, 1, 0, 0]), Buffer.from(text, "latin1")]);
}

/** Sends `datagrams`, and returns what the last one is answered, once `end` has come. */
async function ask(port: number, datagrams: readonly Buffer[], end: RegExp): Promise<string> {
  const socket = dgram.createSocket("udp4");
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, REPLY_MS_MAX);
  let text = "";
  socket.on("message", (datagram: Buffer) => {
    text += datagram.subarray(8).toString("latin1");
    if (end.test(text)) resolve();
  });
  for (const datagram of datagrams) {
    await new Promise((sent) => socket.send(datagram, port, "127.0.0.1", sent));
  }
  await promise;
  clearTimeout(timer);
  socket.close();
  return text;
}

/** Starts memden, and waits until it answers: UDP is served from then on. */
async function startReady(args: readonly string[]): Promise<TestServer> {
  const server = await startMemden(args);
  using link = await dial(server.address);
  assertEquals(await say(link, "mn"), "MN");
  return server;
}

/** Whether UDP can be bound to an address, or somebody has it. */
async function isFree(address: string, port: number): Promise<boolean> {
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on("error", () => resolve(false));
  socket.bind(port, address, () => resolve(true));
  const free = await promise;
  socket.close();
  return free;
}

/** What memden writes about its ports, once it has. */
async function portLines(path: string): Promise<string[]> {
  let text = "";
  for (const deadline = Date.now() + REPLY_MS_MAX; text === "" && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    text = await Deno.readTextFile(path);
  }
  return text.trimEnd().split("\n");
}

Deno.test("memden binds UDP to the addresses of -l, TCP or not, and tells its port", async () => {
  const [udpPort, ownPort] = [freePort(), freePort()];
  const env = { MEMCACHED_PORT_FILENAME: await Deno.makeTempFile() };
  const own = ["-l", `127.0.0.2:${ownPort},[::1]`, "-t", "2"];
  await using server = await startMemden(["-U", String(udpPort), ...own], { env });
  assertEquals(await ask(udpPort, [request("mn\r\n")], /MN/), "MN\r\n");
  assertEquals(await portLines(env.MEMCACHED_PORT_FILENAME), [
    `TCP INET: ${server.port}`,
    `TCP INET: ${ownPort}`,
    `TCP INET6: ${server.port}`,
    `UDP INET: ${udpPort}`,
    `UDP INET: ${ownPort}`,
    `UDP INET6: ${udpPort}`,
  ]);
  const bound = ["127.0.0.1", "::1", "127.0.0.2", "127.0.0.3"];
  const free = await Promise.all(bound.map((address) => isFree(address, udpPort)));
  assertEquals(free, [false, false, true, true]);
  assertEquals(await server.stop(), 0);
});

Deno.test("memden sends values of many chunks by UDP, whole, over all workers", async () => {
  const udpPort = freePort();
  const args = ["-U", String(udpPort), "-o", "slab_chunk_max=16"];
  await using server = await startReady(args);
  const value = Array.from({ length: 6000 }, (_, n) => String(n).padStart(10, ".")).join("");
  const set = `set k 0 0 ${value.length}\r\n${value}\r\n`;
  assertEquals(await ask(udpPort, [request(set)], /\n/), "STORED\r\n");
  for (let round = 0; round < 8; round++) {
    const reply = await ask(udpPort, [request("get k\r\n")], /END\r\n$/);
    assert(reply === `VALUE k 0 ${value.length}\r\n${value}\r\nEND\r\n`, `${reply.length} bytes`);
  }
  assertEquals(await server.stop(), 0);
});

Deno.test("memden lives through thousands of random datagrams", async () => {
  const seed = 20_260_102;
  const prng = new Prng(seed);
  const udpPort = freePort();
  await using server = await startReady(["-U", String(udpPort), "-t", "2"]);
  const words = ["set", "get", "gats", "ms", "mg", "ma", "k", "0", "7", "999999", "v", "quit"];
  const parts = [...words, "\r\n", "\r\n", " ", " ", " ", "\0", "\xff", "noreply", "stats"];
  const random = Array.from({ length: 4000 }, () => {
    if (prng.below(4) === 0) {
      return Buffer.from(Array.from({ length: prng.below(200) }, () => prng.below(256)));
    }
    return request(Array.from({ length: prng.below(60) }, () => prng.pick(parts)).join(""));
  });
  await ask(udpPort, [...random, request("version\r\n")], /VERSION/);
  const stats = await ask(udpPort, [request("stats\r\n")], /END\r\n$/);
  assertMatch(stats, /STAT curr_connections 0\r\n/, `seed ${seed}`);
  assertEquals(await server.stop(), 0, `seed ${seed}`);
});

const FORGER = new URL("forged_datagrams.py", import.meta.url).pathname;

/** Sends a request with a forged sender. */
async function forge(from: [string, number], to: [string, number], text: string): Promise<void> {
  const args = [FORGER, ...from.map(String), ...to.map(String), request(text).toString("hex")];
  const { success, stderr } = await new Deno.Command("python3", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Waits until a server has dropped so many datagrams; then it must have gone quiet. */
async function assertQuiet({ address }: TestServer, dropped: number): Promise<void> {
  using link = await dial(address);
  const read = async (): Promise<number[]> => {
    const stats = await readStats(link);
    return ["udp_dropped", "bytes_read", "bytes_written"].map((name) => Number(stats.get(name)));
  };
  let now = await read();
  for (const deadline = Date.now() + REPLY_MS_MAX; now[0] !== dropped;) {
    assert(Date.now() < deadline && now[0]! < dropped, `${now[0]} dropped of ${dropped}`);
    now = await read();
  }
  for (let time = 0; time < 20; time++) {
    const later = await read();
    assertEquals([later[0], later[1]! - now[1]!], [dropped, "stats\r\n".length]);
    assert(later[2]! - now[2]! > 1000, "what stats has answered");
    now = later;
  }
}

Deno.test({
  name: "memden does not answer a datagram that was forged to come from itself",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const [port, other] = [freePort(), freePort()];
    const args = ["-U", String(port), "-l", `127.0.0.2:${other},[::1]`, "-t", "2"];
    await using server = await startReady(args);
    const forged: readonly [string, number, string, number][] = [
      ["127.0.0.1", port, "127.0.0.1", port],
      ["127.0.0.2", other, "127.0.0.1", port],
      ["127.0.0.1", port, "127.0.0.2", other],
      ["127.0.0.1", other, "127.0.0.1", port], // As if it were bound to every address.
      ["127.9.9.9", port, "127.0.0.1", port],
      ["::1", port, "::1", port],
      ["::1", other, "::1", port],
    ];
    for (const [source, from, target, to] of forged) {
      await forge([source, from], [target, to], "nonsense\r\n");
    }
    await assertQuiet(server, forged.length);
    assertEquals(await ask(port, [request("mn\r\n")], /MN/), "MN\r\n");
    assertEquals(await server.stop(), 0);
  },
});

Deno.test({
  name: "two memdens are not made to answer each other for ever",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const ports = [freePort(), freePort()] as const;
    await using one = await startReady(["-U", String(ports[0]), "-t", "2"]);
    await using two = await startReady(["-U", String(ports[1]), "-t", "2"]);
    await ask(ports[0], [request("set k 0 0 9\r\nflush_all\r\n")], /STORED/);
    await ask(ports[1], [request("set k 0 0 1\r\nx\r\n")], /STORED/);
    const requests = [
      "nonsense\r\n",
      "get k\r\n",
      "mg k v\r\n",
      "mn\r\n",
      "incr n 1\r\n",
      "version\r\n",
    ];
    for (const text of requests) {
      await forge(["127.0.0.1", ports[1]], ["127.0.0.1", ports[0]], text);
    }
    await assertQuiet(two, requests.length);
    await assertQuiet(one, 0);
    // What a reply carries has not been run.
    assertEquals(await ask(ports[1], [request("get k\r\n")], /END/), "VALUE k 0 1\r\nx\r\nEND\r\n");
  },
});

const REFUSED: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
  [["--transport=relay", "-U", "11211"], /Cannot use -U with --transport=relay: .*\n$/],
  [["-p", "0", "-U", "{busy}"], /failed to listen on UDP port \d+: Address already in use\n$/],
];

for (const [args, stderr] of REFUSED) {
  Deno.test(`memden refuses ${args.join(" ")} with exit code 71`, async () => {
    const socket = dgram.createSocket("udp4");
    await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
    const busy = String(socket.address().port);
    const { code, stderr: words } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", `${ROOT}main.ts`, "-l", "127.0.0.1"],
        ...args.map((arg) => arg.replace("{busy}", busy)),
      ],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    socket.close();
    assertEquals(code, 71);
    assertMatch(new TextDecoder().decode(words), stderr);
  });
}

Deno.test("memden refuses to watch over UDP", async () => {
  const port = freePort();
  await using _server = await startReady(["-U", String(port)]);
  assertEquals(
    await ask(port, [request("watch\r\n")], /\r\n$/),
    "WATCHER_FAILED failed to add log watcher\r\n",
  );
});
