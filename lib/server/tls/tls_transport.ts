// TLS over another transport: what a connection receives is decrypted first, what it sends is
// encrypted. Connections of listeners without TLS pass through.
//
//   recv   socket → TlsSession → plain bytes, as many as were asked for; the rest waits there
//   send   replies, 32 KiB at most → TlsSession → socket; what the socket does not take waits here,
//          and send() does not count those replies as sent before it has gone
//
// The rule of transport.ts, "told once", holds for what waits here too. A receive ends when the
// buffer is full, and the conn comes back for more, or when the socket was seen empty. An end that
// was met behind plain bytes is told at the next wait.

import type { Block } from "../../base/block.ts";
import { viewOf } from "../../base/copy.ts";
import type { ListenerOptions } from "../../config/listen_address.ts";
import type { TlsSettings } from "../../config/tls_settings.ts";
import { freeBuffer } from "../../net/block_store.ts";
import { Io, type Poller, type Transport } from "../../net/transport.ts";
import { nextPiece, PIECE_BYTES } from "./reply_pieces.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import type { Counters } from "../../stats/counters.ts";
import { Counter } from "../../stats/names.ts";
import { type EventLog, Watched } from "../../log/event_log.ts";
import { openContexts, type TlsContexts } from "./certificates.ts";
import { logTlsError } from "../listen/conn_events.ts";
import { TicketKey } from "./ticket_key.ts";
import type { Certificates } from "./tls_context.ts";
import { type ByteTransport, openLink, type TlsLink } from "./tls_link.ts";
import { TlsSession } from "./tls_session.ts";

export { loadCertificates } from "./certificates.ts";

/** Longest a client may take for its handshake, in milliseconds. */
const HANDSHAKE_MS_MAX = 10_000;

/** Receives after which TLS is asked what it has to say, whether or not there are replies. */
const UNDRAINED_MAX = 16;

type Bytes = Uint8Array<ArrayBuffer>;

/** What TLS is started with. */
interface TlsStart {
  readonly settings: TlsSettings;
  /** How each listener is served. */
  readonly listenerOptions: readonly ListenerOptions[];
  readonly certificates: Certificates;
  /** Takes the name of the key of this worker's tickets, for the thread that deals connections. */
  readonly publishTicketName: (name: Uint8Array) => void;
}

/** One worker's sockets, those with TLS among them. */
export class TlsTransport implements Transport, Poller {
  readonly #inner: ByteTransport;
  readonly #segments: readonly Bytes[];
  readonly #counters: Counters;
  readonly #log: EventLog;
  readonly #settings: TlsSettings;
  readonly #listenerOptions: readonly ListenerOptions[];
  #contexts: TlsContexts;
  readonly #ticketKey: TicketKey | undefined;
  /** By descriptor; nothing for a connection without TLS. */
  readonly #links: (TlsLink | undefined)[] = [];
  /** Descriptors whose handshake is under way, the oldest first. */
  readonly #handshaking = new Set<number>();
  /** Descriptors to be told at the next wait, and those that the last one told. */
  #late: number[] = [];
  #told: number[] = [];
  #events = 0;
  readonly #received: Bytes = new Uint8Array(PIECE_BYTES);
  readonly #gathered: Bytes = new Uint8Array(PIECE_BYTES);

  /** @param segments Item memory. */
  constructor(
    inner: ByteTransport,
    segments: readonly Block[],
    counters: Counters,
    log: EventLog,
    { settings, listenerOptions, certificates, publishTicketName }: TlsStart,
  ) {
    this.#log = log;
    this.#inner = inner;
    this.#segments = segments.map(({ bytes }) => bytes);
    this.#counters = counters;
    this.#settings = settings;
    this.#listenerOptions = listenerOptions;
    this.#contexts = openContexts(certificates, settings);
    if (settings.sslSessionCache) this.#ticketKey = new TicketKey(certificates, publishTicketName);
    this.#ticketKey?.refresh();
  }

  /** Uses other certificates for the connections from now on. */
  useCertificates(certificates: Certificates): void {
    this.#contexts = openContexts(certificates, this.#settings, this.#contexts);
  }

