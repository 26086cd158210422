// A worker's end of a UDP socket, which all workers share: takes datagrams one after the other,
// runs each through the state machine of a connection of its own, and sends the reply.
//
//   IDLE ──datagram──► RUNNING ──closed──► SENDING ──all sent──► IDLE
//                      │     ▲             │     ▲
//                      └turn─┘             └─no room: BLOCKED
//
// What a datagram leaves unfinished, a line without its end or a value that is not all there, is
// dropped with it: the next one may be another client's. So is a datagram that begins as a reply
// does, or that claims to be this server's: an answer would be answered by a server again.

import { Block } from "../base/block.ts";
import { Reply } from "../protocol/reply.ts";
import {
  DATAGRAM_BYTES_MAX,
  datagramsOf,
  FRAME_BYTES,
  isReply,
  isRequest,
  REPLY_DATAGRAM_BYTES,
  REPLY_PAYLOAD_BYTES,
  requestId,
  writeFrame,
} from "../protocol/udp/frames.ts";
import { Counter } from "../stats/names.ts";
import { closeConn, drive } from "./conn.ts";
import { CloseReason, Conn, type ConnShared, Progress } from "./conn_record.ts";
import { DatagramTransport } from "./datagram_transport.ts";
import { Io } from "./transport.ts";

/** A socket that datagrams come by. */
export interface DatagramSocket {
  /** Receives one datagram into `bytes`; {@linkcode Io.AGAIN} when none waits. */
  receive(bytes: Uint8Array<ArrayBuffer>): number;
  /** Whether the last datagram claims to come from one of this server's own sockets. */
  isFromSelf(): boolean;
  /**
   * Sends the first `count` of `bytes` to where the last datagram came from: `count`,
   * {@linkcode Io.AGAIN} when there is no room, {@linkcode Io.GONE} when that cannot be.
   */
  reply(bytes: Uint8Array<ArrayBuffer>, count: number): number;
  /** From now on, wake this worker when a datagram waits, unless another one takes it. */
  waitReadable(): void;
  /** From now on, wake this worker when there is room to send, and not before. */
  waitWritable(): void;
}

const Phase = { IDLE: 0, RUNNING: 1, SENDING: 2, BLOCKED: 3 } as const;
type Phase = typeof Phase[keyof typeof Phase];

/** Datagrams received before other connections get their turn. */
const RECEIVES_PER_TURN = 16;
/** Datagrams sent before other connections get their turn. */
const SENDS_PER_TURN = 128;

/** The connection that serves one socket. */
export class UdpConn {
  readonly #common: ConnShared;
  readonly #shared: ConnShared;
  readonly #transport: DatagramTransport;
  readonly #socket: DatagramSocket;
  readonly #conn: Conn;
  readonly #request = new Block(new ArrayBuffer(DATAGRAM_BYTES_MAX));
  readonly #out = new Block(new ArrayBuffer(REPLY_DATAGRAM_BYTES));
  #phase: Phase = Phase.IDLE;
  /** Datagrams of the reply: the next one to send, and how many there are. */
  #sequence = 0;
  #total = 0;
  /** It waits in the loop's line for another turn. */
  inLine = false;

