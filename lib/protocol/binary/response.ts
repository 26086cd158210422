// Binary responses: the header, the statuses and their texts.
//
//    0 magic 81 | opcode  | key length (2)
//    4 extras   | 0       | status (2)
//    8 length of all that follows the header (4)
//   12 opaque (4), cas (8)
//   24 extras, key, value; with an error status, its text
//
// Source: memcached protocol_binary.h, protocol_binary_response_status; proto_bin.c,
// write_bin_error.

import { assert } from "../../base/assert.ts";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import type { ReplyBuffer } from "../reply.ts";
import { type BinaryRequest, HEADER_BYTES } from "./binary_request.ts";

/** First byte of every response. */
export const RESPONSE_MAGIC = 0x81;

/** An outcome: its number, and the text that goes with it. */
export interface Status {
  readonly code: number;
  readonly text: Block;
}

function status(code: number, text: string): Status {
  return { code, text: Block.of(ascii(text)) };
}

/** Every status. Wording is memcached's, byte for byte. */
export const Status = {
  OK: status(0x00, ""),
  NOT_FOUND: status(0x01, "Not found"),
  EXISTS: status(0x02, "Data exists for key."),
  TOO_LARGE: status(0x03, "Too large."),
  INVALID: status(0x04, "Invalid arguments"),
  NOT_STORED: status(0x05, "Not stored."),
  NON_NUMERIC: status(0x06, "Non-numeric server-side value for incr or decr"),
  AUTH_FAILURE: status(0x20, "Auth failure."),
  AUTH_CONTINUE: status(0x21, ""),
  UNKNOWN_COMMAND: status(0x81, "Unknown command"),
  NO_MEMORY: status(0x82, "Out of memory"),
  NO_MEMORY_STORING: status(0x82, "Out of memory allocating item"),
  NO_MEMORY_DURING_READ: status(0x82, "Out of memory during read"),
  NO_MEMORY_ADDING: status(0x82, "Out of memory incrementing value"),
  NO_MEMORY_CREATING: status(0x82, "Out of memory allocating new item"),
} as const;

/** The version of a reply that has none. */
export const NO_CAS: U64 = new U64();

/**
 * Appends a header. Caller has checked the room for it and for what follows.
 *
 * @param bodyBytes Length of extras, key and value together.
 * @hot
 */
export function writeHeader(
  replies: ReplyBuffer,
  request: BinaryRequest,
  statusCode: number,
  extrasBytes: number,
  nkey: number,
  bodyBytes: number,
  cas: U64,
): void {
  assert(replies.room >= HEADER_BYTES, "Reply buffer overrun");
  const { view } = replies.block;
  const at = replies.used;
  view.setUint32(at, ((RESPONSE_MAGIC << 24) | (request.code << 16) | nkey) >>> 0);
  view.setUint32(at + 4, ((extrasBytes << 24) | statusCode) >>> 0);
  view.setUint32(at + 8, bodyBytes);
  view.setUint32(at + 12, request.opaque);
  view.setUint32(at + 16, cas.hi);
  view.setUint32(at + 20, cas.lo);
  replies.used = at + HEADER_BYTES;
}

/**
 * Appends a whole response: a status and its text. Room for a line is room for any.
 * @hot
 */
export function writeStatus(replies: ReplyBuffer, request: BinaryRequest, outcome: Status): void {
  writeHeader(replies, request, outcome.code, 0, 0, outcome.text.bytes.length, NO_CAS);
  replies.write(outcome.text);
}

/**
 * Appends a whole response that has nothing but a version; a quiet command gets none.
 * @hot
 */
export function writeDone(replies: ReplyBuffer, request: BinaryRequest, cas: U64): void {
  if (!request.opcode.isQuiet) writeHeader(replies, request, 0, 0, 0, 0, cas);
}

/** Appends a whole response with `body` as its value. Room for a line is room for it. */
export function writeBody(replies: ReplyBuffer, request: BinaryRequest, body: Block): void {
  writeHeader(replies, request, 0, 0, 0, body.bytes.length, NO_CAS);
  replies.write(body);
}

/** Appends a number in four bytes: the extras of a value. Caller has checked the room. */
export function writeUint32(replies: ReplyBuffer, value: number): void {
  assert(replies.room >= 4, "Reply buffer overrun");
  replies.block.view.setUint32(replies.used, value);
  replies.used += 4;
}
