// What a relay moves, many frames in one message:
//
//   frame   [ type 1 ][ connection 4 ][ number 4 ][ bytes, as many as the number, of DATA only ]
//
// Numbers are little-endian. A message of up to 4 KiB is a string of one character per byte, a
// longer one an ArrayBuffer that is transferred. A string costs 2 µs on each side, the transfer of
// a buffer 10, an object with a typed array 15 and more.

import { latin1 } from "../../base/ascii.ts";
import { freeBuffer, mappedBuffer } from "../../net/block_store.ts";

/** Kinds of frame. Letters are those of notices where there is one. */
export const Frame = {
  /** A new connection; the number is its listener. */
  CONN: 0,
  /** Bytes of a client, or for one. */
  DATA: 1,
  /** The client sends no more. */
  END: 2,
  /** The client is gone. */
  LOST: 3,
  /** So many bytes have gone to the client, or have been taken from it. */
  COUNT: 4,
  /** Close the connection, once its bytes have gone. */
  CLOSE: 5,
} as const;
export type Frame = typeof Frame[keyof typeof Frame];

/** A message of frames. */
export type FrameMessage = string | ArrayBuffer;

const HEADER_BYTES = 9;
/** Longest message that travels as a string. */
const STRING_BYTES_MAX = 4096;
/** Bytes of frames from which a message is sent at once. */
const MESSAGE_BYTES_MAX = 256 * 1024;
const BUFFER_BYTES = 16 * 1024;
/** A buffer that had to be longer is not kept. */
const BUFFER_BYTES_KEPT = 2 * MESSAGE_BYTES_MAX;

/** Takes each frame of a message. `bytes` are valid during the call only. */
export type TakeFrame = (
  type: Frame,
  fd: number,
  number: number,
  bytes: Uint8Array<ArrayBuffer>,
) => void;

const NO_BYTES = new Uint8Array(0);

/** Collects frames into messages. */
export class FrameWriter {
  readonly #post: (message: FrameMessage) => void;
  #bytes = new Uint8Array(BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;

  /** @param post Sends a message; it transfers a buffer. */
  constructor(post: (message: FrameMessage) => void) {
    this.#post = post;
  }

  /** Whether nothing waits for {@linkcode flush}. */
  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Adds a frame without bytes. */
  write(type: Frame, fd: number, number: number): void {
    this.#header(type, fd, number, HEADER_BYTES);
  }

  /** Adds bytes, copied. */
  writeData(fd: number, bytes: Uint8Array): void {
    this.#header(Frame.DATA, fd, bytes.length, HEADER_BYTES + bytes.length);
    this.#bytes.set(bytes, this.#used - bytes.length);
    if (this.#used >= MESSAGE_BYTES_MAX) this.flush();
  }

  #header(type: Frame, fd: number, number: number, frameBytes: number): void {
    const needed = this.#used + frameBytes;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length));
    this.#view.setUint8(this.#used, type);
    this.#view.setUint32(this.#used + 1, fd, true);
    this.#view.setUint32(this.#used + 5, number, true);
    this.#used += frameBytes;
  }

  #resize(length: number): void {
    const resized = new Uint8Array(length);
    resized.set(this.#bytes.subarray(0, this.#used));
    freeBuffer(this.#bytes.buffer);
    this.#bytes = resized;
    this.#view = new DataView(resized.buffer);
  }

  #copyOf(used: number): ArrayBuffer {
    const message = mappedBuffer(used);
    new Uint8Array(message).set(this.#bytes.subarray(0, used));
    return message;
  }

  /** Sends what was collected. */
  flush(): void {
    if (this.#used === 0) return;
    const used = this.#used;
    this.#used = 0;
    if (used <= STRING_BYTES_MAX) this.#post(latin1(this.#bytes, 0, used));
    else this.#post(this.#copyOf(used));
    if (this.#bytes.length > BUFFER_BYTES_KEPT) this.#resize(BUFFER_BYTES);
  }
}

/** Whether a message has frames, and is no notice. */
export function isFrames(message: unknown): message is FrameMessage {
  return typeof message === "string" || message instanceof ArrayBuffer;
}

/** Calls `take` for each frame of a message, in order, and frees the message. */
export function readFrames(message: FrameMessage, take: TakeFrame): void {
  const bytes = typeof message === "string" ? bytesOf(message) : new Uint8Array(message);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length;) {
    const type = view.getUint8(at) as Frame;
    const fd = view.getUint32(at + 1, true);
    const number = view.getUint32(at + 5, true);
    at += HEADER_BYTES;
    if (type !== Frame.DATA) take(type, fd, number, NO_BYTES);
    else {
      take(type, fd, number, bytes.subarray(at, at + number));
      at += number;
    }
  }
  if (typeof message !== "string") freeBuffer(message);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