  constructor(fd: number, socket: DatagramSocket, common: ConnShared) {
    const { executor } = common;
    this.#common = common;
    this.#socket = socket;
    this.#conn = new Conn(fd);
    this.#conn.session.isDatagram = true;
    this.#transport = new DatagramTransport(executor.store.items.blocks);
    this.#shared = {
      ...common,
      onClose: undefined,
      transport: this.#transport,
      protocols: [executor.settings.bindingProtocol],
    };
    executor.counters.add(Counter.CONNECTION_STRUCTURES, 1);
  }

  /** The socket is ready: serves it, and returns whether another turn is wanted. */
  wake(): boolean {
    if (this.#phase === Phase.BLOCKED) {
      this.#phase = Phase.SENDING;
      this.#socket.waitReadable();
    }
    return this.advance();
  }

  /** Goes on for a turn, and returns whether another one is wanted. */
  advance(): boolean {
    for (let left = RECEIVES_PER_TURN; left > 0; left--) {
      if (this.#phase === Phase.IDLE) {
        const count = this.#socket.receive(this.#request.bytes);
        if (count === Io.AGAIN) return false;
        if (!this.#open(count)) continue;
      }
      if (this.#phase === Phase.RUNNING && !this.#run()) return true;
      if (this.#phase === Phase.SENDING && !this.#send()) return this.#phase === Phase.SENDING;
    }
    return false; // The socket is ready for as long as datagrams wait.
  }

  /** Gives up what is under way. */
  close(): void {
    if (this.#phase === Phase.RUNNING) {
      closeConn(this.#conn, this.#shared, CloseReason.SHUTDOWN);
      this.#conn.reset();
    }
    this.#phase = Phase.IDLE;
  }

  /** Begins to serve the datagram that has come, `count` bytes; false when it is no request. */
  #open(count: number): boolean {
    const request = this.#request;
    if (!isRequest(request, count) || isReply(request, count) || this.#socket.isFromSelf()) {
      this.#count(Counter.UDP_DROPPED, 1);
      if (count > FRAME_BYTES) this.#count(Counter.BYTES_READ, count);
      return false;
    }
    this.#count(Counter.BYTES_READ, FRAME_BYTES);
    this.#transport.open(request, FRAME_BYTES, count);
    const conn = this.#conn;
    conn.mayHaveMore = true;
    conn.untilEmpty = true; // It is received to its end, and the connection closed there.
    this.#shared.trace = this.#common.trace;
    this.#phase = Phase.RUNNING;
    return true;
  }

  /** Runs the commands; false when its turn is used up before they are done. */
  #run(): boolean {
    drive(this.#conn, this.#shared);
    if (this.#conn.progress === Progress.YIELDED) return false;
    this.#conn.reset(); // It was closed at the end of its input.
    const transport = this.#transport;
    this.#count(Counter.BYTES_READ, transport.unread);
    const counted = transport.length;
    if (transport.isTooLarge) transport.replaceReply(Reply.TOO_LARGE_FOR_UDP);
    this.#sequence = 0;
    this.#total = datagramsOf(transport.length);
    const sent = transport.length + this.#total * FRAME_BYTES;
    this.#count(Counter.BYTES_WRITTEN, sent - counted);
    this.#phase = Phase.SENDING;
    return true;
  }

  /** Sends the reply; false when there is no room, or its turn is used up, before all is sent. */
  #send(): boolean {
    const id = requestId(this.#request);
    for (let left = SENDS_PER_TURN; this.#sequence < this.#total; left--) {
      if (left === 0) return false;
      const from = this.#sequence * REPLY_PAYLOAD_BYTES;
      const to = Math.min(from + REPLY_PAYLOAD_BYTES, this.#transport.length);
      writeFrame(this.#out, id, this.#sequence, this.#total);
      this.#transport.copyReply(from, to, this.#out, FRAME_BYTES);
      const sent = this.#socket.reply(this.#out.bytes, FRAME_BYTES + to - from);
      if (sent === Io.GONE) break; // Without this part the rest is of no use.
      if (sent === Io.AGAIN) {
        this.#phase = Phase.BLOCKED;
        this.#socket.waitWritable();
        return false;
      }
      this.#sequence++;
    }
    this.#transport.clearReply();
    this.#phase = Phase.IDLE;
    return true;
  }

  #count(counter: number, count: number): void {
    this.#shared.executor.counters.add(counter, count);
  }
}

/** The UDP sockets of one worker. */
export class UdpConns {
  readonly #conns: UdpConn[] = [];
  /** By descriptor. */
  readonly #byFd: (UdpConn | undefined)[] = [];
  #line: UdpConn[] = [];

  /** Starts to serve a socket. */
  add(fd: number, conn: UdpConn): void {
    this.#conns.push(conn);
    this.#byFd[fd] = conn;
  }

  /** Whether a socket waits for another turn. */
  get hasLine(): boolean {
    return this.#line.length > 0;
  }

  /** `fd` is ready, if it is one of these sockets. */
  wake(fd: number): void {
    const conn = this.#byFd[fd];
    if (conn === undefined || conn.inLine) return;
    this.#keep(conn, conn.wake());
  }

  /** Gives each socket in line its turn. */
  advance(): void {
    const line = this.#line;
    if (line.length === 0) return;
    this.#line = [];
    for (const conn of line) this.#keep(conn, conn.advance());
  }

  /** Gives up what is under way. */
  close(): void {
    for (const conn of this.#conns) conn.close();
  }

  #keep(conn: UdpConn, wantsTurn: boolean): void {
    conn.inLine = wantsTurn;
    if (wantsTurn) this.#line.push(conn);
  }
}
