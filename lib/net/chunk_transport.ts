// A transport for connections whose bytes come and go in chunks, as events: by message from the
// thread that has the socket. It keeps what has come until it is asked for, and counts what is on
// its way out, so that neither side can fill the memory of the other.

import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/copy.ts";
import { Block } from "../base/block.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { BlockStore } from "./block_store.ts";
import { ByteQueue } from "./byte_queue.ts";
import { Io, type Poller, type Transport } from "./transport.ts";

/** Bytes of one connection that may be on their way to its client. */
export const SEND_WINDOW = 256 * 1024;
/** Most bytes in one chunk to a client. */
export const SEND_CHUNK_MAX = 64 * 1024;
/** Bytes taken before the other side is told of them. */
export const TAKEN_STEP = 32 * 1024;

/** The other side: who has the sockets. */
export interface Carrier {
  /** Sends a chunk, which it copies at once; `sent` is called as its bytes go. */
  send(fd: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** `count` more bytes of what came have been taken: as many more may come. */
  taken(fd: number, count: number): void;
  /** Ends the connection, once what was sent before has gone; it counts as open until then. */
  close(fd: number): void;
}

/** One connection. */
class ChunkConn {
  readonly fd: number;
  /** What has come and has not been asked for. */
  readonly input: ByteQueue;
  ended = false;
  lost = false;
  /** Bytes taken that the carrier was not told of. */
  untold = 0;
  /** Bytes on their way to the client. */
  inFlight = 0;
  /** What it is woken for, besides the loss of its client. */
  wakesOnInput = true;
  wakesOnRoom = false;
  isReady = false;

  constructor(fd: number, store: BlockStore) {
    this.fd = fd;
    this.input = new ByteQueue(store);
  }

  /** Whether so much has gone that more is worth a message. */
  get hasRoom(): boolean {
    return this.inFlight <= SEND_WINDOW / 2;
  }

  /** Whether somebody who receives would get something. */
  get hasInput(): boolean {
    return !this.input.isEmpty || this.ended || this.lost;
  }
}

/** One worker's connections. */
export class ChunkTransport implements Transport, Poller {
  readonly #segments: readonly Block[];
  readonly #carrier: Carrier;
  readonly #conns: (ChunkConn | undefined)[] = [];
  readonly #store = new BlockStore();
  /** Where a chunk to a client is put together. */
  readonly #chunk: Block = Block.ofLength(SEND_CHUNK_MAX);
  /** Those that have something to do, and those that the last wait gave out. */
  #ready: ChunkConn[] = [];
  #given: ChunkConn[] = [];

  /** @param segments The segments of item memory. */
  constructor(segments: readonly Block[], carrier: Carrier) {
    this.#segments = segments;
    this.#carrier = carrier;
  }

  /** A new connection. */
  open(fd: number): void {
    this.#conns[fd] = new ChunkConn(fd, this.#store);
  }

  /** Nothing more to do: a connection is known from {@linkcode open} on. */
  watch(_fd: number, _listener?: number): void {}

  /** Bytes have come, and are copied; none, for a connection that is closed already. */
  arrived(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
    const conn = this.#conns[fd];
    if (conn === undefined || bytes.length === 0) return;
    conn.input.append(bytes);
    if (conn.wakesOnInput) this.#makeReady(conn);
  }

  /** The client sends no more; `lost`: nor does it receive. */
  ended(fd: number, lost: boolean): void {
    const conn = this.#conns[fd];
    if (conn === undefined) return;
    conn.ended = true;
    conn.lost ||= lost;
    if (lost || conn.wakesOnInput) this.#makeReady(conn);
  }

  /** `count` bytes have gone to the client. */
  sent(fd: number, count: number): void {
    const conn = this.#conns[fd];
    if (conn === undefined) return;
    conn.inFlight -= count;
    assert(conn.inFlight >= 0, "More bytes went to a client than were on their way");
    if (conn.wakesOnRoom && conn.hasRoom) this.#makeReady(conn);
  }

  #makeReady(conn: ChunkConn): void {
    if (conn.isReady) return;
    conn.isReady = true;
    this.#ready.push(conn);
  }

