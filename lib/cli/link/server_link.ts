// One connection to a server, as a client of the text protocol: a line out, an answer back.
//
// Every step has an end in time, and no answer may be longer than fits in memory; whatever goes
// wrong is a LinkError, and the link is closed. Texts of the server are made printable here.

import { latin1 } from "../../base/ascii.ts";
import { printable } from "./printable.ts";
import type { ServerAddress } from "./server_address.ts";

/** Longest answer and longest line, in bytes: several times what a busy server sends. */
const ANSWER_BYTES_MAX = 2 * 1024 * 1024;
const LINE_BYTES_MAX = 16 * 1024;
const READ_BYTES = 64 * 1024;

const CLOSED_REASON = "the server closed the connection";

/** How a link is opened. */
export interface LinkOptions {
  readonly address: ServerAddress;
  /** How to check the certificate; undefined for a connection without TLS. */
  readonly tls: TlsOptions | undefined;
  /** Longest time for the connection, and for each answer from its question to its last line. */
  readonly timeoutMs: number;
}

/** What a client needs to check a server's certificate. */
export interface TlsOptions {
  /** Authorities, PEM, besides the runtime's own. */
  readonly authorities: readonly string[];
  /** The name that the certificate is for; undefined for that of the address. */
  readonly name: string | undefined;
}

/** Why a server gave no answer: one line, printable. */
export class LinkError extends Error {
  override name = "LinkError";
}

/** A link on which no answer came in time. */
export class NoAnswerError extends LinkError {
  override name = "NoAnswerError";
}

/** A link that the other side has closed. */
export class ClosedError extends LinkError {
  override name = "ClosedError";
}

/** What rustls calls a server that shows the certificate of an authority. */
const AUTHORITY_AS_SERVER = "CaUsedAsEndEntity";
const AUTHORITY_REASON =
  "the server's certificate is that of an authority (CA:TRUE), which is not " +
  "trusted as a server's own: sign another one by it, or make one with basicConstraints=CA:FALSE";

/** Errors of the runtime that mean the same. */
const CLOSED = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.UnexpectedEof];

/** Lines of `stats`: name and value. */
export type StatLines = ReadonlyMap<string, string>;

/** A connection. Its owner closes it, or the first error does. */
export class ServerLink {
  readonly #conn: Deno.Conn;
  readonly #timeoutMs: number;
  readonly #chunk = new Uint8Array(READ_BYTES);
  /** What has come and was not read yet, one character per byte. */
  #waiting = "";

  /** Bytes sent and received so far. */
  sentBytes = 0;
  receivedBytes = 0;

  constructor(conn: Deno.Conn, timeoutMs: number) {
    this.#conn = conn;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {LinkError} With the reason, when there is no connection. */
  static async open(options: LinkOptions): Promise<ServerLink> {
    const { timeoutMs } = options;
    const connecting = connect(options);
    try {
      return new ServerLink(await inTime(connecting, timeoutMs, "no connection"), timeoutMs);
    } catch (error) {
      // A connection that comes too late is closed.
      connecting.then((late) => late.close(), () => {});
      throw asLinkError(error);
    }
  }

  /** Closes the connection; a second time nothing happens. */
  close(): void {
    if (!this.#closed) this.#conn.close();
    this.#closed = true;
  }
  #closed = false;

  /**
   * Asks for `stats WHAT`.
   *
   * @param what Empty for the general ones.
   * @returns The lines; where the server refuses, its error line as a string.
   */
  async stats(what: string): Promise<StatLines | string> {
    return await this.#step(this.#readStats(what));
  }

  /** Sends `text`, and reads the line that answers it. */
  async ask(text: string): Promise<string> {
    return await this.#step(this.send(text).then(() => this.readLine()));
  }

  async #readStats(what: string): Promise<StatLines | string> {
    await this.send(`stats ${what}`.trimEnd() + "\r\n");
    const rows = new Map<string, string>();
    let bytes = 0;
    for (;;) {
      const line = await this.readLine();
      bytes += line.length;
      if (bytes > ANSWER_BYTES_MAX) throw this.#failed("the answer has no end");
      if (line === "END") return rows;
      const match = /^STAT (\S+) ?(.*)$/s.exec(line);
      if (match === null) return printable(line);
      rows.set(printable(match[1]!), printable(match[2]!));
    }
  }

  /** Sends `text`, one byte for each character. */
  async send(text: string): Promise<void> {
    await this.sendBytes(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#step(this.#conn.write(bytes.subarray(at)));
    }
    this.sentBytes += bytes.length;
  }

  /** The next line, without what ends it, one character for each byte. */
  async readLine(): Promise<string> {
    let searched = 0;
    for (;;) {
      const end = this.#waiting.indexOf("\n", searched);
      if (end >= 0) {
        const line = this.#waiting.slice(0, end);
        this.#waiting = this.#waiting.slice(end + 1);
        return line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      searched = this.#waiting.length;
      if (searched > LINE_BYTES_MAX) throw this.#failed("the answer has no end");
      await this.#receive();
    }
  }

  /** The next `count` bytes, one character for each. */
  async readBytes(count: number): Promise<string> {
    while (this.#waiting.length < count) await this.#receive();
    const bytes = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return bytes;
  }

  async #receive(): Promise<void> {
    const count = await this.#step(this.#conn.read(this.#chunk));
    if (count === null) {
      this.close();
      throw new ClosedError(CLOSED_REASON);
    }
    this.receivedBytes += count;
    this.#waiting += latin1(this.#chunk, 0, count);
  }

  /** One step, or several that have the time of one: drops one by one must not go on for ever. */
  async #step<T>(work: Promise<T>): Promise<T> {
    try {
      return await inTime(work, this.#timeoutMs, "no answer");
    } catch (error) {
      this.close();
      throw asLinkError(error);
    }
  }

  #failed(reason: string): LinkError {
    this.close();
    return new LinkError(reason);
  }
}

async function connect({ address, tls }: LinkOptions): Promise<Deno.Conn> {
  if ("path" in address) {
    if (tls !== undefined) throw new LinkError("a Unix socket does not speak TLS");
    return await Deno.connect({ transport: "unix", path: address.path });
  }
  const conn = await Deno.connect(address);
  // Otherwise a second small write would wait for the acknowledgement of the first.
  conn.setNoDelay(true);
  if (tls === undefined) return conn;
  const secured = await Deno.startTls(conn, {
    hostname: tls.name ?? address.hostname,
    caCerts: [...tls.authorities],
  });
  await secured.handshake();
  return secured;
}

/**
 * The result of `work`, unless it takes longer than `ms`.
 *
 * @param missing What is late, for the message: `no answer`.
 * @throws {NoAnswerError}
 */
export async function inTime<T>(work: Promise<T>, ms: number, missing: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = new NoAnswerError(`${missing} within ${ms / 1000} s`);
  const timer = setTimeout(() => late.reject(error), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a system call as a reason; mistakes of this program stay what they are. */
function asLinkError(error: unknown): unknown {
  const isMistake = [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);
  if (error instanceof LinkError || isMistake || !(error instanceof Error)) return error;
  if (CLOSED.some((kind) => error instanceof kind)) return new ClosedError(CLOSED_REASON);
  return new LinkError(reasonOf(error));
}

/** An error of the system in a few words. */
function reasonOf({ message }: Error): string {
  if (message.includes(AUTHORITY_AS_SERVER)) return AUTHORITY_REASON;
  return printable(message.split(" (os error")[0]!.split("\n")[0]!);
}
