// The channel between the relay acceptor, which has the sockets, and a worker: a MessagePort both
// ways, for frames and notices, and a word in shared memory that the worker sleeps on.

import type { MessagePort } from "node:worker_threads";
import { wakeWord } from "../../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import type { Notice } from "../channel/notify.ts";
import { type FrameMessage, FrameWriter } from "./relay_frames.ts";

/** Index of the word that thread number `thread` sleeps on. */
export function doorbellWord({ regions }: Control, thread: number): number {
  return wordIndex(regions.doorbellsAt + thread * LINE_BYTES);
}

/** Calls `take` for each message, as the thread's event loop gets to it. */
export function onMessage<Message>(port: MessagePort, take: (message: Message) => void): void {
  // A port that came in a message is a web port, whatever its type says.
  const events = port as unknown as globalThis.MessagePort;
  events.onmessage = ({ data }: MessageEvent<Message>) => take(data);
}

/** Posts a message of frames; transfers a buffer. */
export function postFrames(port: MessagePort, message: FrameMessage): void {
  if (typeof message === "string") port.postMessage(message);
  else port.postMessage(message, [message]);
}

/** The acceptor's end of a channel to a worker. */
export class RelaySender {
  /** Frames that the next flush sends. */
  readonly #frames: FrameWriter;
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #word: number;
  #flushing = false;

  /** @param thread The worker's number. */
  constructor(port: MessagePort, control: Control, thread: number) {
    this.#port = port;
    this.#control = control;
    this.#word = doorbellWord(control, thread);
    this.#frames = new FrameWriter((message) => {
      postFrames(port, message);
      this.#wake();
    });
  }

  /** Frames to write to; they are sent at the end of this turn of the event loop. */
  get frames(): FrameWriter {
    if (!this.#flushing) {
      this.#flushing = true;
      // One more turn: reads that end together write their frames into the same message.
      queueMicrotask(() => queueMicrotask(() => this.#flush()));
    }
    return this.#frames;
  }

  #flush(): void {
    this.#flushing = false;
    this.#frames.flush();
  }

  /** Posts a notice, after all frames before it. */
  post(notice: Notice): void {
    this.#frames.flush();
    this.#port.postMessage(notice);
    this.#wake();
  }

  #wake(): void {
    wakeWord(this.#control.i32, this.#word);
  }

  /** Closes the port, which would keep the process alive. */
  close(): void {
    this.#port.close();
  }
}
