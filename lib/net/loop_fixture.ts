// A scripted network of many clients for tests of the loop: it wakes once for what arrives, as
// edge-triggered epoll does, and writes down in which order the loop serves whom.

import { ascii, latin1 } from "../base/ascii.ts";
import type { Settings } from "../config/settings.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { Snapshot } from "../stats/counters.ts";
import type { Store } from "../store/store.ts";
import { ConnLoop } from "./conn_loop.ts";
import { CLOSE_REASONS, type CloseReason, type ConnShared } from "./conn_record.ts";
import { makeShared, waitingPieces } from "./network_fixture.ts";
import { Io, type Poller, type Transport } from "./transport.ts";

/** Calls of the transport in one turn: more are taken for a loop without end. */
const CALLS_MAX = 50_000;
const NOT_AT_ALL = 0;
/** Turns without a call after which the loop is at rest. */
const QUIET_TURNS = 5;
const DOORBELL = 1;

/** One client, by its side of the connection. */
export class LoopClient {
  readonly fd: number;
  /** What it has sent that was not received yet. */
  input = "";
  /** Sent again and again behind `input`. */
  endless = "";
  /** Most bytes that one receive, and one send, moves. */
  recvMax = Infinity;
  sendMax = Infinity;
  /** Bytes that it still takes. */
  room = Infinity;
  /** It sends no more; nothing can be sent to it either. */
  hasEnded = false;
  isGone = false;
  isClosed = false;
  /** What it has received. */
  text = "";
  /** Calls about it. */
  receives = 0;
  sends = 0;
  /** How often the transport was asked to wake for writing and for reading. */
  writableWaits = 0;
  readableWaits = 0;
  waitsFor: "readable" | "writable" = "readable";

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Takes up to `count` bytes of what it has sent. */
  take(count: number): string {
    const wanted = Math.min(count, this.recvMax);
    if (this.endless !== "" && this.input.length < wanted) {
      this.input += this.endless.repeat(Math.ceil(wanted / this.endless.length));
    }
    const taken = this.input.slice(0, wanted);
    this.input = this.input.slice(taken.length);
    return taken;
  }
}

/** The network of one loop. */
export class ScriptedNetwork implements Transport, Poller {
  /** Descriptors in the order in which they were served, one entry for calls in a row. */
  order: number[] = [];
  /** Called whenever a client is received from or sent to. */
  onCall: (fd: number) => void = () => {};
  /** Called before each wait. */
  onWait: (timeoutMs: number) => void = () => {};
  readonly #store: Store;
  readonly #clients: LoopClient[] = [];
  #ready: number[] = [];
  #given: number[] = [];
  #calls = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A client connects. */
  open(fd: number): LoopClient {
    const client = new LoopClient(fd);
    this.#clients[fd] = client;
    return client;
  }

  /** `client` sends `text`. */
  arrive(client: LoopClient, text: string): void {
    client.input += text;
    if (client.waitsFor === "readable") this.wake(client.fd);
  }

  /** `client` sends no more, or is gone. */
  end(client: LoopClient, isGone = false): void {
    client.hasEnded = true;
    client.isGone ||= isGone;
    this.wake(client.fd);
  }

  /** `client` reads `count` bytes. */
  makeRoom(client: LoopClient, count = Infinity): void {
    client.room += count;
    if (client.waitsFor === "writable") this.wake(client.fd);
  }

  /** The next wait gives `fd` out. */
  wake(fd: number): void {
    if (!this.#ready.includes(fd)) this.#ready.push(fd);
  }

  wait(timeoutMs: number): number {
    this.onWait(timeoutMs);
    this.#given = this.#ready;
    this.#ready = [];
    this.#calls = 0;
    return this.#given.length;
  }

  fdAt(index: number): number {
    return this.#given[index]!;
  }

  isHangup(index: number): boolean {
    return this.#clients[this.fdAt(index)]?.hasEnded ?? false;
  }

  isGone(index: number): boolean {
    return this.#clients[this.fdAt(index)]?.isGone ?? false;
  }

  recv(fd: number, bytes: Uint8Array, from: number): number {
    return this.#receive(fd, bytes, from, bytes.length);
  }

  recvValue(fd: number, segment: number, from: number, to: number): number {
    return this.#receive(fd, this.#store.items.u8[segment]!, from, to);
  }

  #receive(fd: number, bytes: Uint8Array, from: number, to: number): number {
    const client = this.#call(fd);
    client.receives++;
    const taken = client.take(to - from);
    if (taken === "") return client.hasEnded ? 0 : Io.AGAIN;
    for (let at = 0; at < taken.length; at++) bytes[from + at] = taken.charCodeAt(at);
    return taken.length;
  }

