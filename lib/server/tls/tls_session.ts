// One connection's TLS: encrypted bytes from the socket in, plain bytes out, and the other way, in
// the same call.

import { freeBuffer } from "../../net/block_store.ts";
import {
  type Certificates,
  type ClientCertificate,
  makeContext,
  type TlsContext,
} from "./tls_context.ts";
import { noteSessionEnd, openWrap, REQUEST, type Wrap, WrapKind } from "./tls_wrap.ts";

/** Client certificates that a context remembers. */
const CHECKED_MAX = 4096;

/** The server's side of one connection's TLS. */
export class TlsSession {
  /** Whether the handshake is over. */
  isSecure = false;
  /** Whether the peer broke the protocol; an alert may wait to be sent. */
  hasFailed = false;
  /** The runtime's message for that; "" for none. */
  failure = "";
  /** Whether the client has sent close_notify: no more plain bytes come. */
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
    const wrap = openWrap(WrapKind.SERVER);
    if (wrap === undefined) return undefined;
    return wrap.initServerTls(context.parts) === 0 ? new TlsSession(wrap, context) : undefined;
  }

  /**
   * Takes encrypted bytes from the socket. Call it only when no plain bytes are left, which bounds
   * the memory of a connection.
   */
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

  /** Takes the encrypted bytes that must be sent; undefined for none. */
  drain(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#wrap.drainEncOut();
    return bytes === undefined || bytes.length === 0 ? undefined : bytes;
  }

  /** Whether it resumes an earlier session. */
  get isResumed(): boolean {
    return this.#wrap.isSessionReused();
  }

  /**
   * Whether the client is accepted. Ask when the handshake is over, before anything more is sent: a
   * client that is refused must not get a ticket, which it could resume.
   *
   * A resumed session has the certificate of the earlier one, and TLSWrap does not verify it again.
   * The earlier session may be of another listener, or older than the CA certificates. So a resumed
   * session is accepted only if these CA certificates have verified the same certificate before.
   */
  get isAdmitted(): boolean {
    const { clientCertificate, ca, checked } = this.#context;
    if (clientCertificate === "none") return true;
    if (this.#wrap.verifyError()) return false;
    const peer = this.#wrap.getPeerCertificate(false);
    const fingerprint = peer?.fingerprint256;
    if (fingerprint === undefined) return clientCertificate === "request";
    if (ca === "") return false; // TLSWrap has used the system's CA certificates: not ours.
    if (this.isResumed) {
      return checked.has(fingerprint) && Date.parse(peer?.valid_to ?? "") > Date.now();
    }
    if (checked.size >= CHECKED_MAX) checked.clear();
    checked.add(fingerprint);
    return true;
  }

  /** Writes close_notify; drain afterwards. */
  end(): void {
    this.#wrap.shutdown(REQUEST);
  }

  /** Frees the native memory. */
  close(): void {
    this.#wrap.destroySsl();
    this.#plain = undefined;
    noteSessionEnd();
  }
}

/**
 * Makes a context, and tries it by a session.
 *
 * @param minVersion As for {@linkcode makeContext}.
 * @returns undefined when the certificates cannot be used: a key of another certificate, or a curve
 * that is not supported.
 */
export function openContext(
  certificates: Certificates,
  minVersion: number,
  clientCertificate: ClientCertificate,
): TlsContext | undefined {
  const context = makeContext(certificates, minVersion, clientCertificate);
  const session = TlsSession.open(context);
  session?.close();
  return session === undefined ? undefined : context;
}
