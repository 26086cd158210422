// What the commands remember of a connection between two calls: a value that is being received, a
// list of keys that is being answered.

import { U64 } from "../base/u64.ts";
import type { BinaryRequest } from "../protocol/binary/binary_request.ts";
import { Verb } from "../protocol/text/commands.ts";
import type { Answer } from "./answer.ts";
import { type ItemRef, NO_ITEM } from "../store/item/item.ts";
import type { LinesCursor } from "../log/lines.ts";
import { StoreMode } from "../store/outcome.ts";
import { MetaStorage } from "../store/update/storing_meta.ts";

/** What the connection does after a call. */
export const Outcome = {
  /** The command is done: take the next one. */
  DONE: 0,
  /** A value follows the line: receive it into the session's range. */
  VALUE: 1,
  /** A value follows that nobody wants: discard `valueLeft` bytes. */
  SWALLOW: 2,
  /** The replies need room: send them, then call again from `resumeAt`. */
  FLUSH: 3,
  /** Send the replies, then close. */
  CLOSE: 4,
  /** The connection watches from now on. */
  WATCH: 5,
  /** The same, as the client has asked for. */
  QUIT: 6,
} as const;
export type Outcome = typeof Outcome[keyof typeof Outcome];

/** How far a SASL login has come. */
export const SaslState = {
  /** Not begun, or failed. */
  NONE: 0,
  /** The client was asked for name and password. */
  STARTED: 1,
  DONE: 2,
} as const;
export type SaslState = typeof SaslState[keyof typeof SaslState];

/** Most bytes that the returned flags of ms take: key in Base64, opaque, two numbers' places. */
const RETURNS_BYTES_MAX = 320;

/** The returned flags of an ms whose value is being received. */
export class MetaReturns {
  readonly bytes = new Uint8Array(RETURNS_BYTES_MAX);
}

/** Command state of one connection. */
export class Session {
  /** The packet at hand, of a connection that speaks the binary protocol; else undefined. */
  request: BinaryRequest | undefined;
  /** How far the login of a binary client has come. */
  sasl: SaslState = SaslState.NONE;
  /** Storage: the item being filled; {@linkcode NO_ITEM} when none is. */
  item: ItemRef = NO_ITEM;
  mode: StoreMode = StoreMode.SET;
  /** The command that is being run. */
  verb: Verb = Verb.NONE;
  /** The line at hand ends in `noreply`: neither it nor its value is answered. */
  noreply = false;
  /** Storage: the version that a cas names. */
  readonly cas = new U64();
  /** Where the next value bytes go: `[valueAt, valueTo)` of a segment of the arena. */
  valueSegment = 0;
  valueAt = 0;
  valueTo = 0;
  /** The chunk those bytes are in; {@linkcode NO_ITEM} when the value is in one piece. */
  valueChunk: ItemRef = NO_ITEM;
  /** Value bytes still to come, CRLF included; also those still to be discarded. */
  valueLeft = 0;
  /** Bytes of the value's CRLF if the client does not send them: 2 for a binary client, else 0. */
  valueEnd = 0;
  /** Storage by ms: how, and what came of it. */
  readonly how = new MetaStorage();
  /** Storage by ms: the flags that come back; made when the first are asked for. */
  returns: MetaReturns | undefined;
  /** Retrieval: the command whose keys are being answered; {@linkcode Verb.NONE} when none is. */
  retrieval: Verb = Verb.NONE;
  /** Retrieval: the expiry that gat and gats set, in seconds since start. */
  exptime = 0;
  /** Retrieval: position of the next key, after {@linkcode Outcome.FLUSH}. */
  resumeAt = 0;
  /** Retrieval: an item of many chunks that is held while it is sent; else {@linkcode NO_ITEM}. */
  sending: ItemRef = NO_ITEM;
  /** The first of its chunks that is not in the replies yet. */
  sendingChunk: ItemRef = NO_ITEM;
  /** Bytes of it that are not in the replies yet. */
  sendingLeft = 0;

  /** What the command at hand costs beyond a get, in requests of its turn: see answer.ts. */
  cost = 0;
  /** Retrieval: keys looked up by it. */
  keys = 0;
  /** An answer that may be longer than a reply buffer: what of it is not in the replies yet. */
  answer: Answer | undefined;

  /** Where a connection that watches is among the log lines. */
  watches: LinesCursor | undefined;
  /** The command at hand is run again: it waited for room in the replies. */
  isAgain = false;
  /** It is one datagram's, and over with it: it cannot watch, and who has sent it is not known. */
  isDatagram = false;

  /** Whether a value is being received. */
  get isReceiving(): boolean {
    return this.item !== NO_ITEM;
  }

  /** Whether a value in many pieces is being sent. */
  get isSending(): boolean {
    return this.sending !== NO_ITEM;
  }

  /** Forgets everything, for the next connection. */
  reset(): void {
    this.request = undefined;
    this.sasl = SaslState.NONE;
    this.item = NO_ITEM;
    this.sending = NO_ITEM;
    this.noreply = false;
    this.valueLeft = 0;
    this.valueEnd = 0;
    this.retrieval = Verb.NONE;
    this.cost = 0;
    this.keys = 0;
    this.answer = undefined;
    this.watches = undefined;
    this.isAgain = false;
  }
}
