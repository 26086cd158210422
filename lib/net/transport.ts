// What a connection reads from and writes to, and what a loop waits on. Sockets, chunks that arrive
// by postMessage, and the scripts of tests are all behind this.

import type { ReplyBuffer } from "../protocol/reply.ts";

/** Results of {@linkcode Transport} calls that are not a byte count. */
export const Io = {
  /** Nothing to receive, or no room to send, right now. */
  AGAIN: -1,
  /** The peer is gone. */
  GONE: -2,
} as const;

/** Moves bytes for connections; a descriptor names the connection. */
export interface Transport {
  /** Receives into `bytes[from, …)`: a count, 0 at end of stream, or an {@linkcode Io} value. */
  recv(fd: number, bytes: Uint8Array<ArrayBuffer>, from: number): number;
  /** Receives into bytes `[from, to)` of a segment of item memory; results as {@linkcode recv}. */
  recvValue(fd: number, segment: number, from: number, to: number): number;
  /** Sends what waits in `replies`, as much as goes: a count or an {@linkcode Io} value. */
  send(fd: number, replies: ReplyBuffer): number;
  /**
   * From now on, wake this connection when something arrives. It is told once: whoever leaves
   * bytes unreceived must come back for them. What is there already counts as arriving now.
   */
  waitReadable(fd: number): void;
  /** From now on, wake this connection when it can be written, and not before. */
  waitWritable(fd: number): void;
  /**
   * Finds out, within minutes, whether a client that sends no more is gone: an event tells. Where
   * the transport has the socket; others do nothing.
   */
  probe(fd: number): void;
  /** Ends the connection. */
  close(fd: number): void;
}

/** Waits for many descriptors at once. */
export interface Poller {
  /** Waits up to `timeoutMs` milliseconds, -1 for ever; returns how many are ready. */
  wait(timeoutMs: number): number;
  /** Descriptor of ready event `index`. */
  fdAt(index: number): number;
  /**
   * Whether event `index` says that the peer sends no more, or is gone; or that from now on the
   * connection must be received from until there is nothing, however little a receive brings.
   */
  isHangup(index: number): boolean;
  /** Whether event `index` says that the peer is gone: nothing can be sent to it any more. */
  isGone(index: number): boolean;
}
