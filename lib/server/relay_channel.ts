// The channel between the thread that has the sockets and a worker, where connections are relayed:
// a MessagePort both ways, and a word in shared memory that the worker sleeps on.

import type { MessagePort } from "node:worker_threads";
import { wakeWord } from "../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import type { Notice } from "./notify.ts";

/** What a worker is told, besides notices. */
export type RelayDown =
  | Notice
  /** Bytes have come from a client. */
  | { readonly type: "d"; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** A client sends no more; `lost`: it is gone. */
  | { readonly type: "e"; readonly fd: number; readonly lost: boolean }
  /** Bytes have gone to a client. */
  | { readonly type: "k"; readonly fd: number; readonly count: number };

/** What a worker tells the acceptor. */
export type RelayUp =
  /** Bytes for a client. */
  | { readonly type: "d"; readonly fd: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Bytes have been taken: as many more may come. */
  | { readonly type: "k"; readonly fd: number; readonly count: number }
  /** Close the connection, once its bytes have gone. */
  | { readonly type: "x"; readonly fd: number };

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

/** The sending end of a channel to a worker. */
export class RelaySender {
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #word: number;

  /** @param thread The worker's number. */
  constructor(port: MessagePort, control: Control, thread: number) {
    this.#port = port;
    this.#control = control;
    this.#word = doorbellWord(control, thread);
  }

  /** Posts a message and wakes the worker; bytes are handed over, not copied. */
  post(message: RelayDown): void {
    if (message.type === "d") this.#port.postMessage(message, [message.bytes.buffer]);
    else this.#port.postMessage(message);
    wakeWord(this.#control.i32, this.#word);
  }

  /** Lets go of the port, so that it does not keep the process alive. */
  close(): void {
    this.#port.close();
  }
}
