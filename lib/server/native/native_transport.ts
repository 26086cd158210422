// The native transport: connections are descriptors, moved and waited for by system calls.

import type { Block } from "../../base/block.ts";
import { viewOf } from "../../base/copy.ts";
import { Global } from "../../memory/regions.ts";
import type { Control } from "../../memory/regions.ts";
import { addWord } from "../../memory/atomic.ts";
import { Io as NetIo, type Poller, type Transport } from "../../net/transport.ts";
import { REFERENCES_MAX, type ReplyBuffer } from "../../protocol/reply.ts";
import { Epoll, EpollEvent } from "../../sys/epoll.ts";
import { DOORBELL_EVENTS } from "../../sys/eventfd.ts";
import { closeFd, Io, probePeer, recvInto, sendFrom, sendMessage } from "../../sys/socket.ts";

/** Addresses of the memory that the kernel gets by address. */
export interface Addresses {
  /** Of each segment of item memory. */
  readonly segments: readonly number[];
  /** Of the buffers' memory. */
  readonly buffers: number;
  /** Of {@linkcode MESSAGE_BYTES} bytes for `struct msghdr` and its pieces. */
  readonly message: number;
}

// struct msghdr on 64-bit Linux: name 8, namelen 4+4, iov 8, iovlen 8, control 8, controllen 8,
// flags 4+4. struct iovec: base 8, len 8. Source: bits/types/struct_msghdr.h, struct_iovec.h.
const HEADER_BYTES = 64;
const IOV_WORD = 4;
const IOVLEN_WORD = 6;
const IOVEC_WORDS = 4;
const PIECES_MAX = 2 * REFERENCES_MAX + 1;
/** Bytes of the block in which messages are described to the kernel. */
export const MESSAGE_BYTES = HEADER_BYTES + PIECES_MAX * IOVEC_WORDS * 4;

const WORD = 0x100000000;

// Edge-triggered: a ready descriptor is not looked at a second time by the next wait, which saves
// the kernel 2 to 3 % of a request.
const READABLE = (EpollEvent.IN | EpollEvent.PRI | EpollEvent.RDHUP | EpollEvent.EDGE) >>> 0;
const WRITABLE = (EpollEvent.OUT | EpollEvent.EDGE) >>> 0;
// After these, a receive that comes short does not mean that the socket is empty.
const HANGUP = EpollEvent.PRI | EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR;
const GONE = EpollEvent.HUP | EpollEvent.ERR;

/** One worker's sockets. */
export class NativeTransport implements Transport, Poller {
  readonly #epoll = new Epoll();
  readonly #control: Control;
  readonly #segments: readonly Uint8Array<ArrayBuffer>[];
  readonly #addresses: Addresses;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;

  constructor(
    control: Control,
    segments: readonly Block[],
    message: ArrayBuffer,
    addresses: Addresses,
  ) {
    this.#control = control;
    this.#segments = segments.map(({ bytes }) => bytes);
    this.#addresses = addresses;
    this.#message = new Uint8Array(message);
    this.#words = new Uint32Array(message);
    this.#writeAddress(IOV_WORD, addresses.message + HEADER_BYTES);
  }

  /** Starts watching a connection for input. */
  watch(fd: number, _listener?: number): void {
    this.#epoll.add(fd, READABLE);
  }

  /** Starts watching the doorbell. */
  watchDoorbell(fd: number): void {
    this.#epoll.add(fd, DOORBELL_EVENTS);
  }

  /** Starts watching any other descriptor, for `events` of {@linkcode EpollEvent}. */
  watchFor(fd: number, events: number): void {
    this.#epoll.add(fd, events);
  }

  /** Stops watching a descriptor that stays open. */
  unwatch(fd: number): void {
    this.#epoll.remove(fd);
  }

  /** Watches nothing any more. */
  stopWatching(): void {
    this.#epoll.close();
  }

  wait(timeoutMs: number): number {
    return this.#epoll.wait(timeoutMs);
  }

  fdAt(index: number): number {
    return this.#epoll.fdAt(index);
  }

  isHangup(index: number): boolean {
    return (this.#epoll.eventsAt(index) & HANGUP) !== 0;
  }

  isGone(index: number): boolean {
    return (this.#epoll.eventsAt(index) & GONE) !== 0;
  }

  probe(fd: number): void {
    probePeer(fd);
  }

  /** @hot */
  recv(fd: number, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    const count = from === 0
      ? recvInto(fd, bytes, bytes.length)
      : recvInto(fd, viewOf(bytes, from, bytes.length), bytes.length - from);
    return count >= 0 ? count : count === Io.AGAIN ? NetIo.AGAIN : NetIo.GONE;
  }

  recvValue(fd: number, segment: number, from: number, to: number): number {
    const count = recvInto(fd, viewOf(this.#segments[segment]!, from, to), to - from);
    return count >= 0 ? count : count === Io.AGAIN ? NetIo.AGAIN : NetIo.GONE;
  }

  /** @hot */
  send(fd: number, replies: ReplyBuffer): number {
    const { bytes } = replies.block;
    let count: number;
    if (replies.refNext < replies.refCount) count = this.#sendPieces(fd, replies);
    else if (replies.sent === 0) count = sendFrom(fd, bytes, replies.used);
    else {
      const rest = viewOf(bytes, replies.sent, replies.used);
      count = sendFrom(fd, rest, rest.length);
    }
    return count >= 0 ? count : count === Io.AGAIN ? NetIo.AGAIN : NetIo.GONE;
  }

  /** Sends bytes that are no replies; results as {@linkcode send}. */
  sendBytes(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
    const count = sendFrom(fd, bytes, bytes.length);
    return count >= 0 ? count : count === Io.AGAIN ? NetIo.AGAIN : NetIo.GONE;
  }

  /** Sends replies that are partly in item memory. */
  #sendPieces(fd: number, replies: ReplyBuffer): number {
    const base = this.#addresses.buffers + replies.block.bytes.byteOffset;
    let at = replies.sent;
    let pieces = 0;
    for (let ref = replies.refNext; ref < replies.refCount; ref++) {
      const refAt = replies.refAt[ref]!;
      if (refAt > at) this.#writePiece(pieces++, base + at, refAt - at);
      at = refAt;
      const from = replies.refFrom[ref]!;
      const segment = this.#addresses.segments[replies.refSegment[ref]!]!;
      this.#writePiece(pieces++, segment + from, replies.refTo[ref]! - from);
    }
    if (replies.used > at) this.#writePiece(pieces++, base + at, replies.used - at);
    this.#words[IOVLEN_WORD] = pieces;
    return sendMessage(fd, this.#message);
  }

  #writePiece(piece: number, address: number, length: number): void {
    const at = HEADER_BYTES / 4 + piece * IOVEC_WORDS;
    this.#writeAddress(at, address);
    this.#words[at + 2] = length;
    this.#words[at + 3] = 0;
  }

  #writeAddress(word: number, address: number): void {
    this.#words[word] = address % WORD;
    this.#words[word + 1] = Math.floor(address / WORD);
  }

  waitReadable(fd: number): void {
    this.#epoll.change(fd, READABLE);
  }

  waitWritable(fd: number): void {
    this.#epoll.change(fd, WRITABLE);
  }

  /** From now on, wake this connection when input arrives or when it can be written. */
  waitEither(fd: number): void {
    this.#epoll.change(fd, (READABLE | WRITABLE) >>> 0);
  }

  close(fd: number): void {
    addWord(this.#control.u32, Global.CURR_CONNS, -1); // First: who sees the end may come again.
    closeFd(fd); // Takes it out of the epoll set, too: no other descriptor is open on it.
  }
}
