// A worker's end of a relay: sleeps on a word of shared memory, takes the messages off its port,
// and gives the loop the connections that are ready.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Block } from "../../base/block.ts";
import { loadWord, sleepOnWord } from "../../memory/atomic.ts";
import type { Control } from "../../memory/regions.ts";
import { type Carrier, ChunkTransport } from "../../net/chunk_transport.ts";
import type { Notice } from "../channel/notify.ts";
import { doorbellWord, postFrames } from "./relay_channel.ts";
import { Frame, type FrameMessage, FrameWriter, isFrames, readFrames } from "./relay_frames.ts";

/** The descriptor that stands for notices; no connection has it. */
export const RELAY_DOORBELL = 0;

/** One worker's relayed connections. */
export class RelayTransport extends ChunkTransport {
  readonly #port: MessagePort;
  readonly #shared: Control;
  readonly #word: number;
  readonly #up: FrameWriter;
  readonly #notices: Notice[] = [];
  /** 1 when the last wait returned the doorbell, before the connections. */
  #rings = 0;

  constructor(port: MessagePort, control: Control, segments: readonly Block[], thread: number) {
    const up = new FrameWriter((message) => postFrames(port, message));
    super(segments, carrierOf(up));
    this.#up = up;
    this.#port = port;
    this.#shared = control;
    this.#word = doorbellWord(control, thread);
  }

  /** Sends the frames of the last turn, then waits until a connection is ready. */
  override wait(timeoutMs: number): number {
    this.#up.flush();
    const woken = loadWord(this.#shared.i32, this.#word);
    this.#drain();
    let count = this.#count();
    if (count === 0 && timeoutMs !== 0) {
      const ms = timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs;
      sleepOnWord(this.#shared.i32, this.#word, woken, ms);
      this.#drain();
      count = this.#count();
    }
    return count;
  }

  #count(): number {
    this.#rings = this.#notices.length > 0 ? 1 : 0;
    return this.#rings + super.wait(0);
  }

  override fdAt(index: number): number {
    return index < this.#rings ? RELAY_DOORBELL : super.fdAt(index - this.#rings);
  }

  override isHangup(index: number): boolean {
    return index >= this.#rings && super.isHangup(index - this.#rings);
  }

  override isGone(index: number): boolean {
    return index >= this.#rings && super.isGone(index - this.#rings);
  }

  /** Hands out the notices that have come. */
  takeNotices(take: (notice: Notice) => void): void {
    for (const notice of this.#notices.splice(0)) take(notice);
  }

  /** Sends the frames that are left, at the end of the loop. */
  finish(): void {
    this.#up.flush();
  }

  #drain(): void {
    for (
      let received = receiveMessageOnPort(this.#port);
      received !== undefined;
      received = receiveMessageOnPort(this.#port)
    ) {
      const message = received.message as Notice | FrameMessage;
      if (isFrames(message)) this.#read(message);
      else this.#notices.push(message);
    }
  }

  #read(message: FrameMessage): void {
    readFrames(message, (type, fd, number, bytes) => {
      switch (type) {
        case Frame.CONN:
          this.open(fd); // At once: its first bytes may be the next frame.
          this.#notices.push({ type: "c", fd, listener: number });
          return;
        case Frame.DATA:
          return this.arrived(fd, bytes);
        case Frame.END:
        case Frame.LOST:
          return this.ended(fd, type === Frame.LOST);
        case Frame.COUNT:
          return this.sent(fd, number);
      }
    });
  }
}

function carrierOf(up: FrameWriter): Carrier {
  return {
    send: (fd, bytes) => up.writeData(fd, bytes),
    taken: (fd, count) => up.write(Frame.COUNT, fd, count),
    close: (fd) => up.write(Frame.CLOSE, fd, 0),
  };
}
