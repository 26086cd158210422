// What memden does otherwise than memcached, and why: the rows of a table in docs/protocol.md.

/** One difference: what memcached does, what memden does, the reason. */
export type Deviation = readonly [memcached: string, memden: string, why: string];

/** Every known difference that a client could see. */
export const DEVIATIONS: readonly Deviation[] = [
  [
    "a key over 250 bytes in a `get`: the error, an empty line, and the values before it are lost",
    "the error line only",
    "a client would take the empty line for the next reply",
  ],
  [
    "a `get` line of any length is kept in memory",
    "keys of a line over 16 KiB are answered as they come",
    "memory per client stays bounded",
  ],
  [
    "an over-long key in such a line",
    "the values before it have been sent, then the error",
    "as above",
  ],
  [
    "long `gat` and `gats` lines only work when they come in one read",
    "they always work",
    "how the network cuts bytes must not matter",
  ],
  [
    "a line over 2,048 bytes is accepted when it comes in one read",
    "the connection is closed",
    "as above",
  ],
  [
    "a value length that is no number: what follows is taken for commands",
    "the error, then the connection is closed",
    "a value must never run as commands",
  ],
  [
    "expiry and flags are cut to 32 bits",
    "64-bit expiry; flags over 2^32-1 are refused",
    "a date after 2038 is not in the past",
  ],
  ["`mn` and LF without CR: an error", "`MN`", "every other command may end in LF alone"],
  [
    "`delete key 5`: deleted",
    "`CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]`",
    "as up to 1.6.18; memccapable checks it",
  ],
  ["`-c` limits descriptor numbers", "`-c` limits client connections", "what the operator means"],
  ["root without `-u`: refuses to start", "warns and runs", "in a container root is the rule"],
  [
    "LRU with HOT, WARM and COLD lists",
    "one list per class, as with `-o no_lru_maintainer`",
    "the segmented LRU is not in this version",
  ],
  [
    "items over 512 KiB in several chunks, up to `-I 1g`",
    "one chunk, up to 1 MiB",
    "chunked items are not in this version",
  ],
  [
    "binary and meta protocol on the same port",
    "a first byte of 0x80 closes the connection; meta commands get `ERROR`",
    "not in this version",
  ],
];
