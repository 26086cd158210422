// What commands keep of a connection between two calls: a value that is being received, a list of
// keys that is being answered, an answer that is longer than the replies.

import { U64 } from "../base/u64.ts";
import type { BinaryRequest } from "../protocol/binary/binary_request.ts";
import { Verb } from "../protocol/text/commands.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { type ItemRef, NO_ITEM } from "../store/item/item.ts";
import type { LinesCursor } from "../log/lines.ts";
import { StoreMode } from "../store/outcome.ts";
import { MetaStorage } from "../store/update/storing_meta.ts";

/** What the connection does after a call. */
export const Outcome = {
  /** The command is done: take the next one. */
  DONE: 0,
  /** A value follows the line: receive it into the session's item. */
  VALUE: 1,
  /** A value follows that has been refused: discard `valueLeft` bytes. */
  SWALLOW: 2,
  /** The replies need room: send them, then call again from `resumeAt`. */
  FLUSH: 3,
  /** Send the replies, then close. */
  CLOSE: 4,
  /** The connection is a watcher from now on. */
  WATCH: 5,
  /** The same, as the client has asked for. */
  QUIT: 6,
} as const;
export type Outcome = typeof Outcome[keyof typeof Outcome];

/** Progress of a SASL login. */
export const SaslState = {
  /** Not begun, or failed. */
  NONE: 0,
  /** The server has asked the client for name and password. */
  STARTED: 1,
  /** The client has logged in. */
  DONE: 2,
} as const;
export type SaslState = typeof SaslState[keyof typeof SaslState];

/** Most bytes of the returned flags of ms: key in Base64, opaque, placeholders of two numbers. */
const RETURNS_BYTES_MAX = 320;

/** The returned flags of an ms whose value is being received. */
export class MetaReturns {
  readonly bytes = new Uint8Array(RETURNS_BYTES_MAX);
}

/** An answer that may be longer than the replies, and is written part by part: see answer.ts. */
export interface Answer {
  /** Cost of making it, in requests of a turn. */
  readonly cost: number;
  /** Cost of each call of {@linkcode write}, in requests of a turn. */
  readonly writeCost: number;
  /**
   * Writes as much of the rest as fits, and no more than is quickly made.
   *
   * @returns Whether there is more.
   */
  write(replies: ReplyBuffer): boolean;
}

/** Command state of one connection. */
export class Session {
  /** The current packet of a binary client; undefined when the client speaks another protocol. */
  request: BinaryRequest | undefined;
  /** Progress of a binary client's login. */
  sasl: SaslState = SaslState.NONE;
  /** The command that is being run. */
  verb: Verb = Verb.NONE;
  /** The current line ends in `noreply`: neither it nor its value gets a reply. */
  noreply = false;

  /** Storage: the item being filled; {@linkcode NO_ITEM} when there is none. */
  item: ItemRef = NO_ITEM;
  /** Storage: the condition under which the item is stored. */
  mode: StoreMode = StoreMode.SET;
  /** Storage: the version that a cas names. */
  readonly cas = new U64();
  /** Where the next value bytes go: `[valueAt, valueTo)` of a segment of the arena. */
  valueSegment = 0;
  valueAt = 0;
  valueTo = 0;
  /** The chunk those bytes are in; {@linkcode NO_ITEM} when the value is in one piece. */
  valueChunk: ItemRef = NO_ITEM;
  /** Value bytes still to come, or to be discarded; with the CRLF of a text client's value. */
  valueLeft = 0;
  /** Bytes of the value's CRLF if the client does not send them: 2 for a binary client, else 0. */
  valueEnd = 0;
  /** Storage by ms or a binary client: further conditions, and what has been stored. */
  readonly storage = new MetaStorage();
  /** Storage by ms: the returned flags. Undefined until a request asks for some. */
  returns: MetaReturns | undefined;
  /** Retrieval: the command whose keys are being answered; {@linkcode Verb.NONE} between two. */
  retrieval: Verb = Verb.NONE;
  /** Retrieval: the expiry that gat and gats set, in seconds since start. */
  exptime = 0;
  /** Position in the read buffer to go on from, after {@linkcode Outcome.FLUSH}. */
  resumeAt = 0;
  /**
   * Retrieval: watchers know of the lookup of the next key. The command has made it, found no room
   * in the replies for the value, and makes it once more when they are sent.
   */
  isLookupLogged = false;
  /** Retrieval: an item of many chunks that is held while it is sent; else {@linkcode NO_ITEM}. */
  sending: ItemRef = NO_ITEM;
  /** The first of its chunks that is not in the replies yet. */
  sendingChunk: ItemRef = NO_ITEM;
  /** Bytes of it that are not in the replies yet. */
  sendingLeft = 0;
  /** Retrieval: keys looked up that the turn has not been charged for. */
  keys = 0;

  /** Cost beyond that of a get that the turn has not been charged for: see answer.ts. */
  cost = 0;
  /** A long answer of which a part is not in the replies yet. */
  answer: Answer | undefined;

  /** A watcher's position in the log lines. */
  watches: LinesCursor | undefined;
  /** The connection is one datagram: it cannot watch, and its sender may be forged. */
  isDatagram = false;

  /** Whether a value is being received. */
  get isReceiving(): boolean {
    return this.item !== NO_ITEM;
  }

  /** Whether a value in many pieces is being sent. */
  get isSending(): boolean {
    return this.sending !== NO_ITEM;
  }

  /** Prepares the session for the next connection. */
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
    this.isLookupLogged = false;
  }
}

/**
 * Has the connection send the replies first, and then call again.
 *
 * @param resumeAt Position in the read buffer that the call goes on from.
 * @hot
 */
export function flushFirst(session: Session, resumeAt: number): Outcome {
  session.resumeAt = resumeAt;
  return Outcome.FLUSH;
}
