// Goal: a client gets its whole reply in numbered datagrams, or nothing; no datagram leaves
// anything behind for the next one; none brings the worker down.
// Method: play datagrams to a worker's end of a socket, count what comes back, walk the store.

import { assert, assertEquals } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { Prng } from "../base/prng.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { Reply } from "../protocol/reply.ts";
import { makeShared } from "./network_fixture.ts";
import { Io } from "./transport.ts";
import { type DatagramSocket, UdpConn, UdpConns } from "./udp_conn.ts";

const FD = 7;
const x = (count: number) => "x".repeat(count);

/** A request with its frame. */
function request(id: number, text: string, total = 1): Uint8Array {
  return new Uint8Array([id >> 8, id & 255, 0, 0, total >> 8, total & 255, 0, 0, ...ascii(text)]);
}

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** A socket whose client has sent `incoming`. */
class ScriptedSocket implements DatagramSocket {
  incoming: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  waits: "readable" | "writable" = "readable";
  /** Datagrams that it still has room for. */
  room = Infinity;
  isGone = false;
  /** Whether what comes is forged: from this server. */
  isForged = false;

  receive(bytes: Uint8Array): number {
    const datagram = this.incoming.shift();
    if (datagram === undefined) return Io.AGAIN;
    bytes.set(datagram);
    return datagram.length;
  }

  reply(bytes: Uint8Array, count: number): number {
    if (this.isGone) return Io.GONE;
    if (this.room === 0) return Io.AGAIN;
    this.room--;
    this.sent.push(bytes.slice(0, count));
    return count;
  }

  isFromSelf(): boolean {
    return this.isForged;
  }

  waitReadable(): void {
    this.waits = "readable";
  }

  waitWritable(): void {
    this.waits = "writable";
  }
}

/** A worker with one UDP socket. */
function makeWorker() {
  const store = makeStore({ itemSizeMax: 2 ** 20 });
  const noTransport = undefined as never; // Only UDP is spoken.
  const shared = makeShared(store, noTransport);
  const socket = new ScriptedSocket();
  const conns = new UdpConns();
  conns.add(FD, new UdpConn(FD, socket, shared));
  /** Plays datagrams until nothing is left to do; returns how many turns that took. */
  const play = (...datagrams: Uint8Array[]): number => {
    socket.incoming.push(...datagrams);
    let turns = 0;
    while (socket.incoming.length > 0 && socket.waits === "readable" || conns.hasLine) {
      if (conns.hasLine) conns.advance();
      else conns.wake(FD);
      turns++;
    }
    return turns;
  };
  return { store, socket, conns, play };
}

/** Joins the datagrams of one reply, whose frames must be right. */
function join(datagrams: readonly Uint8Array[], id: number): string {
  return datagrams.map((datagram, sequence) => {
    const view = new DataView(datagram.buffer);
    const numbers = [0, 2, 4, 6].map((at) => view.getUint16(at));
    assertEquals(numbers, [id, sequence, datagrams.length, 0]);
    const isLast = sequence === datagrams.length - 1;
    assert(isLast ? datagram.length > 8 : datagram.length === 1400, `${datagram.length} bytes`);
    return latin1(datagram.subarray(8));
  }).join("");
}

Deno.test("UdpConn cuts a reply into numbered datagrams, at every size about a boundary", () => {
  const { store, socket, play } = makeWorker();
  const around = [1391, 1392, 1393, 2783, 2784, 2785, 4096, 40_000];
  for (const bytes of [...around, ...around.map((size) => size - 1)]) {
    const frameless = `VALUE k 0 ${bytes}\r\n\r\nEND\r\n`.length;
    const value = x(bytes - frameless);
    play(request(1, `set k 0 0 ${value.length}\r\n${value}\r\n`));
    assertEquals(join(socket.sent.splice(0), 1), "STORED\r\n");
    play(request(515, "get k\r\n"));
    const expected = `VALUE k 0 ${value.length}\r\n${value}\r\nEND\r\n`;
    assertEquals(socket.sent.length, Math.ceil(expected.length / 1392));
    assertEquals(join(socket.sent.splice(0), 515), expected);
  }
  assertEquals(checkStore(store).problems, []);
});

Deno.test("UdpConn answers all commands of a datagram in one reply, and silence by nothing", () => {
  const { socket, play } = makeWorker();
  play(request(2, "set a 0 0 1\r\n1\r\nmg a v\r\nset b 0 0 1 noreply\r\n2\r\nget a b\r\nmn\r\n"));
  const values = "VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n";
  assertEquals(join(socket.sent.splice(0), 2), `STORED\r\nVA 1\r\n1\r\n${values}MN\r\n`);
  play(request(3, "set a 0 0 1 noreply\r\n3\r\n"), request(4, "mg nothing q\r\n"));
  assertEquals(socket.sent, []);
  play(request(5, "quit\r\n"), request(6, "mn\r\nquit\r\nmn\r\n"));
  assertEquals(join(socket.sent, 6), "MN\r\n");
});

