// TLS by hand: bytes from the socket in, plain bytes out, and the other way, in the same call.
//
// The one file that touches TLSWrap, the class behind `TLSSocket._handle` of node:tls. No document
// describes it. Its methods are asked for before the server starts (canDriveTls), and the version
// of Deno is pinned; docs/decisions/0015-tls.md says why it is used all the same.
//
// TLSWrap's native memory is freed when its object is collected, and V8 does not know how large it
// is: it would not collect for tens of thousands of connections. So a collection is asked for
// after every COLLECT_AFTER sessions that have ended.

import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { freeBuffer } from "../../net/block_store.ts";
import { issuedTicketName } from "./tls_messages.ts";

/** What a server shows to its clients, and by what it knows theirs: PEM texts. */
export interface Certificates {
  /** The server's certificate, and those between it and the root. */
  readonly chain: string;
  /** PKCS#8. */
  readonly key: string;
  /** Authorities of client certificates; empty for none. */
  readonly ca: string;
}

/** Whether a client is asked for a certificate. One that is shown must be good in any case. */
export type ClientCertificate = "none" | "request" | "require";

/** What sessions are made from. */
export interface TlsContext {
  readonly parts: object;
  readonly clientCertificate: ClientCertificate;
  /** The authorities, PEM; empty for none, to whom no certificate is good. */
  readonly ca: string;
  /** Fingerprints of client certificates that were checked against these authorities. */
  readonly checked: Set<string>;
}

/** The part of TLSWrap that is used. */
interface Wrap {
  initServerTls(context: object): number;
  initClientTls(serverName: string, context: object): number;
  attachJsStream(): void;
  setHandle(handle: Wrap): void;
  setOnread(read: (bytes: ArrayBuffer | undefined) => void): void;
  start(): void;
  receive(bytes: Uint8Array): void;
  writeBuffer(request: object, bytes: Uint8Array): number;
  drainEncOut(): Uint8Array<ArrayBuffer> | undefined;
  shutdown(request: object): number;
  destroySsl(): void;
  verifyError(): unknown;
  isSessionReused(): boolean;
  getPeerCertificate(detailed: boolean): PeerCertificate | undefined;
  onhandshakestart: () => void;
  onhandshakedone: () => void;
  onerror: (error: Error) => void;
}

interface PeerCertificate {
  readonly fingerprint256?: string;
  readonly "valid_to"?: string;
}

type WrapClass = new (kind: number, handle: number) => Wrap;

const METHODS = [
  "initServerTls",
  "initClientTls",
  "attachJsStream",
  "setHandle",
  "setOnread",
  "start",
  "receive",
  "writeBuffer",
  "drainEncOut",
  "shutdown",
  "destroySsl",
  "verifyError",
  "isSessionReused",
  "getPeerCertificate",
] as const satisfies readonly (keyof Wrap)[];

const CLIENT = 0;
const SERVER = 1;
/** Stands for the request objects whose completion nobody waits for. */
const REQUEST = { oncomplete: () => {} };
/** Ended sessions after which memory is collected: 9 KB each. */
const COLLECT_AFTER = 512;
/** Client certificates that a context remembers. */
const CHECKED_MAX = 4096;

const wrapClass = findWrapClass();
const collect = wrapClass === undefined ? undefined : findCollect();
let endedSessions = 0;

/** Whether this runtime's TLS can be driven from here. */
export function canDriveTls(): boolean {
  return wrapClass !== undefined && collect !== undefined;
}

/** Finds the class by a socket that leads nowhere. */
function findWrapClass(): WrapClass | undefined {
  const nowhere = new Duplex({ read: () => {}, write: (_bytes, _encoding, done) => done() });
  const options = { isServer: true, secureContext: createSecureContext({}) };
  const socket: { readonly _handle?: object; destroy(): void } = new TLSSocket(
    nowhere as unknown as ConstructorParameters<typeof TLSSocket>[0],
    options,
  );
  const prototype = Object.getPrototypeOf(socket._handle ?? {});
  socket.destroy();
  const isWhole = METHODS.every((name) => typeof prototype[name] === "function");
  return isWhole ? prototype.constructor as WrapClass : undefined;
}

