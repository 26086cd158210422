// The commands of the binary protocol: one row each. Parsing, dispatch, docs/protocol.md and the
// tests' random packets all read this table.
//
// A command whose name ends in Q is the quiet form of the one before: a retrieval that finds
// nothing, or a change that succeeds, is not answered. Errors always are.
// Source: memcached protocol_binary.h, protocol_binary_command; proto_bin.c, dispatch_bin_command.

import { Verb } from "../text/commands.ts";

/** What a packet asks for. The quiet form of a command asks for the same. */
export const Action = {
  GET: 0,
  STORE: 1,
  DELETE: 2,
  ARITHMETIC: 3,
  TOUCH: 4,
  NOOP: 5,
  VERSION: 6,
  QUIT: 7,
  FLUSH: 8,
  STAT: 9,
  SASL_LIST: 10,
  SASL_AUTH: 11,
  SASL_STEP: 12,
} as const;
export type Action = typeof Action[keyof typeof Action];

/** Whether a packet has a key. */
export const KeyRule = { NONE: 0, NEEDED: 1, OPTIONAL: 2 } as const;
export type KeyRule = typeof KeyRule[keyof typeof KeyRule];

/** Which of the commands of an action it is. */
export const Variant = {
  NONE: 0,
  SET: 1,
  ADD: 2,
  REPLACE: 3,
  APPEND: 4,
  PREPEND: 5,
  INCREMENT: 6,
  DECREMENT: 7,
  /** GET and GAT that answer with the key. */
  WITH_KEY: 8,
} as const;
export type Variant = typeof Variant[keyof typeof Variant];

/** One command. */
export interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly action: Action;
  readonly variant: Variant;
  /** The text command that does the same; NONE where there is none. */
  readonly verb: Verb;
  readonly isQuiet: boolean;
  /** Lengths that the extras may have, in bytes. */
  readonly extras: readonly number[];
  /** The same as bits: bit `n` for length `n`. */
  readonly extrasBits: number;
  readonly key: KeyRule;
  readonly hasValue: boolean;
  /** Sets the expiry of what it reads. */
  readonly touches: boolean;
  /** Allowed before the login. */
  readonly isOpen: boolean;
}

/** Longest extras that a command has, in bytes. */
export const EXTRAS_MAX = 20;

const { NONE, NEEDED, OPTIONAL } = KeyRule;
const A = Action;
const V = Variant;

type Row = readonly [
  code: number,
  quietCode: number,
  name: string,
  action: Action,
  variant: Variant,
  verb: Verb,
  extras: readonly number[],
  key: KeyRule,
  hasValue: boolean,
];

/** Quiet code of a command without a quiet form. */
const NO_QUIET = -1;

