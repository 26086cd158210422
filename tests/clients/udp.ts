// A client of memcached's UDP protocol, written out here: no npm client speaks it.
//
// Each request is one datagram with a frame; replies are put together by request id and sequence
// number. Nothing here leaves a command unfinished: memcached would finish it with the next
// client's datagram.

import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import { ALL_BYTES, largeText, TRICKY } from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

const FRAME_BYTES = 8;
const DATAGRAM_BYTES = 1400;
/** A reply that has not come by then will not come, in milliseconds. */
const REPLY_MS_MAX = 5000;
/** How long to wait for a reply that must not come, in milliseconds. */
const SILENCE_MS = 300;

/** The datagrams of one reply, as they came. */
type Datagrams = Buffer[];

/** A socket that sends requests and sorts what comes back by request id. */
class UdpClient {
  readonly #socket = dgram.createSocket("udp4");
  readonly #host: string;
  readonly #port: number;
  readonly #replies = new Map<number, Datagrams>();
  #nextId = 0xfffe; // The ids wrap in the middle of the tests.

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
    this.#socket.on("message", (datagram: Buffer) => {
      const id = datagram.readUInt16BE(0);
      this.#replies.set(id, [...this.#replies.get(id) ?? [], datagram]);
    });
  }

  /** Sends bytes without a frame. */
  sendRaw(bytes: Buffer): void {
    this.#socket.send(bytes, this.#port, this.#host);
  }

  /** Sends a request, and returns its id. */
  send(text: string, { total = 1, sequence = 0 } = {}): number {
    const id = this.#nextId;
    this.#nextId = (id + 1) & 0xffff;
    this.#replies.delete(id);
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt16BE(id, 0);
    frame.writeUInt16BE(sequence, 2);
    frame.writeUInt16BE(total, 4);
    this.sendRaw(Buffer.concat([frame, Buffer.from(text, "latin1")]));
    return id;
  }

  /** Datagrams that have come for a request. */
  received(id: number): Datagrams {
    return this.#replies.get(id) ?? [];
  }

  /** The reply to a request, one letter for each byte; what of it has come when time is up. */
  async receive(id: number): Promise<string> {
    const deadline = Date.now() + REPLY_MS_MAX;
    const isWhole = () => {
      const datagrams = this.received(id);
      return datagrams.length > 0 && datagrams.length >= datagrams[0]!.readUInt16BE(4);
    };
    while (!isWhole() && Date.now() < deadline) await sleep(2);
    const inOrder = this.received(id).toSorted((a, b) => a.readUInt16BE(2) - b.readUInt16BE(2));
    return Buffer.concat(inOrder.map((datagram) => datagram.subarray(FRAME_BYTES)))
      .toString("latin1");
  }

  ask(text: string): Promise<string> {
    return this.receive(this.send(text));
  }

  close(): void {
    this.#socket.close();
  }
}

/** Says `text` over TCP and returns what comes until `end`. */
async function askByTcp(text: string, end: string): Promise<string> {
  using conn = await Deno.connect({ hostname: host, port });
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  let answer = "";
  const part = new Uint8Array(65536);
  while (!answer.endsWith(end)) {
    const count = await conn.read(part);
    if (count === null) throw new Error(`the server closed after "${answer}"`);
    answer += Buffer.from(part.subarray(0, count)).toString("latin1");
  }
  return answer;
}