/** V8's full collection, which is a function only once it is asked for. */
function findCollect(): (() => void) | undefined {
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  return found as (() => void) | undefined;
}

/**
 * Makes a context, and a session of it to see that the certificates can be used.
 *
 * @param minVersion 0..3: below 2 counts as 2, which is TLS 1.2.
 * @returns undefined when they cannot: a key of another certificate, a curve that is not known.
 */
export function openContext(
  certificates: Certificates,
  minVersion: number,
  clientCertificate: ClientCertificate,
): TlsContext | undefined {
  const asks = clientCertificate !== "none";
  const parts = {
    cert: certificates.chain,
    key: certificates.key,
    // Without a reason to: TLSWrap would send the authorities to clients as a part of the chain.
    ca: asks ? certificates.ca : undefined,
    minVersion: minVersion > 2 ? "TLSv1.3" : "TLSv1.2",
    maxVersion: "TLSv1.3",
    requestCert: asks,
    rejectUnauthorized: clientCertificate === "require",
  };
  const { ca } = certificates;
  const context = { parts, clientCertificate, ca, checked: new Set<string>() };
  const session = TlsSession.open(context);
  session?.close();
  return session === undefined ? undefined : context;
}

/** Exchanges until a handshake of TLS 1.2 is over, and some. */
const HANDSHAKE_TURNS = 6;

/**
 * The name of the key by which this thread makes tickets: that of one it makes for a client of its
 * own, in 2 ms. The key is the same for all contexts of a thread, and changes every six hours.
 * Source: rustls, TicketRotator; deno ext/node/ops/tls.rs, server_ticketer.
 *
 * @returns undefined where no ticket was made.
 */
export function ownTicketName(certificates: Certificates): Uint8Array | undefined {
  const context = openContext(certificates, 2, "none");
  const server = context === undefined ? undefined : TlsSession.open(context);
  if (wrapClass === undefined || server === undefined) return undefined;
  const client = new wrapClass(CLIENT, 0);
  const version = "TLSv1.2";
  client.initClientTls("localhost", {
    minVersion: version,
    maxVersion: version,
    rejectUnauthorized: false,
  });
  client.attachJsStream();
  client.setHandle(client);
  client.onhandshakestart = client.onhandshakedone = client.onerror = () => {};
  client.setOnread(() => {});
  client.start();
  const sent: number[] = [];
  for (let turn = 0; turn < HANDSHAKE_TURNS; turn++) {
    const asked = client.drainEncOut();
    if (asked !== undefined && asked.length > 0) server.receive(asked);
    const answered = server.drain();
    if (answered === undefined) continue;
    sent.push(...answered);
    client.receive(answered);
  }
  client.destroySsl();
  server.close();
  return issuedTicketName(Uint8Array.from(sent));
}

/** One connection's TLS, the server's side. */
export class TlsSession {
  /** The handshake is over. */
  isSecure = false;
  /** Something came that is not TLS, or that TLS does not allow; an alert may wait to be sent. */
  hasFailed = false;
  /** What it was, in the runtime's words; "" where there are none. */
  failure = "";
  /** The client has said that it sends no more. */
  hasEnded = false;
  readonly #wrap: Wrap;
  readonly #context: TlsContext;
  #plain: Uint8Array<ArrayBuffer> | undefined;
  #taken = 0;

