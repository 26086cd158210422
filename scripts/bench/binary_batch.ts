// Batches of the binary protocol for the load generator.

import {
  joined,
  Op,
  packet,
  packets,
  type Parts,
  RESPONSE_MAGIC,
} from "../../tests/support/packets.ts";

const NO_EXTRAS = "\0".repeat(8);
const NO_FLAGS = "\0".repeat(4);

/** Requests, the responses to them, and where in these the versions are, which nobody knows. */
export interface BinaryBatch {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  readonly versionsAt: readonly number[];
}

/** Position of the version in a packet. */
const VERSION_AT = 16;

/** Sets of `values` under `keys`. */
export function binarySets(keys: readonly string[], values: readonly string[]): BinaryBatch {
  return batchOf(
    keys.map((key, at) => ({ op: Op.SET, key, extras: NO_EXTRAS, value: values[at]! })),
    keys.map(() => ({ op: Op.SET })),
  );
}

/** Gets of `keys`, which have `values`. */
export function binaryGets(keys: readonly string[], values: readonly string[]): BinaryBatch {
  return batchOf(
    keys.map((key) => ({ op: Op.GET, key })),
    values.map((value) => ({ op: Op.GET, extras: NO_FLAGS, value })),
  );
}

function batchOf(requests: readonly Parts[], responses: readonly Parts[]): BinaryBatch {
  const replies = responses.map((parts) => {
    const bytes = packet(parts);
    bytes[0] = RESPONSE_MAGIC;
    return bytes;
  });
  let at = 0;
  const versionsAt = replies.map((reply) => {
    at += reply.length;
    return at - reply.length + VERSION_AT;
  });
  return { request: packets(...requests), reply: joined(replies), versionsAt };
}