  send(fd: number, replies: ReplyBuffer): number {
    const client = this.#call(fd);
    client.sends++;
    if (client.isGone) return Io.GONE;
    const room = Math.min(client.room, client.sendMax);
    let sent = 0;
    for (const piece of waitingPieces(this.#store, replies)) {
      const taken = piece.subarray(0, Math.min(room - sent, piece.length));
      client.text += latin1(taken);
      sent += taken.length;
    }
    client.room -= sent;
    return sent === 0 ? Io.AGAIN : sent;
  }

  #call(fd: number): LoopClient {
    if (++this.#calls > CALLS_MAX) throw new Error("The turn of the loop does not end");
    if (this.order.at(-1) !== fd) this.order.push(fd);
    this.onCall(fd);
    return this.#clients[fd]!;
  }

  waitReadable(fd: number): void {
    const client = this.#clients[fd]!;
    client.readableWaits++;
    client.waitsFor = "readable";
    if (client.input !== "") this.wake(fd);
  }

  waitWritable(fd: number): void {
    const client = this.#clients[fd]!;
    client.writableWaits++;
    client.waitsFor = "writable";
  }

  probe(): void {}

  close(fd: number): void {
    this.#clients[fd]!.isClosed = true;
  }
}

/** A loop, its network and its store. */
export class LoopBed {
  readonly store: Store;
  readonly network: ScriptedNetwork;
  readonly shared: ConnShared;
  readonly loop: ConnLoop;
  /** What happens when the doorbell rings. */
  onDoorbell: () => void = () => {};
  /** Seconds since start. */
  now: number;
  /** Why connections were closed, by name, while somebody watches for that. */
  readonly reasons: string[] = [];
  #nextFd = 10;

  constructor(
    store: Store,
    settings: Partial<Settings> = {},
    more: Partial<ConnShared> = {},
  ) {
    this.store = store;
    this.now = store.clock.now;
    this.network = new ScriptedNetwork(store);
    const onClose = (_fd: number, reason: CloseReason) =>
      void this.reasons.push(CLOSE_REASONS[reason]);
    this.shared = makeShared(store, this.network, settings, { onClose, ...more });
    const doorbell = { fd: DOORBELL, answer: () => this.onDoorbell() };
    const turnLock = { enter: () => {}, leave: () => {} };
    const { clock } = store;
    this.loop = new ConnLoop(
      this.shared,
      this.network,
      doorbell,
      turnLock,
      clock,
      () => this.now,
    );
  }

  /** A client that has sent `input` when the loop takes it over, which serves it. */
  connect(input = "", listener = 0, fd: number = this.#nextFd++): LoopClient {
    const client = this.network.open(fd);
    client.input = input;
    this.loop.add(client.fd, listener);
    return client;
  }

  /** One turn; returns who was served in it, in order. */
  turn(): readonly number[] {
    this.network.order = [];
    this.loop.turn(NOT_AT_ALL);
    return this.network.order;
  }

  /** Turns until nobody is served any more, and several more, as commands may take a turn each. */
  settle(): void {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns > CALLS_MAX) throw new Error("The loop does not come to rest");
      quiet = this.turn().length > 0 ? 0 : quiet + 1;
    }
  }

  /** The doorbell rings. */
  ring(): void {
    this.network.wake(DOORBELL);
  }
}

/** Buffers that connections have. */
export function heldBytes({ store: { control } }: LoopBed): number {
  const totals = new Snapshot(control);
  return totals.of("read_buf_bytes") - totals.of("read_buf_bytes_free");
}

/** A log line. */
export const LINE: Uint8Array = ascii(`${"x".repeat(200)}\n`);

/** Puts `count` log lines in front of the watchers. */
export function addLines({ store: { lines } }: LoopBed, count: number): void {
  for (let line = 0; line < count; line++) lines.append(0, () => LINE);
}
