// The flags of the meta commands: one row each. Parsing, docs/protocol.md and the tests' random
// requests all read this table.
//
// Every command accepts every letter; one that means nothing to it is ignored.
// Source: memcached doc/protocol.txt, "Meta Commands".

/** What follows a flag's letter. */
export const FlagToken = {
  /** Nothing that is looked at. */
  NONE: 0,
  /** Seconds or a Unix date, negative for "already expired". */
  TTL: 1,
  /** A whole number below 2^64. */
  U64: 2,
  /** A whole number below 2^32. */
  U32: 3,
  /** One character. */
  MODE: 4,
  /** Up to 31 bytes that come back as they are. */
  OPAQUE: 5,
} as const;
export type FlagToken = typeof FlagToken[keyof typeof FlagToken];

const { NONE, TTL, U64, U32, MODE, OPAQUE } = FlagToken;

/** One flag: letter, token, and what it means to mg, ms, md and ma; empty for nothing. */
export type FlagRow = readonly [
  letter: string,
  token: FlagToken,
  mg: string,
  ms: string,
  md: string,
  ma: string,
];

// deno-fmt-ignore
export const FLAG_ROWS: readonly FlagRow[] = [
  ["b", NONE,   "key is Base64", "key is Base64", "key is Base64", "key is Base64"],
  ["k", NONE,   "return key", "return key", "return key", "return key"],
  ["O", OPAQUE, "return opaque", "return opaque", "return opaque", "return opaque"],
  ["q", NONE,   "no EN", "no HD", "no HD", "no HD, no VA"],
  ["v", NONE,   "return value", "", "", "return number"],
  ["c", NONE,   "return cas", "return cas", "", "return cas"],
  ["f", NONE,   "return client flags", "", "", ""],
  ["s", NONE,   "return size", "return size", "", ""],
  ["t", NONE,   "return TTL", "", "", "return TTL"],
  ["h", NONE,   "return whether it was hit before", "", "", ""],
  ["l", NONE,   "return seconds since last access", "", "", ""],
  ["u", NONE,   "do not count as an access", "", "", ""],
  ["E", U64,    "cas of a vivified item", "new cas", "new cas, with I or x", "new cas"],
  ["C", U64,    "no value if cas is the same", "compare cas", "compare cas", "compare cas"],
  ["N", TTL,    "vivify on miss", "vivify on miss, with MA and MP", "", "vivify on miss"],
  ["R", TTL,    "recache below this TTL", "", "", ""],
  ["T", TTL,    "new TTL", "TTL", "new TTL, with I or x", "new TTL"],
  ["F", U32,    "", "client flags", "client flags, with x", ""],
  ["I", NONE,   "", "an older cas stores, stale", "mark stale, do not delete", ""],
  ["M", MODE,   "", "E add, A append, P prepend, R replace, S set", "", "I or + incr, D or - decr"],
  ["J", U64,    "", "", "", "initial value"],
  ["D", U64,    "", "", "", "delta"],
  ["x", NONE,   "", "", "drop the value, keep the item", ""],
  ["P", NONE,   "(for proxies)", "(for proxies)", "(for proxies)", "(for proxies)"],
  ["L", NONE,   "(for proxies)", "(for proxies)", "(for proxies)", "(for proxies)"],
];

/** What {@linkcode FLAG_TOKENS} has for a letter that is no flag. */
export const NO_FLAG = 255;

/** {@linkcode FlagToken} of each letter, by character code. */
export const FLAG_TOKENS = new Uint8Array(256).fill(NO_FLAG);
for (const [letter, token] of FLAG_ROWS) FLAG_TOKENS[letter.charCodeAt(0)] = token;

/** Character codes of the flags: `Flag.C` and `Flag.c` are two. */
export const Flag = {
  b: 0x62,
  c: 0x63,
  f: 0x66,
  h: 0x68,
  k: 0x6b,
  l: 0x6c,
  q: 0x71,
  s: 0x73,
  t: 0x74,
  u: 0x75,
  v: 0x76,
  x: 0x78,
  C: 0x43,
  D: 0x44,
  E: 0x45,
  F: 0x46,
  I: 0x49,
  J: 0x4a,
  M: 0x4d,
  N: 0x4e,
  O: 0x4f,
  R: 0x52,
  T: 0x54,
} as const;