  /** Gives out whoever is ready now: it never sleeps. */
  wait(_timeoutMs: number): number {
    const ready = this.#ready;
    this.#ready = this.#given;
    this.#ready.length = 0;
    this.#given = ready;
    for (const conn of ready) conn.isReady = false;
    return ready.length;
  }

  fdAt(index: number): number {
    return this.#given[index]!.fd;
  }

  isHangup(index: number): boolean {
    const { ended, lost } = this.#given[index]!;
    return ended || lost;
  }

  isGone(index: number): boolean {
    return this.#given[index]!.lost;
  }

  recv(fd: number, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    return this.#take(fd, bytes, from, bytes.length);
  }

  recvValue(fd: number, segment: number, from: number, to: number): number {
    return this.#take(fd, this.#segments[segment]!.bytes, from, to);
  }

  #take(fd: number, target: Uint8Array, from: number, to: number): number {
    const conn = this.#conns[fd];
    if (conn === undefined || conn.lost) return Io.GONE;
    if (conn.input.isEmpty) return conn.ended ? 0 : Io.AGAIN;
    const count = conn.input.take(target, from, to);
    conn.untold += count;
    if (conn.untold >= TAKEN_STEP) {
      this.#carrier.taken(fd, conn.untold);
      conn.untold = 0;
    }
    return count;
  }

  send(fd: number, replies: ReplyBuffer): number {
    return this.#send(fd, (room) => this.#gather(replies, room));
  }

  /** Sends bytes that are no replies; results as {@linkcode send}. */
  sendBytes(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    return this.#send(fd, (room) => bytes.subarray(0, room));
  }

  #send(fd: number, take: (room: number) => Uint8Array<ArrayBuffer>): number {
    const conn = this.#conns[fd];
    if (conn === undefined || conn.lost) return Io.GONE;
    const room = Math.min(SEND_WINDOW - conn.inFlight, SEND_CHUNK_MAX);
    if (room <= 0) return Io.AGAIN;
    const bytes = take(room);
    conn.inFlight += bytes.length;
    this.#carrier.send(fd, bytes);
    return bytes.length;
  }

  /** Copies up to `room` of the bytes that wait in `replies`. */
  #gather(replies: ReplyBuffer, room: number): Uint8Array<ArrayBuffer> {
    const out = this.#chunk;
    const length = Math.min(room, waitingBytes(replies));
    let used = 0;
    const copy = (source: Block, from: number, to: number): void => {
      const count = Math.min(to - from, length - used);
      copyBytes(source, from, out, used, count);
      used += count;
    };
    let at = replies.sent;
    for (let ref = replies.refNext; ref < replies.refCount && used < length; ref++) {
      copy(replies.block, at, replies.refAt[ref]!);
      at = replies.refAt[ref]!;
      const segment = this.#segments[replies.refSegment[ref]!]!;
      copy(segment, replies.refFrom[ref]!, replies.refTo[ref]!);
    }
    copy(replies.block, at, replies.used);
    return out.bytes.subarray(0, length);
  }

  /** Whoever has the socket would have to ask; deno has no way to. */
  probe(_fd: number): void {}

  waitReadable(fd: number): void {
    this.#wakeOn(fd, true, false);
  }

  waitWritable(fd: number): void {
    this.#wakeOn(fd, false, true);
  }

  /** From now on, wake this connection when something arrives or when it can be written. */
  waitEither(fd: number): void {
    this.#wakeOn(fd, true, true);
  }

  #wakeOn(fd: number, input: boolean, room: boolean): void {
    const conn = this.#conns[fd];
    if (conn === undefined) return;
    conn.wakesOnInput = input;
    conn.wakesOnRoom = room;
    if (conn.lost || (input && conn.hasInput) || (room && conn.hasRoom)) this.#makeReady(conn);
  }

  close(fd: number): void {
    this.#conns[fd]?.input.clear();
    this.#conns[fd] = undefined;
    this.#carrier.close(fd);
  }
}

/** Bytes that wait in `replies`, those of references included. */
function waitingBytes(replies: ReplyBuffer): number {
  let count = replies.used - replies.sent;
  for (let ref = replies.refNext; ref < replies.refCount; ref++) {
    count += replies.refTo[ref]! - replies.refFrom[ref]!;
  }
  return count;
}