Deno.test("UdpConn drops what is unfinished or misframed, and goes on with the next", () => {
  const { store, socket, play } = makeWorker();
  const bad = [
    request(1, "set a 0 0 10\r\nabc"),
    request(1, `set a 0 0 900000\r\n${x(30_000)}`),
    request(1, "get a"),
    request(1, ""),
    request(1, "mn\r\n").subarray(0, 7),
    new Uint8Array(0),
    request(1, "mn\r\n", 0),
    request(1, "mn\r\n", 2),
    request(1, "?\x0a".padEnd(24, "\0")).with(8, 0x80).subarray(0, 31), // Part of a packet.
  ];
  play(...bad);
  assertEquals(socket.sent, []);
  play(request(9, " b\r\nmn\r\n"), request(10, "get a\r\n"));
  assertEquals(join(socket.sent.splice(0, 1), 9), "ERROR\r\nMN\r\n");
  assertEquals(join(socket.sent, 10), "END\r\n");
  assertEquals(checkStore(store), { problems: [], items: 0 });
});

/** First lines that no request has. */
const REPLIES = [
  ...Object.values(Reply).filter((line) => line !== Reply.CRLF).map(({ bytes }) => latin1(bytes)),
  "VALUE a 0 10\r\nflush_all\r\n\r\nEND\r\n",
  "VALUE a 0 10 77\r\nflush_all\r\n\r\nEND\r\n",
  "STAT pid 1\r\nEND\r\n",
  "ITEM a [1 b; 0 s]\r\nEND\r\n",
  "PREFIX a get 1 hit 0 set 0 del 0\r\nEND\r\n",
  "VERSION 1.6.45\r\n",
  "VA 10 t-1\r\nflush_all\r\n\r\n",
  ...["HD", "EN", "NS", "NF", "EX", "MN"].flatMap((word) => [`${word}\r\n`, `${word} Oabc ka\r\n`]),
  "ME a exp=-1 la=1 cas=1 fetch=no cls=1 size=65\r\n",
  "ERROR unknown command\n",
  "SERVER_ERROR\r\n",
  "0\r\n",
  "18446744073709551615\r\n",
  "9 \r\n",
  "key=a exp=-1 la=1 cas=1 fetch=no cls=1 size=65\r\nEND\r\n",
  "\x81\x00".padEnd(24, "\0") + "flush_all\r\n",
];

Deno.test("UdpConn answers no reply, and runs nothing that is in one", () => {
  const { store, socket, play } = makeWorker();
  play(request(1, "set a 0 0 1\r\n1\r\n"));
  socket.sent.length = 0;
  for (const text of REPLIES) {
    play(new Uint8Array([0, 2, 0, 0, 0, 1, 0, 0, ...latin1Bytes(text)]));
    assertEquals(socket.sent.map((sent) => latin1(sent)), [], text);
  }
  assertEquals(new Snapshot(store.control).of("udp_dropped"), REPLIES.length);
  play(request(3, "get a\r\n"));
  assertEquals(join(socket.sent, 3), "VALUE a 0 1\r\n1\r\nEND\r\n");
});

Deno.test("UdpConn answers no line that is a reply, wherever in a datagram it is", () => {
  const { socket, play } = makeWorker();
  for (const text of REPLIES.filter((text) => !text.startsWith("\x81"))) {
    const line = text.slice(0, text.indexOf("\n") + 1);
    play(request(4, `mn\r\n${line}mn\r\n`));
    assertEquals(join(socket.sent.splice(0), 4), "MN\r\nMN\r\n", line);
  }
});

Deno.test("UdpConn answers what is unknown, but no reply", () => {
  const { socket, play } = makeWorker();
  for (const text of ["GET a\r\n", "Get\r\n", "nonsense\r\n", "ENDS\r\n", "12a\r\n", "keys=\r\n"]) {
    play(request(6, text));
    assertEquals(join(socket.sent.splice(0), 6), "ERROR\r\n", text);
  }
});

Deno.test("UdpConn drops and counts what claims to be from its own server", () => {
  const { store, socket, play } = makeWorker();
  socket.isForged = true;
  const noop = request(7, "?\x0a".padEnd(24, "\0")).with(8, 0x80);
  play(request(7, "mn\r\n"), request(7, "nonsense\r\n"), noop);
  assertEquals(socket.sent, []);
  const totals = new Snapshot(store.control);
  assertEquals([totals.of("udp_dropped"), totals.of("bytes_read")], [3, 12 + 18 + 32]);
  socket.isForged = false;
  play(request(8, "mn\r\n"));
  assertEquals(join(socket.sent, 8), "MN\r\n");
});

