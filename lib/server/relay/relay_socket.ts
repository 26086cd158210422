// A client's socket at the relay: read in chunks as long as its worker keeps up, written in order.

import { type BlockStore, freeBuffer, mappedBuffer } from "../../net/block_store.ts";
import { ByteQueue } from "../../net/byte_queue.ts";
import { TAKEN_STEP } from "../../net/chunk_transport.ts";
import { addressText, boundAddress } from "../listen/address_text.ts";

/** Bytes read at first, and after a pause: an idle connection costs this much. */
const READ_BYTES_IDLE = 4 * 1024;
/** Bytes read at a time from a client that sends much. */
const READ_BYTES_BUSY = 64 * 1024;
/** Bytes of one connection that its worker may have left to take. */
const RECEIVE_WINDOW = 256 * 1024;

/** How long a client may take to read its last replies, in milliseconds. */
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
  /** Sends a copy, after what was given before. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Closes, once everything has gone; `atOnce`: without waiting for that. */
  close(atOnce: boolean): void;
}

/** A socket that is a `Deno.Conn`. */
export class PlainSocket implements RelaySocket {
  readonly peer: string;
  readonly local: string;
  readonly #conn: Deno.Conn;
  /** What the write under way writes, and what comes after it. */
  readonly #waiting: ByteQueue;
  #events: SocketEvents | undefined;
  #untaken = 0;
  #goOn: (() => void) | undefined;
  #writing = false;
  #unreported = 0;
  #closing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param store Where bytes wait. */
  constructor(conn: Deno.Conn, store: BlockStore) {
    this.#conn = conn;
    this.#waiting = new ByteQueue(store);
    const peer = boundAddress(conn.remoteAddr);
    this.local = addressText(boundAddress(conn.localAddr));
    this.peer = peer.family === "unix" ? this.local : addressText(peer);
  }

  start(events: SocketEvents): void {
    this.#events = events;
    void this.#read(events);
  }

  async #read(events: SocketEvents): Promise<void> {
    let buffer = mappedBuffer(READ_BYTES_IDLE);
    while (!this.#closed) {
      const room = RECEIVE_WINDOW - this.#untaken;
      if (room <= 0) {
        await new Promise<void>((resolve) => this.#goOn = resolve);
        continue;
      }
      const bytes = new Uint8Array(buffer, 0, Math.min(room, buffer.byteLength));
      const count = await readFrom(this.#conn, bytes);
      if (this.#closed) break;
      if (count === null || count === undefined) {
        events.ended(count === undefined);
        break;
      }
      events.data(bytes.subarray(0, count));
      this.#untaken += count;
      buffer = bufferAfter(buffer, count);
    }
    freeBuffer(buffer);
  }

  taken(count: number): void {
    this.#untaken -= count;
    if (this.#untaken >= RECEIVE_WINDOW) return;
    this.#goOn?.();
    this.#goOn = undefined;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.append(bytes);
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (!this.#waiting.isEmpty && !this.#closed) {
      const bytes = this.#waiting.peek();
      const count = await writeTo(this.#conn, bytes);
      if (count === undefined) {
        this.#writing = false;
        return this.#lose();
      }
      if (this.#closed) break; // Its number may be another connection's by now.
      this.#waiting.skip(count);
      this.#report(count);
    }
    this.#writing = false;
    if (this.#closed) this.#waiting.clear();
    else if (this.#closing) this.#end();
  }

  /** Reports sent bytes to the worker, not after every reply but every TAKEN_STEP bytes. */
  #report(count: number): void {
    this.#unreported += count;
    if (this.#unreported < TAKEN_STEP) return;
    this.#events?.sent(this.#unreported);
    this.#unreported = 0;
  }

  /** The client is gone: reports that to the worker, which closes. */
  #lose(): void {
    this.#waiting.clear();
    if (this.#closing) this.#end();
    else if (!this.#closed) this.#events?.ended(true);
  }

  close(atOnce: boolean): void {
    this.#closing = true;
    if (atOnce || !this.#writing) return this.#end();
    // A client that does not read its last replies must not keep its socket for ever.
    this.#timer ??= setTimeout(() => this.#end(), CLOSE_MS_MAX);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#goOn?.();
    this.#conn.close();
    if (!this.#writing) this.#waiting.clear(); // A write under way reads them until it ends.
    this.#events?.closed();
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes read; null at the end of the input, undefined when the client is gone. */
async function readFrom(conn: Deno.Conn, bytes: Bytes): Promise<number | null | undefined> {
  try {
    return await conn.read(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes written; undefined when the client is gone. */
async function writeTo(conn: Deno.Conn, bytes: Bytes): Promise<number | undefined> {
  try {
    return await conn.write(bytes);
  } catch {
    return undefined;
  }
}

/** A client that has filled the buffer gets a larger one, until it sends little. */
function bufferAfter(buffer: ArrayBuffer, count: number): ArrayBuffer {
  const isBusy = buffer.byteLength === READ_BYTES_BUSY;
  if (isBusy ? count >= READ_BYTES_IDLE : count < READ_BYTES_IDLE) return buffer;
  freeBuffer(buffer);
  return mappedBuffer(isBusy ? READ_BYTES_IDLE : READ_BYTES_BUSY);
}