  private constructor(wrap: Wrap, context: TlsContext) {
    this.#wrap = wrap;
    this.#context = context;
    wrap.attachJsStream();
    wrap.setHandle(wrap);
    wrap.onhandshakestart = () => {};
    wrap.onhandshakedone = () => this.isSecure = true;
    wrap.onerror = (error) => {
      this.hasFailed = true;
      this.failure = error.message;
    };
    wrap.setOnread((bytes) => this.#arrived(bytes));
    wrap.start();
  }

  /** @returns undefined when the context's certificates cannot be used. */
  static open(context: TlsContext): TlsSession | undefined {
    if (wrapClass === undefined) return undefined;
    const wrap = new wrapClass(SERVER, 0);
    return wrap.initServerTls(context.parts) === 0 ? new TlsSession(wrap, context) : undefined;
  }

  /** Takes bytes from the socket. To be called with no plain bytes left: so memory is bounded. */
  receive(bytes: Uint8Array): void {
    this.#wrap.receive(bytes);
  }

  #arrived(bytes: ArrayBuffer | undefined): void {
    if (bytes === undefined) {
      this.hasEnded = true;
      return;
    }
    const more = new Uint8Array(bytes);
    const rest = this.#plain?.subarray(this.#taken);
    this.#taken = 0;
    if (rest === undefined) {
      this.#plain = more;
      return;
    }
    this.#plain = new Uint8Array(rest.length + more.length);
    this.#plain.set(rest);
    this.#plain.set(more, rest.length);
    freeBuffer(rest.buffer);
    freeBuffer(bytes);
  }

  /** Whether plain bytes wait to be taken. */
  get hasPlain(): boolean {
    return this.#plain !== undefined;
  }

  /** Moves plain bytes to `bytes[from, to)`, as many as there are; returns where they end. */
  take(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): number {
    if (this.#plain === undefined) return from;
    const end = Math.min(this.#plain.length, this.#taken + to - from);
    bytes.set(this.#plain.subarray(this.#taken, end), from);
    const at = from + end - this.#taken;
    this.#taken = end;
    if (end === this.#plain.length) {
      freeBuffer(this.#plain.buffer);
      this.#plain = undefined;
      this.#taken = 0;
    }
    return at;
  }

  /** Encrypts; the bytes are copied at once. At most 32 KiB, with {@linkcode drain} after each. */
  write(plain: Uint8Array): void {
    this.#wrap.writeBuffer(REQUEST, plain);
  }

  /** What is to be sent: records, alerts, messages of the handshake; undefined for nothing. */
  drain(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#wrap.drainEncOut();
    return bytes === undefined || bytes.length === 0 ? undefined : bytes;
  }

  /** Whether it goes on from an earlier session. */
  get isResumed(): boolean {
    return this.#wrap.isSessionReused();
  }

  /**
   * Whether the client may come in. To be asked when the handshake is over, before anything more
   * is sent: a refused client must not get a ticket, or it would come in by that.
   *
   * A session that goes on from an earlier one shows the certificate of that time, unchecked; the
   * earlier one may be another listener's, or of before the authorities changed. It comes in only
   * when these authorities have been seen to stand for the certificate.
   */
  get isAdmitted(): boolean {
    const { clientCertificate, ca, checked } = this.#context;
    if (clientCertificate === "none") return true;
    if (this.#wrap.verifyError()) return false;
    const peer = this.#wrap.getPeerCertificate(false);
    const fingerprint = peer?.fingerprint256;
    if (fingerprint === undefined) return clientCertificate === "request";
    if (ca === "") return false; // TLSWrap has asked the authorities of the system: not ours.
    if (this.isResumed) {
      return checked.has(fingerprint) && Date.parse(peer?.valid_to ?? "") > Date.now();
    }
    if (checked.size >= CHECKED_MAX) checked.clear();
    checked.add(fingerprint);
    return true;
  }

  /** Says that the server sends no more; drain afterwards. */
  end(): void {
    this.#wrap.shutdown(REQUEST);
  }

  /** Gives everything back. */
  close(): void {
    this.#wrap.destroySsl();
    this.#plain = undefined;
    endedSessions++;
    if (endedSessions < COLLECT_AFTER) return;
    endedSessions = 0;
    collect?.();
  }
}
