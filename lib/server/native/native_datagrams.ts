// A UDP socket as one worker has it: received from and sent to by system calls, watched by the
// worker's own epoll instance.

import type { DatagramSocket } from "../../net/udp_conn.ts";
import { Io as NetIo } from "../../net/transport.ts";
import { isLocalPeer, Peer, peerPort, receiveDatagram, sendDatagram } from "../../sys/datagram.ts";
import { EpollEvent } from "../../sys/epoll.ts";
import { Io } from "../../sys/socket.ts";
import type { NativeTransport } from "./native_transport.ts";

// Exclusive: a datagram wakes one worker that sleeps. Level-triggered: while
// datagrams wait, a worker that stops before the last one is woken again, or another one is.
const READABLE = EpollEvent.IN | EpollEvent.EXCLUSIVE;

/** One worker's hold on a socket that all workers share. */
export class NativeDatagrams implements DatagramSocket {
  readonly #fd: number;
  readonly #transport: NativeTransport;
  readonly #peer = new Peer();
  readonly #ownPorts: ReadonlySet<number>;

  /**
   * Starts watching `fd`.
   *
   * @param ownPorts The ports of all sockets of this server.
   */
  constructor(fd: number, ownPorts: ReadonlySet<number>, transport: NativeTransport) {
    this.#fd = fd;
    this.#ownPorts = ownPorts;
    this.#transport = transport;
    transport.watchFor(fd, READABLE);
  }

  receive(bytes: Uint8Array<ArrayBuffer>): number {
    const count = receiveDatagram(this.#fd, bytes, this.#peer);
    return count === Io.AGAIN ? NetIo.AGAIN : count;
  }

  /** Compares the port first, as a rule that is enough; then asks the system about the address. */
  isFromSelf(): boolean {
    return this.#ownPorts.has(peerPort(this.#peer)) && isLocalPeer(this.#peer);
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
