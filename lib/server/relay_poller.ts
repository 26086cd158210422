// A worker's end of a relay: sleeps on a word of shared memory, takes the messages off its port,
// and tells the loop which connections have something to do.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Block } from "../base/block.ts";
import { loadWord, sleepOnWord } from "../memory/atomic.ts";
import type { Control } from "../memory/regions.ts";
import { type Carrier, ChunkTransport } from "../net/chunk_transport.ts";
import type { Poller } from "../net/transport.ts";
import type { Notice } from "./notify.ts";
import { doorbellWord, type RelayDown, type RelayUp } from "./relay_channel.ts";

/** Stands for notices where the loop is told descriptors: no connection has it. */
export const RELAY_DOORBELL = 0;

/** One worker's relayed connections. */
export class RelayPoller implements Poller {
  readonly transport: ChunkTransport;
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #word: number;
  readonly #notices: Notice[] = [];
  /** 1 when the last wait gave out the doorbell, before the connections. */
  #rings = 0;

  constructor(port: MessagePort, control: Control, segments: readonly Block[], thread: number) {
    this.#port = port;
    this.#control = control;
    this.#word = doorbellWord(control, thread);
    this.transport = new ChunkTransport(control, segments, carrierOf(port));
  }

  wait(timeoutMs: number): number {
    const woken = loadWord(this.#control.i32, this.#word);
    this.#drain();
    let count = this.#count();
    if (count === 0 && timeoutMs !== 0) {
      const ms = timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs;
      sleepOnWord(this.#control.i32, this.#word, woken, ms);
      this.#drain();
      count = this.#count();
    }
    return count;
  }

  #count(): number {
    this.#rings = this.#notices.length > 0 ? 1 : 0;
    return this.#rings + this.transport.wait(0);
  }

  fdAt(index: number): number {
    return index < this.#rings ? RELAY_DOORBELL : this.transport.fdAt(index - this.#rings);
  }

  isHangup(index: number): boolean {
    return this.transport.isHangup(index - this.#rings);
  }

  /** Hands out the notices that have come. */
  takeNotices(take: (notice: Notice) => void): void {
    for (const notice of this.#notices.splice(0)) take(notice);
  }

  #drain(): void {
    for (
      let received = receiveMessageOnPort(this.#port);
      received !== undefined;
      received = receiveMessageOnPort(this.#port)
    ) {
      this.#handle(received.message as RelayDown);
    }
  }

  #handle(message: RelayDown): void {
    switch (message.type) {
      case "d":
        return this.transport.arrived(message.fd, message.bytes);
      case "e":
        return this.transport.ended(message.fd, message.lost);
      case "k":
        return this.transport.sent(message.fd, message.count);
      case "c":
        this.transport.open(message.fd); // At once: its first bytes may be the next message.
    }
    this.#notices.push(message);
  }
}

function carrierOf(port: MessagePort): Carrier {
  const post = (message: RelayUp, transfer: ArrayBuffer[]) => port.postMessage(message, transfer);
  return {
    send: (fd, bytes) => post({ type: "d", fd, bytes }, [bytes.buffer]),
    taken: (fd, count) => post({ type: "k", fd, count }, []),
    close: (fd) => post({ type: "x", fd }, []),
  };
}
