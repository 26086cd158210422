// A meta command's line, read once: the key, which flags there are, and what their tokens say. The
// tokens themselves stay in the line, in order, for the reply.
//
// Source: memcached proto_text.c and proto_parser.h, _meta_flag_preparse.

import { Block } from "../../base/block.ts";
import { decodeBase64, NOT_BASE64 } from "../../base/base64.ts";
import { parseUint } from "../../base/decimal.ts";
import { U64 } from "../../base/u64.ts";
import { Reply } from "../reply.ts";
import { parseStrictExptime } from "../text/exptime_token.ts";
import { KEY_MAX, type Tokens } from "../text/tokens.ts";
import { Flag, FLAG_TOKENS, FlagToken, NO_FLAG } from "./flags.ts";

/** Tokens that a line may have. Source: memcached, MFLAG_MAX_OPT_LENGTH. */
export const LINE_TOKENS_MAX = 20;
/** Bytes of an opaque token with its letter. Source: memcached, MFLAG_MAX_OPAQUE_LENGTH. */
const OPAQUE_BYTES_MAX = 32;
const CLIENT_FLAGS_MAX = 0xffffffff;
/** What stands for the mode of an M without a character. */
const MODE_MISSING = -1;
const KEY_TOKEN = 1;
const LETTER_BITS = 31;

/** One thread's meta request, reused for every line. */
export class MetaRequest {
  /** The key: `keyBlock[keyFrom, keyFrom + nkey)`, decoded. */
  keyBlock: Block = new Block(new ArrayBuffer(0));
  keyFrom = 0;
  nkey = 0;
  /** The tokens of the flags: `[firstFlag, tokens.count)`. */
  firstFlag = 0;
  /** T, N and R as the client sent them. */
  ttl = 0;
  vivifyTtl = 0;
  recacheTtl = 0;
  /** F. */
  clientFlags = 0;
  /** M: the first character of its token, 0 without one. */
  mode = 0;
  readonly compare = new U64();
  readonly explicit = new U64();
  readonly initial = new U64();
  readonly delta = new U64();
  /** Why the line is refused; undefined while it is not. */
  error: Block | undefined;
  /** The reason is a flag or what it says, not the line as a whole. */
  isFlagFault = false;
  /** Flags by letter: lower case, then all others. */
  #lower = 0;
  #upper = 0;
  readonly #decoded = new Block(new ArrayBuffer(KEY_MAX + 8));

  /**
   * Whether the line has the flag with character code `letter`.
   * @hot
   */
  has(letter: number): boolean {
    const bits = letter >= 0x60 ? this.#lower : this.#upper;
    return ((bits >>> (letter & LETTER_BITS)) & 1) === 1;
  }

  /**
   * Reads a line of which `tokens` are the tokens.
   *
   * @param firstFlag Number of the first flag's token: after the key, and after the length for ms.
   * @returns false with {@linkcode error} when it cannot be used.
   * @hot
   */
  read(block: Block, tokens: Tokens, firstFlag: number): boolean {
    this.error = undefined;
    this.isFlagFault = false;
    this.#lower = 0;
    this.#upper = 0;
    this.mode = 0;
    this.firstFlag = firstFlag;
    this.keyBlock = block;
    this.keyFrom = tokens.start[KEY_TOKEN]!;
    this.nkey = tokens.length(KEY_TOKEN);
    if (this.nkey > KEY_MAX) return this.#refuse(Reply.BAD_FORMAT);
    if (tokens.count > LINE_TOKENS_MAX) return this.#refuse(Reply.TOO_MANY_FLAGS);
    for (let index = firstFlag; index < tokens.count; index++) {
      if (!this.#readFlag(block.bytes, tokens.start[index]!, tokens.end[index]!)) return false;
    }
    return this.has(Flag.b) ? this.#decodeKey(block, tokens) : true;
  }

  #refuse(error: Block): boolean {
    this.error = error;
    return false;
  }

  #refuseFlag(error: Block): boolean {
    this.isFlagFault = true;
    return this.#refuse(error);
  }

  /** @hot */
  #readFlag(bytes: Uint8Array, from: number, to: number): boolean {
    const letter = bytes[from]!;
    if (!isAlphanumeric(letter)) return this.#refuse(Reply.BAD_FORMAT);
    if (this.has(letter)) return this.#refuseFlag(Reply.DUPLICATE_FLAG);
    const token = FLAG_TOKENS[letter]!;
    if (token === NO_FLAG) return this.#refuseFlag(Reply.INVALID_FLAG);
    if (letter >= 0x60) this.#lower |= 1 << (letter & LETTER_BITS);
    else this.#upper |= 1 << (letter & LETTER_BITS);
    return token === FlagToken.NONE || this.#readToken(letter, token, bytes, from + 1, to);
  }

  #readToken(
    letter: number,
    token: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    switch (token) {
      case FlagToken.TTL:
        return this.#readTtl(letter, parseStrictExptime(bytes, from, to));
      case FlagToken.U64:
        if (this.#numberOf(letter).parse(bytes, from, to)) return true;
        return this.#refuseFlag(numberError(letter));
      case FlagToken.U32:
        this.clientFlags = parseUint(bytes, from, to, CLIENT_FLAGS_MAX);
        return !Number.isNaN(this.clientFlags) || this.#refuseFlag(Reply.BAD_FORMAT);
      case FlagToken.MODE:
        this.mode = from < to ? bytes[from]! : MODE_MISSING; // No mode of any command.
        return true;
      default:
        return to - from < OPAQUE_BYTES_MAX || this.#refuse(Reply.OPAQUE_TOO_LONG);
    }
  }

  #readTtl(letter: number, seconds: number): boolean {
    if (Number.isNaN(seconds)) return this.#refuseFlag(Reply.BAD_FLAG_TOKEN);
    if (letter === Flag.T) this.ttl = seconds;
    else if (letter === Flag.N) this.vivifyTtl = seconds;
    else this.recacheTtl = seconds;
    return true;
  }

  #numberOf(letter: number): U64 {
    switch (letter) {
      case Flag.C:
        return this.compare;
      case Flag.E:
        return this.explicit;
      case Flag.J:
        return this.initial;
      default:
        return this.delta;
    }
  }

  #decodeKey(block: Block, tokens: Tokens): boolean {
    const from = tokens.start[KEY_TOKEN]!;
    const count = decodeBase64(block.bytes, from, tokens.end[KEY_TOKEN]!, this.#decoded.bytes);
    if (count === NOT_BASE64) return this.#refuseFlag(Reply.BAD_KEY_ENCODING);
    this.keyBlock = this.#decoded;
    this.keyFrom = 0;
    this.nkey = count;
    return true;
  }
}

/** The line for a number that is none. */
function numberError(letter: number): Block {
  if (letter === Flag.J) return Reply.BAD_INITIAL;
  return letter === Flag.D ? Reply.BAD_DELTA_VALUE : Reply.BAD_FLAG_TOKEN;
}

/** @hot */
function isAlphanumeric(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}
