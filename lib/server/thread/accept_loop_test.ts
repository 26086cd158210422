// Goal: with ssl_session_cache the acceptor deals each connection once, whatever comes at the
// moment at which its second ends, and never takes it for a listening socket. Method: one turn of
// the loop at a time, with a clock that the test sets, on real sockets.

import { assertEquals } from "@std/assert";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { parseCommandLine } from "../../config/parse.ts";
import { type Settings, settingsFrom } from "../../config/settings.ts";
import { makeStore } from "../../store/store_fixture.ts";
import { bindInternet, listenOn } from "../../sys/bind.ts";
import { openEventFd } from "../../sys/eventfd.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { closeFd } from "../../sys/socket.ts";
import { NotifySender } from "../channel/notify.ts";
import { portOfSocket } from "../listen/bind_refusal.ts";
import { AcceptLoop } from "./accept_loop.ts";

const HOSTNAME = "127.0.0.1";
const HOLD_MS = 1000;

function settings(): Settings {
  const line = parseCommandLine(["-c", "8", "-t", "1"]);
  if (line.action !== "serve") throw new TypeError("Expected no action");
  return settingsFrom(line.raw, {});
}

/** An acceptor with one listener that has sessions, and one worker. */
class Bed implements Disposable {
  now = 0;
  readonly loop: AcceptLoop;
  readonly port: number;
  readonly #listenFd = bindInternet("stream", HOSTNAME, 0);
  readonly #bell = openEventFd();
  readonly #workerBell = openEventFd();
  readonly #channel = new MessageChannel();
  readonly #workerChannel = new MessageChannel();

  constructor() {
    assertEquals(listenOn(this.#listenFd, 8), 0);
    this.port = portOfSocket(this.#listenFd);
    const store = makeStore();
    const start = {
      settings: settings(),
      listening: [{ fd: this.#listenFd, family: "tcp", hasSessions: true }],
      workers: [{ port: this.#workerChannel.port1, doorbell: this.#workerBell }],
      port: this.#channel.port2,
      doorbell: this.#bell,
    } as const;
    this.loop = new AcceptLoop(start, store.control, store.counters, () => this.now);
    this.#notify("o");
    this.loop.turn();
    assertEquals(this.dealt(), []);
  }

  #notify(type: "o" | "s"): void {
    new NotifySender(this.#channel.port1, this.#bell).post({ type });
  }

  /** Connections that the worker has got since the last call. */
  dealt(): number[] {
    const fds: number[] = [];
    for (;;) {
      const received = receiveMessageOnPort(this.#workerChannel.port2);
      if (received === undefined) return fds;
      if (typeof received.message === "number") fds.push(received.message);
    }
  }

  /** Connects, and has the connection accepted and held at time 0. */
  async connect(): Promise<Deno.Conn> {
    const conn = await Deno.connect({ hostname: HOSTNAME, port: this.port });
    this.loop.turn();
    assertEquals(this.dealt(), [], "it is held");
    return conn;
  }

  [Symbol.dispose](): void {
    this.#notify("s");
    this.loop.run();
    for (const fd of [this.#listenFd, this.#bell, this.#workerBell]) closeFd(fd);
    for (const { port1, port2 } of [this.#channel, this.#workerChannel]) {
      port1.close();
      port2.close();
    }
  }
}

type Row = readonly [what: string, bytes: readonly number[], at: number, isDealt: boolean];

/** What a client sends, and when; a record of type 22 is a handshake, here a part of one. */
const ROWS: readonly Row[] = [
  ["no TLS at once", [0], 0, true],
  ["no TLS just as its second ends", [0], HOLD_MS, true],
  ["part of a message", [22], HOLD_MS - 1, false],
  ["part of a message just as its second ends", [22], HOLD_MS, true],
  ["nothing for a second", [], HOLD_MS, true],
];

for (const [what, bytes, at, isDealt] of ROWS) {
  Deno.test({
    name: `AcceptLoop deals a client once that sends ${what}`,
    ignore: !canCallLibc,
    fn: async () => {
      using bed = new Bed();
      using conn = await bed.connect();
      if (bytes.length > 0) await conn.write(Uint8Array.from(bytes));
      bed.now = at;
      bed.loop.turn();
      assertEquals(bed.dealt().length, isDealt ? 1 : 0);
      bed.now = 2 * HOLD_MS;
      using next = await Deno.connect({ hostname: HOSTNAME, port: bed.port });
      await next.write(Uint8Array.of(0));
      bed.loop.turn();
      assertEquals(bed.dealt().length, isDealt ? 0 : 1);
      bed.loop.turn();
      assertEquals(bed.dealt().length, 1, "it still accepts");
    },
  });
}