Deno.test("UdpConn tells by the first byte of each datagram which protocol it is", () => {
  const { socket, play } = makeWorker();
  const noop = request(7, "?\x0a".padEnd(24, "\0")).with(8, 0x80);
  play(noop, request(8, "mn\r\n"), noop);
  const answer = `\x81\x0a${"\0".repeat(22)}`;
  assertEquals(join(socket.sent.splice(0, 1), 7), answer);
  assertEquals(join(socket.sent.splice(0, 1), 8), "MN\r\n");
  assertEquals(join(socket.sent, 7), answer);
});

Deno.test("UdpConn says so when a reply is too large, and lets go of the items in it", () => {
  const { store, socket, play } = makeWorker();
  play(request(1, `set a 0 0 60000\r\n${x(60_000)}\r\n`));
  socket.sent.length = 0;
  assert(play(request(2, "get a\r\n".repeat(279))) > 10, "others get their turns");
  assertEquals(socket.sent.length, Math.ceil(279 * (60_000 + 24) / 1392));
  socket.sent.length = 0;
  play(request(3, "get a\r\n".repeat(280)), request(4, "mn\r\n"));
  const line = "SERVER_ERROR response too large for UDP\r\n";
  assertEquals(join(socket.sent.splice(0, 1), 3), line);
  assertEquals(join(socket.sent, 4), "MN\r\n");
  play(request(5, "delete a\r\n"));
  assertEquals(checkStore(store), { problems: [], items: 0 });
});

Deno.test("UdpConn waits for room, and takes no other datagram meanwhile", () => {
  const { socket, conns, play } = makeWorker();
  play(request(1, `set a 0 0 5000\r\n${x(5000)}\r\n`));
  socket.sent.length = 0;
  socket.room = 2;
  play(request(2, "get a\r\n"), request(3, "mn\r\n"));
  assertEquals([socket.sent.length, socket.waits, socket.incoming.length], [2, "writable", 1]);
  conns.wake(FD);
  assertEquals([socket.sent.length, socket.waits], [2, "writable"], "still none");
  socket.room = Infinity;
  conns.wake(FD);
  assertEquals([socket.waits, socket.incoming.length], ["readable", 0]);
  assertEquals(
    join(socket.sent.splice(0, 4), 2).length,
    5000 + "VALUE a 0 5000\r\n\r\nEND\r\n".length,
  );
  assertEquals(join(socket.sent, 3), "MN\r\n");
  socket.isGone = true;
  play(request(4, "get a\r\n"));
  socket.isGone = false;
  socket.sent.length = 0;
  play(request(5, "mn\r\n"));
  assertEquals(join(socket.sent, 5), "MN\r\n");
});

Deno.test("UdpConn counts bytes with their frames, read or not, sent or not", () => {
  const { store, play } = makeWorker();
  play(request(1, "mn\r\n"), request(2, "quit\r\nrest"), request(3, "mn\r\n", 2), request(4, ""));
  const totals = new Snapshot(store.control);
  assertEquals([totals.of("bytes_read"), totals.of("bytes_written")], [12 + 18 + 12, 12]);
  play(request(1, `set a 0 0 60000\r\n${x(60_000)}\r\n`), request(3, "get a\r\n".repeat(300)));
  const line = "SERVER_ERROR response too large for UDP\r\n".length;
  assertEquals(new Snapshot(store.control).of("bytes_written"), 12 + 16 + 8 + line);
});

Deno.test("UdpConn lives through random datagrams, and keeps the store whole", () => {
  const seed = 20_260_101;
  const prng = new Prng(seed);
  const words = ["set", "get", "a", "b", "0", "7", "99999", "\r\n", "\r\n", " ", " ", "noreply"];
  const more = ["ms", "mg", "md", "ma", "v", "q", "incr", "append", "\x80", "quit", "gat", "stats"];
  const draw = (count: number) => prng.below(count);
  const { store, socket, play } = makeWorker();
  for (let round = 0; round < 4000; round++) {
    const all = [...words, ...more];
    const text = Array.from({ length: draw(40) }, () => all[draw(all.length)]).join("");
    const datagram = request(round, text, draw(10) === 0 ? draw(65536) : 1);
    if (draw(3) === 0) datagram[draw(datagram.length)] = draw(256);
    play(draw(20) === 0 ? datagram.subarray(0, draw(datagram.length)) : datagram);
  }
  socket.sent.length = 0;
  play(request(1, "mn\r\n"));
  assertEquals(join(socket.sent, 1), "MN\r\n", `seed ${seed}`);
  assertEquals(checkStore(store).problems, [], `seed ${seed}`);
});