// deno-fmt-ignore
const ROWS: readonly Row[] = [
  // code quiet    name         action        variant      verb            extras  key       value
  [0x00, 0x09,     "GET",       A.GET,        V.NONE,      Verb.GET,       [0],    NEEDED,   false],
  [0x01, 0x11,     "SET",       A.STORE,      V.SET,       Verb.SET,       [8],    NEEDED,   true],
  [0x02, 0x12,     "ADD",       A.STORE,      V.ADD,       Verb.ADD,       [8],    NEEDED,   true],
  [0x03, 0x13,     "REPLACE",   A.STORE,      V.REPLACE,   Verb.REPLACE,   [8],    NEEDED,   true],
  [0x04, 0x14,     "DELETE",    A.DELETE,     V.NONE,      Verb.DELETE,    [0],    NEEDED,   false],
  [0x05, 0x15,     "INCREMENT", A.ARITHMETIC, V.INCREMENT, Verb.INCR,      [20],   NEEDED,   false],
  [0x06, 0x16,     "DECREMENT", A.ARITHMETIC, V.DECREMENT, Verb.DECR,      [20],   NEEDED,   false],
  [0x07, 0x17,     "QUIT",      A.QUIT,       V.NONE,      Verb.QUIT,      [0],    NONE,     false],
  [0x08, 0x18,     "FLUSH",     A.FLUSH,      V.NONE,      Verb.FLUSH_ALL, [0, 4], NONE,     false],
  [0x0a, NO_QUIET, "NOOP",      A.NOOP,       V.NONE,      Verb.MN,        [0],    NONE,     false],
  [0x0b, NO_QUIET, "VERSION",   A.VERSION,    V.NONE,      Verb.VERSION,   [0],    NONE,     false],
  [0x0c, 0x0d,     "GETK",      A.GET,        V.WITH_KEY,  Verb.GET,       [0],    NEEDED,   false],
  [0x0e, 0x19,     "APPEND",    A.STORE,      V.APPEND,    Verb.APPEND,    [0],    NEEDED,   true],
  [0x0f, 0x1a,     "PREPEND",   A.STORE,      V.PREPEND,   Verb.PREPEND,   [0],    NEEDED,   true],
  [0x10, NO_QUIET, "STAT",      A.STAT,       V.NONE,      Verb.STATS,     [0],    OPTIONAL, false],
  [0x1c, NO_QUIET, "TOUCH",     A.TOUCH,      V.NONE,      Verb.TOUCH,     [4],    NEEDED,   false],
  [0x1d, 0x1e,     "GAT",       A.GET,        V.NONE,      Verb.GAT,       [4],    NEEDED,   false],
  [0x20, NO_QUIET, "SASL_LIST", A.SASL_LIST,  V.NONE,      Verb.NONE,      [0],    NONE,     false],
  [0x21, NO_QUIET, "SASL_AUTH", A.SASL_AUTH,  V.NONE,      Verb.NONE,      [0],    NEEDED,   true],
  [0x22, NO_QUIET, "SASL_STEP", A.SASL_STEP,  V.NONE,      Verb.NONE,      [0],    NEEDED,   true],
  [0x23, 0x24,     "GATK",      A.GET,        V.WITH_KEY,  Verb.GAT,       [4],    NEEDED,   false],
];

/** Commands that are allowed before the login. Source: memcached proto_bin.c, authenticated. */
const OPEN: readonly Action[] = [
  Action.SASL_LIST,
  Action.SASL_AUTH,
  Action.SASL_STEP,
  Action.VERSION,
];

function opcodeOf(row: Row, code: number, isQuiet: boolean): Opcode {
  const [, , name, action, variant, verb, extras, key, hasValue] = row;
  return {
    code,
    name: isQuiet ? `${name}Q` : name,
    action,
    variant,
    verb,
    isQuiet,
    extras,
    extrasBits: extras.reduce((bits, length) => bits | (1 << length), 0),
    key,
    hasValue,
    touches: action === Action.TOUCH || (action === Action.GET && extras.includes(4)),
    isOpen: OPEN.includes(action),
  };
}

/** Every command, quiet forms behind the others. */
export const OPCODES: readonly Opcode[] = ROWS.flatMap((row) => {
  const [code, quietCode] = row;
  const loud = opcodeOf(row, code, false);
  return quietCode === NO_QUIET ? [loud] : [loud, opcodeOf(row, quietCode, true)];
});

/** What {@linkcode OPCODE_BY_CODE} has for a code that is no command: anything may follow. */
export const UNKNOWN: Opcode = {
  code: -1,
  name: "unknown",
  action: Action.NOOP,
  variant: Variant.NONE,
  verb: Verb.NONE,
  isQuiet: false,
  extras: [],
  extrasBits: 0,
  key: KeyRule.OPTIONAL,
  hasValue: true,
  touches: false,
  isOpen: false,
};

/** The command of each code, 0..255. */
export const OPCODE_BY_CODE: readonly Opcode[] = Array.from(
  { length: 256 },
  (_, code) => OPCODES.find((opcode) => opcode.code === code) ?? UNKNOWN,
);