  /** Starts watching a connection for input, and for its handshake where it has one. */
  watch(fd: number, listener: number): void {
    this.#inner.watch(fd);
    const { tls } = this.#listenerOptions[listener]!;
    if (tls === "none") return;
    const context = this.#contexts[tls];
    const session = context === undefined ? undefined : TlsSession.open(context);
    if (session === undefined) throw new Error(`TLS of listener ${listener} cannot be started`);
    this.#handshaking.add(fd);
    this.#links[fd] = openLink(session, performance.now() + HANDSHAKE_MS_MAX);
  }

  wait(timeoutMs: number): number {
    this.#told.length = 0;
    let timeout = this.#late.length > 0 ? 0 : timeoutMs;
    if (timeout !== 0 && this.#handshaking.size > 0) timeout = this.#untilDeadline(timeout);
    this.#events = this.#inner.wait(timeout);
    if (this.#handshaking.size > 0) this.#endLateHandshakes();
    if (this.#late.length > 0) [this.#told, this.#late] = [this.#late, this.#told];
    return this.#events + this.#told.length;
  }

  #untilDeadline(timeoutMs: number): number {
    for (const fd of this.#handshaking) {
      const ms = Math.max(0, Math.ceil(this.#links[fd]!.deadline - performance.now()));
      return timeoutMs < 0 ? ms : Math.min(ms, timeoutMs);
    }
    return timeoutMs;
  }

  #endLateHandshakes(): void {
    const now = performance.now();
    for (const fd of this.#handshaking) {
      const link = this.#links[fd]!;
      if (link.deadline > now) return;
      this.#fail(fd, link);
      this.#late.push(fd);
    }
  }

  fdAt(index: number): number {
    return index < this.#events ? this.#inner.fdAt(index) : this.#told[index - this.#events]!;
  }

  isHangup(index: number): boolean {
    return index < this.#events && this.#inner.isHangup(index);
  }

  isGone(index: number): boolean {
    return index < this.#events && this.#inner.isGone(index);
  }

  probe(fd: number): void {
    this.#inner.probe(fd);
  }

  /** @hot */
  recv(fd: number, bytes: Bytes, from: number): number {
    const link = this.#links[fd];
    if (link === undefined) return this.#inner.recv(fd, bytes, from);
    return this.#receive(fd, link, bytes, from, bytes.length);
  }

  recvValue(fd: number, segment: number, from: number, to: number): number {
    const link = this.#links[fd];
    if (link === undefined) return this.#inner.recvValue(fd, segment, from, to);
    return this.#receive(fd, link, this.#segments[segment]!, from, to);
  }

  /**
   * Receives plain bytes into `bytes[from, to)`.
   * @hot
   */
  #receive(fd: number, link: TlsLink, bytes: Bytes, from: number, to: number): number {
    let at = from;
    let isDry = false;
    for (;;) {
      at = link.session.take(bytes, at, to);
      if (at === to || (at > from && isDry)) {
        if (at < to && link.session.hasEnded) this.#late.push(fd);
        return at - from;
      }
      const count = this.#fill(fd, link);
      if (count <= 0) {
        if (at === from) return count;
        if (count !== Io.AGAIN) this.#late.push(fd);
        return at - from;
      }
      isDry = count < this.#received.length;
    }
  }

  /** Receives from the socket into the session: a count of encrypted bytes, or as recv(). */
  #fill(fd: number, link: TlsLink): number {
    const { session } = link;
    if (link.isOver) return Io.GONE;
    if (session.hasEnded || link.inputEnded) return 0;
    if (link.out !== undefined && !this.#flush(fd, link)) return this.#flushLater(fd, link);
    const count = this.#inner.recv(fd, this.#received, 0);
    if (count === Io.AGAIN) return count;
    if (count === 0 && session.isSecure) {
      link.inputEnded = true; // What was asked before is answered all the same.
      return 0;
    }
    if (count <= 0) {
      if (!session.isSecure) this.#fail(fd, link);
      link.isOver = true;
      link.isMute = true;
      return count;
    }
    session.receive(count === PIECE_BYTES ? this.#received : viewOf(this.#received, 0, count));
    if (session.isSecure && this.#handshaking.has(fd) && !this.#admit(fd, link)) return Io.GONE;
    // What TLS has to say goes with the replies, as a rule: asking for it costs a call.
    const mayWait = session.hasPlain && session.isSecure && ++link.undrained < UNDRAINED_MAX;
    const isSent = (mayWait && !session.hasFailed) || this.#flush(fd, link);
    if (session.hasFailed) {
      this.#fail(fd, link);
      return Io.GONE;
    }
    if (!isSent && !session.hasPlain) return this.#flushLater(fd, link);
    return count;
  }

  /** The handshake is over: lets the client in, or not. Nothing of this step was sent yet. */
  #admit(fd: number, link: TlsLink): boolean {
    if (!link.session.isAdmitted) {
      this.#fail(fd, link);
      return false;
    }
    this.#handshaking.delete(fd);
    this.#ticketKey?.refresh();
    if (!link.session.isResumed) this.#counters.add(Counter.SSL_NEW_SESSIONS, 1);
    return true;
  }

  /** Counts what went wrong; the conn learns of it when it receives. */
  #fail(fd: number, link: TlsLink): void {
    const isEarly = this.#handshaking.delete(fd);
    this.#counters.add(isEarly ? Counter.SSL_HANDSHAKE_ERRORS : Counter.SSL_PROTO_ERRORS, 1);
    if (this.#log.wants(Watched.CONNEVENTS)) logTlsError(this.#log, fd, link.session.failure);
    link.isOver = true;
    link.isMute = true;
  }

  /** Sends encrypted bytes; returns false when some must wait, or the client is gone. */
  #flush(fd: number, link: TlsLink): boolean {
    for (;;) {
      if (link.out === undefined) {
        link.out = link.session.drain();
        link.outAt = 0;
        link.undrained = 0;
        if (link.out === undefined) break;
      }
      const { out, outAt } = link;
      const rest = outAt === 0 ? out : viewOf(out, outAt, out.length);
      const count = this.#inner.sendBytes(fd, rest);
      if (count < 0) {
        if (count === Io.GONE) link.isOver = true;
        return false;
      }
      link.outAt += count;
      if (link.outAt < out.length) continue; // The next one says that no more goes, or sends it.
      link.out = undefined;
      freeBuffer(out.buffer); // Garbage of many connections would come to tens of megabytes.
      break;
    }
    if (link.watchesBoth) {
      link.watchesBoth = false;
      this.#inner.waitReadable(fd);
    }
    return true;
  }

  /** The client does not take what the handshake has to say: nothing is received until it does. */
  #flushLater(fd: number, link: TlsLink): number {
    if (link.isOver) return Io.GONE;
    if (!link.watchesBoth) this.#inner.waitEither(fd);
    link.watchesBoth = true;
    return Io.AGAIN;
  }

  /** @hot */
  send(fd: number, replies: ReplyBuffer): number {
    const link = this.#links[fd];
    return link === undefined ? this.#inner.send(fd, replies) : this.#send(fd, link, replies);
  }

  #send(fd: number, link: TlsLink, replies: ReplyBuffer): number {
    if (link.isOver) return Io.GONE;
    if (link.out !== undefined && !this.#flush(fd, link)) return link.isOver ? Io.GONE : Io.AGAIN;
    let count = link.unreported;
    if (count > 0) {
      link.unreported = 0;
      return count;
    }
    const plain = nextPiece(replies, this.#segments, this.#gathered);
    count = plain.length;
    link.session.write(plain);
    if (this.#flush(fd, link)) return count;
    if (link.isOver) return Io.GONE;
    link.unreported = count;
    return Io.AGAIN;
  }

  waitReadable(fd: number): void {
    this.#inner.waitReadable(fd);
    const link = this.#links[fd];
    if (link !== undefined) link.watchesBoth = false;
  }

  waitWritable(fd: number): void {
    this.#inner.waitWritable(fd);
    const link = this.#links[fd];
    if (link !== undefined) link.watchesBoth = false;
  }

  close(fd: number): void {
    const link = this.#links[fd];
    if (link !== undefined) {
      this.#links[fd] = undefined;
      this.#handshaking.delete(fd);
      if (link.session.isSecure && !link.isMute && link.out === undefined) {
        link.session.end();
        this.#flush(fd, link);
      }
      link.session.close();
    }
    this.#inner.close(fd);
  }
}
