// A binary request: header, extras, key, value.
//
//    0 magic 80 | opcode  | key length (2)
//    4 extras   | 0       | vbucket (2)
//    8 length of all that follows the header (4)
//   12 opaque (4), which comes back
//   16 cas (8)
//   24 extras, key, value
//
// The first byte of a connection identifies the protocol: no text command begins with 80.
// Source: memcached protocol_binary.h, protocol_binary_request_header.

import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { KEY_MAX } from "../text/tokens.ts";
import { KeyRule, type Opcode, OPCODE_BY_CODE, UNKNOWN } from "./opcodes.ts";

/** First byte of every request. */
export const REQUEST_MAGIC = 0x80;

/** Bytes of a header. */
export const HEADER_BYTES = 24;

/** Longest body. Larger ones cannot be meant. */
export const BODY_BYTES_MAX = 2 ** 30;

/** How far reading a request came. */
export const Framing = {
  /** The header, extras and key are there, and go together. */
  READY: 0,
  /** More bytes are needed. */
  PART: 1,
  /** It does not start as a request does: where the next one would start is unknown. */
  NO_REQUEST: 2,
  /** The body is shorter than the extras and the key in it. */
  SHORT_BODY: 3,
  /** Key, extras or value are not as the command has them. */
  MALFORMED: 4,
  /** No command has the code; {@linkcode BinaryRequest.bodyBytes} follow. */
  UNKNOWN: 5,
} as const;
export type Framing = typeof Framing[keyof typeof Framing];

/** The request that a connection is at, up to its reply. */
export class BinaryRequest {
  opcode: Opcode = UNKNOWN;
  /** The opcode as it came: it goes back even where there is no such command. */
  code = 0;
  nkey = 0;
  extrasBytes = 0;
  bodyBytes = 0;
  opaque = 0;
  readonly cas = new U64();
  /** Positions in the read buffer: of the header, the extras, the key, and what follows it. */
  from = 0;
  extrasFrom = 0;
  keyFrom = 0;
  keyTo = 0;

  /** Bytes of the value. */
  get valueBytes(): number {
    return this.bodyBytes - this.extrasBytes - this.nkey;
  }

  /**
   * Reads the header in `block[from, to)`.
   * @hot
   */
  readHeader({ bytes, view }: Block, from: number, to: number): Framing {
    if (bytes[from] !== REQUEST_MAGIC) return Framing.NO_REQUEST;
    if (to - from < HEADER_BYTES) return Framing.PART;
    this.code = bytes[from + 1]!;
    this.opcode = OPCODE_BY_CODE[this.code]!;
    this.nkey = view.getUint16(from + 2);
    this.extrasBytes = bytes[from + 4]!;
    this.bodyBytes = view.getUint32(from + 8);
    this.opaque = view.getUint32(from + 12);
    this.cas.set(view.getUint32(from + 16), view.getUint32(from + 20));
    this.from = from;
    this.extrasFrom = from + HEADER_BYTES;
    this.keyFrom = this.extrasFrom + this.extrasBytes;
    this.keyTo = this.keyFrom + this.nkey;
    return this.valueBytes < 0 ? Framing.SHORT_BODY : Framing.READY;
  }

  /**
   * Whether the lengths are what the command of the header asks for, and its extras and key are
   * there: received up to `to`.
   * @hot
   */
  readBody(to: number): Framing {
    const { opcode, nkey } = this;
    if (nkey > KEY_MAX || this.bodyBytes > BODY_BYTES_MAX) return Framing.MALFORMED;
    if (opcode === UNKNOWN) return Framing.UNKNOWN;
    // A shift counts modulo 32, so longer extras need a check of their own.
    if (this.extrasBytes > 31 || ((opcode.extrasBits >> this.extrasBytes) & 1) === 0) {
      return Framing.MALFORMED;
    }
    if (nkey === 0 ? opcode.key === KeyRule.NEEDED : opcode.key === KeyRule.NONE) {
      return Framing.MALFORMED;
    }
    if (!opcode.hasValue && this.valueBytes > 0) return Framing.MALFORMED;
    return this.keyTo > to ? Framing.PART : Framing.READY;
  }
}
