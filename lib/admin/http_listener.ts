// HTTP connections: how many there may be, and what comes of each.
//
// Deno.serve has no limits and node:http none that it could keep to where descriptors run out, so
// connections are accepted and timed here; node:http parses and writes
// (docs/decisions/0040-admin-limits.md).

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AdminAddress } from "../config/admin_address.ts";
import { HttpConn } from "./http_conn.ts";

/** The parts of a request that routes read. A `Request` is one. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/** Answers one request. */
export type Handler = (asked: Asked) => Promise<Response>;

/** Takes a line for the log. */
export type Complain = (message: string) => void;

/** What clients may take. */
export interface HttpLimits {
  /** Connections at a time; more are closed at once. */
  readonly conns: number;
  /** How long one waits for a client, in milliseconds. */
  readonly patienceMs: number;
}

/** Longest head of a request, in bytes. */
const HEAD_BYTES_MAX = 16 * 1024;

/** Rest before it accepts again once no descriptor is left, in milliseconds. */
const REST_MS = 1000;
/** The same after any other error: of one client, as a rule, that was gone first. */
const RETRY_MS = 10;
/** The errors that say that no descriptor is left, as the runtime names them. */
const EXHAUSTED: readonly (string | undefined)[] = ["EMFILE", "ENFILE"];

/** Listens on one address, and lets a handler answer. */
export class HttpListener {
  readonly #listener: Deno.TcpListener;
  readonly #handler: Handler;
  readonly #complain: Complain;
  readonly #limits: HttpLimits;
  readonly #http = createServer({ maxHeaderSize: HEAD_BYTES_MAX });
  readonly #conns = new Set<HttpConn>();
  readonly #ended: Promise<void>;
  #isEnding = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #wake = () => {};

  /** @throws What `Deno.listen` throws for an address that cannot be bound. */
  constructor(
    { host: hostname, port }: AdminAddress,
    handler: Handler,
    complain: Complain,
    limits: HttpLimits,
  ) {
    this.#handler = handler;
    this.#complain = complain;
    this.#limits = limits;
    this.#http.on("request", (request, response) => {
      response.on("error", () => {}); // It is too late for the answer: nobody is there.
      this.#answer(request, response).catch((error) => {
        complain(`admin: ${messageOf(error)}`);
        response.destroy();
      });
    });
    this.#listener = Deno.listen({ hostname, port });
    this.#ended = this.#acceptAll();
  }

  /** The port it has. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes it, with the connections it has; settles when that is done. */
  stop(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#rest);
    this.#wake();
    this.#listener.close();
    for (const conn of this.#conns) conn.destroy();
    return this.#ended;
  }

  async #acceptAll(): Promise<void> {
    while (!this.#isEnding) {
      const conn = await this.#accept();
      if (conn === undefined) continue;
      if (this.#conns.size < this.#limits.conns) this.#admit(conn);
      else conn.close();
    }
  }

  /** The next connection; after a rest undefined, where there is none. */
  async #accept(): Promise<Deno.TcpConn | undefined> {
    try {
      return await this.#listener.accept();
    } catch (error) {
      if (this.#isEnding) return undefined;
      if (EXHAUSTED.includes((error as { readonly code?: string }).code)) {
        // Clients in the queue of the kernel cannot even be refused.
        this.#complain(`admin: ${messageOf(error)}; listening again in ${REST_MS} ms`);
        await this.#restFor(REST_MS);
      } else await this.#restFor(RETRY_MS);
      return undefined;
    }
  }

  async #restFor(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#rest = setTimeout(resolve, ms);
    });
  }

  #admit(socket: Deno.TcpConn): void {
    try {
      socket.setNoDelay(true);
    } catch {
      // Some systems refuse it once the client is gone: the first read says so.
    }
    const conn = new HttpConn(socket, this.#limits.patienceMs);
    this.#conns.add(conn);
    conn.once("close", () => this.#conns.delete(conn));
    this.#http.emit("connection", conn);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const conn = request.socket as unknown as HttpConn;
    if (!conn.ask()) return;
    response.shouldKeepAlive = false;
    await send(await this.#handler(askedBy(request)), response);
  }
}

/** A request as routes see it. */
function askedBy({ method = "", url = "", headers }: IncomingMessage): Asked {
  return {
    method,
    url: url.startsWith("/") ? `http://${headers.host || "localhost"}${url}` : url,
    headers: { get: (name) => String(headers[name] ?? "") || null },
  };
}

/** Sends an answer, as fast as it is taken. */
async function send(answer: Response, to: ServerResponse): Promise<void> {
  const { status, headers, body } = answer;
  const shown = Object.fromEntries(headers);
  if (headers.get("content-type")?.startsWith("text/event-stream")) {
    to.writeHead(status, shown);
    if (body === null) to.end();
    else await pump(body.getReader(), to);
  } else {
    const text = await answer.text();
    to.writeHead(status, { ...shown, "content-length": Buffer.byteLength(text) });
    to.end(text); // Without it, for HEAD: node:http sees to that.
  }
}

type Events = ReadableStreamDefaultReader<Uint8Array>;

/** Sends what comes, until one of both sides ends. */
async function pump(events: Events, to: ServerResponse): Promise<void> {
  to.once("close", () => void events.cancel());
  while (!to.destroyed) {
    const { done, value } = await events.read();
    if (done) break;
    // A connection that ends meanwhile drains no more: `destroyed` ends the loop.
    if (!to.write(value)) await new Promise((resolve) => to.once("drain", resolve));
  }
  to.end();
}

/** What went wrong, without the number that the runtime puts behind it. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\)$/, "");
}
