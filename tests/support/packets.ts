// Packets of the binary protocol for tests: made of their parts, and taken apart again.

import { latin1 } from "../../lib/base/ascii.ts";

/** First byte of every response. */
export const RESPONSE_MAGIC = 0x81;

/** Bytes of a header. */
export const HEADER_BYTES = 24;

/** Codes of the commands, written down once more: lib/ has its own table. */
// deno-fmt-ignore
export const Op = {
  GET: 0x00, SET: 0x01, ADD: 0x02, REPLACE: 0x03, DELETE: 0x04, INCREMENT: 0x05, DECREMENT: 0x06,
  QUIT: 0x07, FLUSH: 0x08, GETQ: 0x09, NOOP: 0x0a, VERSION: 0x0b, GETK: 0x0c, GETKQ: 0x0d,
  APPEND: 0x0e, PREPEND: 0x0f, STAT: 0x10, SETQ: 0x11, ADDQ: 0x12, REPLACEQ: 0x13, DELETEQ: 0x14,
  INCREMENTQ: 0x15, DECREMENTQ: 0x16, QUITQ: 0x17, FLUSHQ: 0x18, APPENDQ: 0x19, PREPENDQ: 0x1a,
  TOUCH: 0x1c, GAT: 0x1d, GATQ: 0x1e, SASL_LIST: 0x20, SASL_AUTH: 0x21, SASL_STEP: 0x22,
  GATK: 0x23, GATKQ: 0x24,
} as const;

/** The parts of a packet; texts have one byte for each character. */
export interface Parts {
  readonly op: number;
  readonly key?: string;
  readonly extras?: string;
  readonly value?: string;
  readonly opaque?: number;
  readonly cas?: bigint;
}

/** A response, taken apart. */
export interface Response {
  readonly op: number;
  readonly status: number;
  readonly opaque: number;
  readonly cas: bigint;
  readonly extras: string;
  readonly key: string;
  readonly value: string;
}

/** `value` in four bytes, as extras have it. */
export function word32(value: number): string {
  return String.fromCharCode(...[24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff));
}

/** `value` in eight bytes. */
export function word64(value: bigint): string {
  return word32(Number(value >> 32n)) + word32(Number(value & 0xffffffffn));
}

/** A request. */
export function packet(parts: Parts): Uint8Array<ArrayBuffer> {
  const { op, key = "", extras = "", value = "", opaque = 0, cas = 0n } = parts;
  const body = extras + key + value;
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const head = new DataView(bytes.buffer);
  head.setUint16(0, 0x8000 | op);
  head.setUint16(2, key.length);
  head.setUint8(4, extras.length);
  head.setUint32(8, body.length);
  head.setUint32(12, opaque);
  head.setBigUint64(16, cas);
  for (let at = 0; at < body.length; at++) bytes[HEADER_BYTES + at] = body.charCodeAt(at);
  return bytes;
}

/** The packets of several requests, one after the other. */
export function packets(...requests: readonly Parts[]): Uint8Array<ArrayBuffer> {
  return joined(requests.map(packet));
}

/** One array of `parts`, in order. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Takes responses apart; throws when `bytes` are not whole responses. */
export function readResponses(bytes: Uint8Array<ArrayBuffer>): Response[] {
  const responses: Response[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== RESPONSE_MAGIC || bytes.length - at < HEADER_BYTES) {
      throw new Error(
        `no response at ${at}: ${latin1(bytes, at, Math.min(at + 40, bytes.length))}`,
      );
    }
    const head = new DataView(bytes.buffer, bytes.byteOffset + at);
    const extrasFrom = at + HEADER_BYTES;
    const keyFrom = extrasFrom + head.getUint8(4);
    const valueFrom = keyFrom + head.getUint16(2);
    const to = extrasFrom + head.getUint32(8);
    if (valueFrom > to || to > bytes.length) throw new Error(`bad lengths at ${at}`);
    responses.push({
      op: head.getUint8(1),
      status: head.getUint16(6),
      opaque: head.getUint32(12),
      cas: head.getBigUint64(16),
      extras: latin1(bytes, extrasFrom, keyFrom),
      key: latin1(bytes, keyFrom, valueFrom),
      value: latin1(bytes, valueFrom, to),
    });
    at = to;
  }
  return responses;
}

/** The bytes of a text with one byte for each character. */
export function bytesOfLatin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
