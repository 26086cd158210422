// The frame in front of each UDP datagram, and how a reply is cut into datagrams.
//
//   [ request id u16 ][ sequence u16 ][ datagrams in all u16 ][ reserved u16 ][ payload … ]
//
// Numbers are big-endian. A request is one datagram; a reply is as many as it takes, numbered from
// 0. Source: memcached doc/protocol.txt, "UDP protocol"; memcached.c, try_read_udp.

import { LF } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { RESPONSE_MAGIC } from "../binary/response.ts";
import { isReplyLine } from "../text/reply_line.ts";

/** Bytes of the frame. */
export const FRAME_BYTES = 8;
/** Largest datagram of a reply, frame included: one that no network cuts. */
export const REPLY_DATAGRAM_BYTES = 1400;
/** Bytes of a reply that one datagram carries. */
export const REPLY_PAYLOAD_BYTES: number = REPLY_DATAGRAM_BYTES - FRAME_BYTES;
/** Largest datagram that UDP can carry, over any network. */
export const DATAGRAM_BYTES_MAX = 65536;

const SEQUENCE = 2;
const TOTAL = 4;
const RESERVED = 6;

/**
 * Whether the first `count` bytes of `datagram` are a request: a frame of one datagram in all, and
 * something behind it.
 */
export function isRequest(datagram: Block, count: number): boolean {
  return count > FRAME_BYTES && datagram.view.getUint16(TOTAL) === 1;
}

/**
 * Whether the payload of `datagram`, `count` bytes in all, begins as a reply does, in the text or
 * in the binary protocol.
 */
export function isReply({ bytes }: Block, count: number): boolean {
  if (bytes[FRAME_BYTES] === RESPONSE_MAGIC) return true;
  const lineFeed = bytes.indexOf(LF, FRAME_BYTES);
  const to = lineFeed < 0 || lineFeed > count ? count : lineFeed;
  return isReplyLine(bytes, FRAME_BYTES, to);
}

/** The client's number of its request, which every datagram of the reply repeats. */
export function requestId(datagram: Block): number {
  return datagram.view.getUint16(0);
}

/** Writes the frame of datagram `sequence` of `total`. */
export function writeFrame(datagram: Block, id: number, sequence: number, total: number): void {
  datagram.view.setUint16(0, id);
  datagram.view.setUint16(SEQUENCE, sequence);
  datagram.view.setUint16(TOTAL, total);
  datagram.view.setUint16(RESERVED, 0);
}

/** Datagrams that a reply of `bytes` takes; 0 for an empty one. */
export function datagramsOf(bytes: number): number {
  return Math.ceil(bytes / REPLY_PAYLOAD_BYTES);
}
