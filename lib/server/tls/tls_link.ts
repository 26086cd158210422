// What a worker keeps of each TLS connection, and what TLS needs of the transport below it.

import type { Poller, Transport } from "../../net/transport.ts";
import type { TlsSession } from "./tls_session.ts";

/** What TLS needs below it. */
export interface ByteTransport extends Transport, Poller {
  /** Starts watching a connection for input. */
  watch(fd: number, listener?: number): void;
  /** Sends bytes that are no replies; results as those of `send`. */
  sendBytes(fd: number, bytes: Uint8Array<ArrayBuffer>): number;
  /** From now on, wake this connection when something arrives or when it can be written. */
  waitEither(fd: number): void;
}

/** One connection with TLS. */
export interface TlsLink {
  readonly session: TlsSession;
  /** Encrypted bytes that the socket has not taken, from {@linkcode TlsLink.outAt} on. */
  out: Uint8Array<ArrayBuffer> | undefined;
  outAt: number;
  /** Receives since the session was last drained. */
  undrained: number;
  /** Bytes of replies that are in {@linkcode TlsLink.out}, and that send() has not counted yet. */
  unreported: number;
  /** The handshake must be over by then, in the milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** Whether the socket is watched for output, too: the handshake waits for that. */
  watchesBoth: boolean;
  /** Whether the socket has ended without close_notify: nothing more is received. */
  inputEnded: boolean;
  /** Whether nothing more is received or sent, and the conn must close. */
  isOver: boolean;
  /** Whether the connection broke, so that it ends without close_notify. */
  isMute: boolean;
}

/** A link of a connection that has just come. @param deadline As {@linkcode TlsLink.deadline}. */
export function openLink(session: TlsSession, deadline: number): TlsLink {
  return {
    session,
    out: undefined,
    outAt: 0,
    undrained: 0,
    unreported: 0,
    deadline,
    watchesBoth: false,
    inputEnded: false,
    isOver: false,
    isMute: false,
  };
}