const set = (key: string, value: string) => `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
const found = (key: string, value: string) =>
  `VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`;

const { host, port } = serverFromArgs();
const settings = await askByTcp("stats settings\r\n", "END\r\n");
const udpPort = Number(/^STAT udpport (\d+)\r$/m.exec(settings)?.[1]);
const client = new UdpClient(host, udpPort);
const tap = new Tap();

await tap.group("commands", async () => {
  tap.equal("set", await client.ask(set("udp-a", "1")), "STORED\r\n");
  tap.equal("get", await client.ask("get udp-a\r\n"), found("udp-a", "1"));
  tap.equal("incr", await client.ask("incr udp-a 41\r\n"), "42\r\n");
  tap.equal("mg", await client.ask("mg udp-a v t\r\n"), "VA 2 t-1\r\n42\r\n");
  tap.equal("ms", await client.ask("ms udp-m 2 Oq\r\nhi\r\n"), "HD Oq\r\n");
  tap.equal("touch", await client.ask("touch udp-a 0\r\n"), "TOUCHED\r\n");
  tap.equal("delete", await client.ask("delete udp-a\r\n"), "DELETED\r\n");
  tap.equal("get of nothing", await client.ask("get udp-a\r\n"), "END\r\n");
  tap.equal("no such command", await client.ask("frob\r\n"), "ERROR\r\n");
  tap.ok("version", /^VERSION 1\.\d+\.\d+\r\n$/.test(await client.ask("version\r\n")));
  const stats = await client.ask("stats\r\n");
  tap.ok("stats", /^STAT pid \d+\r\n/.test(stats) && stats.endsWith("\r\nEND\r\n"), stats);
  for (const value of [TRICKY, Buffer.from(ALL_BYTES).toString("latin1"), ""]) {
    tap.equal("set of any bytes", await client.ask(set("udp-b", value)), "STORED\r\n");
    tap.equal("get of any bytes", await client.ask("get udp-b\r\n"), found("udp-b", value));
  }
});

await tap.group("frames", async () => {
  const silent = [
    client.send("version\r\n", { total: 0 }),
    client.send("version\r\n", { total: 2 }),
    client.send("version\r\n", { total: 0x0101 }),
    client.send(""),
    client.send("set udp-n 0 0 1 noreply\r\n5\r\n"),
  ];
  for (const length of [0, 1, 7]) client.sendRaw(Buffer.alloc(length, 1));
  const heard = client.send("version\r\n", { sequence: 9 });
  await client.receive(heard);
  await sleep(SILENCE_MS);
  tap.equal("none for a wrong frame, and noreply", silent.flatMap((id) => client.received(id)), []);
  const frames = client.received(heard).map((datagram) => datagram.subarray(0, FRAME_BYTES));
  tap.equal("the frame of a short reply", frames.map((frame) => [...frame]), [
    [heard >> 8, heard & 255, 0, 0, 0, 1, 0, 0],
  ]);
  tap.equal("noreply was done", await client.ask("get udp-n\r\n"), found("udp-n", "5"));
});

await tap.group("large", async () => {
  // Sizes at which another datagram begins.
  const extra = found("udp-l", "").length - 1;
  for (const bytes of [1391, 1392, 1393, 2784, 2785]) {
    const digits = String(bytes - extra).length;
    const value = largeText(bytes - extra - digits);
    await askByTcp(set("udp-l", value), "STORED\r\n");
    const id = client.send("get udp-l\r\n");
    tap.equal(`a reply of ${bytes} bytes`, await client.receive(id), found("udp-l", value));
    tap.equal("its datagrams", client.received(id).length, Math.ceil(bytes / 1392));
  }
  for (const bytes of [40_000, 102_400]) {
    const value = largeText(bytes);
    await askByTcp(set("udp-l", value), "STORED\r\n");
    const id = client.send("get udp-l\r\n");
    const reply = await client.receive(id);
    tap.ok(`${bytes} bytes, byte for byte`, reply === found("udp-l", value), `${reply.length}`);
    const datagrams = client.received(id);
    const total = Math.ceil(found("udp-l", value).length / (DATAGRAM_BYTES - FRAME_BYTES));
    tap.equal("sequence numbers", datagrams.map((datagram) => datagram.readUInt16BE(2)), [
      ...Array(total).keys(),
    ]);
    const totals = new Set(datagrams.map((datagram) => datagram.readUInt16BE(4)));
    tap.equal("the total in each", [...totals], [total]);
    const sizes = new Set(datagrams.slice(0, -1).map((datagram) => datagram.length));
    tap.equal("all but the last are full", [...sizes], [DATAGRAM_BYTES]);
  }
  const value = largeText(60_000);
  tap.equal("set of 60,000 bytes", await client.ask(set("udp-s", value)), "STORED\r\n");
  tap.ok("is there", await askByTcp("get udp-s\r\n", "END\r\n") === found("udp-s", value));
});

await tap.group("in flight", async () => {
  await client.ask(set("udp-f", largeText(3000)));
  const large = client.send("get udp-f\r\n");
  const small = client.send("version\r\n");
  tap.ok("a small reply beside a large one", (await client.receive(small)).startsWith("VERSION"));
  tap.equal("and the large one", await client.receive(large), found("udp-f", largeText(3000)));
  const ids = Array.from({ length: 60 }, (_, n) => client.send(set(`udp-${n}`, String(n))));
  const stored = await Promise.all(ids.map((id) => client.receive(id)));
  tap.equal("60 sets", stored, ids.map(() => "STORED\r\n"));
  const asked = ids.map((_, n) => client.send(`get udp-${n}\r\n`));
  const values = await Promise.all(asked.map((id) => client.receive(id)));
  tap.equal("60 gets", values, ids.map((_, n) => found(`udp-${n}`, String(n))));
  const other = new UdpClient(host, udpPort);
  const [mine, yours] = await Promise.all([
    client.ask("mg udp-1 v\r\n"),
    other.ask("mg udp-2 v\r\n"),
  ]);
  tap.equal("each client has its own", [mine, yours], ["VA 1\r\n1\r\n", "VA 1\r\n2\r\n"]);
  other.close();
});

client.close();
tap.end();
