// A client's socket at the relay: read in chunks as long as its worker keeps up, written in order.

import { TAKEN_STEP } from "../net/chunk_transport.ts";
import { addressText, boundAddress } from "./address_text.ts";

/** Bytes read at first, and after a pause: an idle connection costs this much. */
const READ_BYTES_IDLE = 4 * 1024;
/** Bytes read at a time from a client that sends much. */
const READ_BYTES_BUSY = 64 * 1024;
/** Bytes of one connection that its worker may have left to take. */
const RECEIVE_WINDOW = 256 * 1024;

/** How long a client may take for its last replies, in milliseconds. */
const CLOSE_MS_MAX = 10_000;

/** What happens to a socket. */
export interface SocketEvents {
  /** Bytes have come: a view of a buffer that is used again. */
  data(bytes: Uint8Array<ArrayBuffer>): void;
  /** The client sends no more; `lost`: it is gone. */
  ended(lost: boolean): void;
  /** So many more bytes have gone to the client. */
  sent(count: number): void;
  /** The socket is closed, and nothing more will happen to it. */
  closed(): void;
}

/** A client's socket, whatever it is made of. */
export interface RelaySocket {
  /** Addresses of both ends, as `stats conns` writes them. */
  readonly peer: string;
  readonly local: string;
  /** Starts reading. */
  start(events: SocketEvents): void;
  /** The worker has taken `count` more bytes. */
  taken(count: number): void;
  /** Sends, after what was given before. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Closes, once everything has gone; `atOnce`: without waiting for that. */
  close(atOnce: boolean): void;
}

/** A socket that is a `Deno.Conn`. */
export class PlainSocket implements RelaySocket {
  readonly peer: string;
  readonly local: string;
  readonly #conn: Deno.Conn;
  /** What waits for the write under way to end. */
  #waiting = new Uint8Array(0);
  #waitingBytes = 0;
  #events: SocketEvents | undefined;
  #untaken = 0;
  #goOn: (() => void) | undefined;
  #writing = false;
  #untold = 0;
  #closing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    const peer = boundAddress(conn.remoteAddr);
    this.local = addressText(boundAddress(conn.localAddr));
    this.peer = peer.family === "unix" ? this.local : addressText(peer);
  }

  start(events: SocketEvents): void {
    this.#events = events;
    void this.#read(events);
  }

  async #read(events: SocketEvents): Promise<void> {
    let buffer = new Uint8Array(READ_BYTES_IDLE);
    while (!this.#closed) {
      const count = await this.#conn.read(buffer).then((count) => count, () => undefined);
      if (this.#closed) return;
      if (count === null || count === undefined) return events.ended(count === undefined);
      events.data(buffer.subarray(0, count));
      if (count === buffer.length && count < READ_BYTES_BUSY) {
        buffer = new Uint8Array(READ_BYTES_BUSY);
      }
      this.#untaken += count;
      if (this.#untaken >= RECEIVE_WINDOW) {
        await new Promise<void>((resolve) => this.#goOn = resolve);
      }
    }
  }

  taken(count: number): void {
    this.#untaken -= count;
    if (this.#untaken >= RECEIVE_WINDOW) return;
    this.#goOn?.();
    this.#goOn = undefined;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#writing) this.#keep(bytes);
    else void this.#write(bytes);
  }

  /** Copies: the bytes are a part of a message in which others have theirs. */
  #keep(bytes: Uint8Array<ArrayBuffer>): void {
    const needed = this.#waitingBytes + bytes.length;
    if (needed > this.#waiting.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#waiting.length));
      larger.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = larger;
    }
    this.#waiting.set(bytes, this.#waitingBytes);
    this.#waitingBytes = needed;
  }

  async #write(first: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#writing = true;
    for (let bytes = first; bytes.length > 0; bytes = this.#takeWaiting()) {
      for (let at = 0; at < bytes.length && !this.#closed;) {
        const count = await this.#conn.write(bytes.subarray(at)).then((n) => n, () => undefined);
        if (count === undefined) return this.#lose();
        at += count;
      }
      this.#tell(bytes.length);
    }
    this.#writing = false;
    if (this.#closing) this.#end();
  }

  #takeWaiting(): Uint8Array<ArrayBuffer> {
    const bytes = this.#waiting.subarray(0, this.#waitingBytes);
    this.#waiting = new Uint8Array(0);
    this.#waitingBytes = 0;
    return bytes;
  }

  /** Tells the worker of what has gone, not of every single reply. */
  #tell(count: number): void {
    this.#untold += count;
    if (this.#untold < TAKEN_STEP) return;
    this.#events?.sent(this.#untold);
    this.#untold = 0;
  }

  /** The client is gone: the worker learns it, and closes. */
  #lose(): void {
    this.#takeWaiting();
    this.#writing = false;
    if (this.#closing) this.#end();
    else if (!this.#closed) this.#events?.ended(true);
  }

  close(atOnce: boolean): void {
    this.#closing = true;
    if (atOnce || !this.#writing) return this.#end();
    // A client that does not read its last replies must not have its socket for ever.
    this.#timer ??= setTimeout(() => this.#end(), CLOSE_MS_MAX);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#goOn?.();
    this.#conn.close();
    this.#events?.closed();
  }
}
