// A UDP socket as one worker has it: received from and sent to by system calls, watched by the
// worker's own epoll instance.

import type { DatagramSocket } from "../net/udp_conn.ts";
import { Io as NetIo } from "../net/transport.ts";
import { Peer, receiveDatagram, sendDatagram } from "../sys/datagram.ts";
import { EpollEvent } from "../sys/epoll.ts";
import { Io } from "../sys/socket.ts";
import type { NativeTransport } from "./native_transport.ts";

// Exclusive: a datagram wakes one worker that sleeps. Level-triggered: whoever stops before the
// last one is woken again, and so is any other that sleeps.
const READABLE = EpollEvent.IN | EpollEvent.EXCLUSIVE;

/** One worker's hold on a socket that all workers share. */
export class NativeDatagrams implements DatagramSocket {
  readonly #fd: number;
  readonly #transport: NativeTransport;
  readonly #peer = new Peer();

  /** Starts watching `fd`. */
  constructor(fd: number, transport: NativeTransport) {
    this.#fd = fd;
    this.#transport = transport;
    transport.watchFor(fd, READABLE);
  }

  receive(bytes: Uint8Array<ArrayBuffer>): number {
    const count = receiveDatagram(this.#fd, bytes, this.#peer);
    return count === Io.AGAIN ? NetIo.AGAIN : count;
  }

  reply(bytes: Uint8Array<ArrayBuffer>, count: number): number {
    const sent = sendDatagram(this.#fd, bytes, count, this.#peer);
    return sent >= 0 ? sent : sent === Io.AGAIN ? NetIo.AGAIN : NetIo.GONE;
  }

  waitReadable(): void {
    this.#watchAnew(READABLE);
  }

  waitWritable(): void {
    this.#watchAnew(EpollEvent.OUT);
  }

  /** An exclusive watch cannot be changed. Source: epoll_ctl(2), EPOLLEXCLUSIVE. */
  #watchAnew(events: number): void {
    this.#transport.unwatch(this.#fd);
    this.#transport.watchFor(this.#fd, events);
  }
}
