// A scripted network for tests: a client whose bytes arrive, and leave, in pieces of a given size.

import { latin1 } from "../base/ascii.ts";
import { Executor, type ServerView } from "../command/executor.ts";
import { defaultSettings, type Settings } from "../config/settings.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { ConnTable } from "../stats/conn_table.ts";
import { Workload } from "../stats/samples.ts";
import type { Store } from "../store/store.ts";
import { makeStore } from "../store/store_fixture.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "./buffer_pool.ts";
import { drive } from "./conn.ts";
import { Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState, moveTo } from "./conn_state.ts";
import { Io, type Transport } from "./transport.ts";

/** How a {@linkcode ScriptedClient} cuts its traffic, in bytes per call. */
export interface Cut {
  readonly recv: number;
  readonly send: number;
  /** Bytes can always be moved, instead of at every second call. */
  readonly always?: boolean;
}

/** A client that sends `input` in pieces, and is not ready at every second call. */
export class ScriptedClient implements Transport {
  readonly #seen: Uint8Array[] = [];
  isClosed = false;
  readonly #store: Store;
  readonly #input: Uint8Array;
  readonly #cut: Cut;
  #at = 0;
  #canRecv = false;
  #canSend = false;

  constructor(store: Store, input: Uint8Array, cut: Cut) {
    this.#store = store;
    this.#input = input;
    this.#cut = cut;
  }

  recv(_fd: number, bytes: Uint8Array, from: number): number {
    return this.#arrive(bytes, from, bytes.length);
  }

  recvValue(_fd: number, segment: number, from: number, to: number): number {
    return this.#arrive(this.#store.items.u8[segment]!, from, to);
  }

  #arrive(bytes: Uint8Array, from: number, to: number): number {
    this.#canRecv = !this.#canRecv || this.#cut.always === true;
    if (!this.#canRecv) return Io.AGAIN;
    const count = Math.min(this.#cut.recv, to - from);
    const piece = this.#input.subarray(this.#at, this.#at + count);
    bytes.set(piece, from);
    this.#at += piece.length;
    return piece.length;
  }

  send(_fd: number, replies: ReplyBuffer): number {
    this.#canSend = !this.#canSend || this.#cut.always === true;
    if (!this.#canSend) return Io.AGAIN;
    let left = this.#cut.send;
    for (const piece of waitingPieces(this.#store, replies)) {
      const taken = piece.slice(0, left);
      this.#seen.push(taken);
      left -= taken.length;
      if (left === 0) break;
    }
    return this.#cut.send - left;
  }

  probe(_fd: number): void {}

  waitReadable(): void {}
  waitWritable(): void {}

  close(): void {
    this.isClosed = true;
  }

  /** Everything the client has received, one character per byte. */
  get text(): string {
    return this.#seen.map((piece) => latin1(piece)).join("");
  }
}

/** The bytes that wait in `replies`, in order, references resolved. */
export function* waitingPieces(
  store: Store,
  replies: ReplyBuffer,
): Generator<Uint8Array> {
  let at = replies.sent;
  for (let ref = replies.refNext; ref < replies.refCount; ref++) {
    yield replies.block.bytes.subarray(at, replies.refAt[ref]);
    at = replies.refAt[ref]!;
    const segment = store.items.u8[replies.refSegment[ref]!]!;
    yield segment.subarray(replies.refFrom[ref], replies.refTo[ref]);
  }
  yield replies.block.bytes.subarray(at, replies.used);
}

/** A server of which nothing is known. */
export const TEST_SERVER: ServerView = {
  pid: 4711,
  cpuTimes: () => ({ user: "1.000000", system: "2.000000" }),
  conns: () => [["5:state", "conn_parse_cmd"]],
  shutdown: () => {},
  refreshCertificates: () => undefined,
};

/** Memory for the buffers of eight connections. */
export const POOL_BYTES = 8 * (READ_BYTES + REPLY_BYTES);
const EVENTS_MAX = 200_000;

/** What one thread's connections share, over `store`. */
export function makeShared(
  store: Store,
  transport: Transport,
  settings: Partial<Settings> = {},
  more: Partial<ConnShared> = {},
): ConnShared {
  const all = { ...defaultSettings(), ...settings };
  return {
    transport,
    executor: new Executor(store, all, TEST_SERVER),
    pool: new BufferPool(new ArrayBuffer(POOL_BYTES), store.counters),
    reqsPerEvent: all.reqsPerEvent,
    trace: undefined,
    comesShort: [false],
    protocols: [all.bindingProtocol],
    table: new ConnTable(store.control),
    workload: more.workload ?? new Workload(store.control, 1, () => NaN),
    idleTimeout: all.idleTimeout,
    halfClosedMax: 20,
    ...more,
  };
}

/** Set where a few cuts are enough: by scripts/mutate.ts, which runs the tests once per change. */
const hasFewCuts = Deno.env.has("MEMDEN_FEW_CUTS");

/** The receive sizes of `sizes` that a conversation is played at: all of them, or a few. */
export function cutsOf(sizes: readonly number[]): readonly number[] {
  if (!hasFewCuts) return sizes;
  return sizes.filter((_, index) => index === 0 || index === 6 || index === sizes.length - 1);
}

/** The sizes from 1 to `most`; see {@linkcode cutsOf}. */
export function cutsUpTo(most: number): readonly number[] {
  return cutsOf(Array.from({ length: most }, (_, index) => index + 1));
}

/** What is left after a conversation. */
export interface Talk {
  readonly client: ScriptedClient;
  readonly conn: Conn;
  readonly shared: ConnShared;
  /** How often the connection gave way to others. */
  readonly yields: number;
}

/**
 * Plays `input` to a new connection until the client has sent it all, and hangs up.
 *
 * @param conn Its record.
 * @param isOver Asked after each turn: whether to stop before that.
 */
export function converse(
  input: Uint8Array,
  cut: Cut,
  store: Store = makeStore(),
  settings: Partial<Settings> = {},
  conn: Conn = new Conn(5),
  isOver: (conn: Conn) => boolean = () => false,
): Talk {
  const client = new ScriptedClient(store, input, cut);
  const shared = makeShared(store, client, settings);
  let yields = 0;
  for (let event = 0; event < EVENTS_MAX && !client.isClosed && !isOver(conn); event++) {
    if (conn.state === ConnState.WAITING) moveTo(conn, ConnState.READ);
    drive(conn, shared);
    if (conn.progress === Progress.YIELDED) yields++;
  }
  return { client, conn, shared, yields };
}
