// The HTTP server of the operator (`--admin`), on the main thread, beside clock and signals.
//
//   /            the live page, and its files   /healthz   200 while the process lives
//   /metrics     series for Prometheus          /readyz    200 while clients are taken, else 503
//   /api/stats   all of `stats` as JSON         /api/events   the same each second, and the log
//
// It reads statistics and changes nothing. A request's body is never read. An error in
// one answer reaches that client and the log only. CORS is off.

import { ADMIN_CONNS_MAX, type AdminAddress, isLoopback } from "../config/admin_address.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import type { StatsView } from "../stats/stats_view.ts";
import { apiStats } from "./api_stats.ts";
import { type Asset, ASSETS, PAGE_HEADERS } from "./assets.ts";
import { EventStream, type LogLine, type Reading } from "./event_stream.ts";
import {
  type Asked,
  type Complain,
  type Handler,
  HttpListener,
  messageOf,
} from "./http_listener.ts";
import { chooseFormat, writeExposition } from "./openmetrics.ts";
import { familiesOf } from "./series.ts";

/** What routes answer from. */
export interface Sources {
  readonly view: StatsView;
  readonly events: EventStream;
}

type Route = (sources: Sources, asked: Asked) => Response | Promise<Response>;

/** Longest path that is looked at, in characters. */
const PATH_LENGTH_MAX = 1024;

/** How long a client may take for the head of a request, in milliseconds. */
const HEAD_MS_MAX = 10_000;

const METHODS: readonly string[] = ["GET", "HEAD"];

/** Sent with every answer: a cache would show old numbers. */
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/metrics", metrics],
  ["/healthz", () => line(200, "ok")],
  ["/readyz", ({ view }) => view.isReady() ? line(200, "ready") : line(503, "not accepting")],
  ["/api/stats", stats],
  ["/api/events", streamEvents],
  ...[...ASSETS].map(([path, asset]): [string, Route] => [path, () => file(asset)]),
]);

/** A running server. */
export class AdminServer {
  readonly #host: string;
  readonly #events: EventStream;
  readonly #listener: HttpListener;

  /**
   * @param headMs How long a client may take for the head of a request, in milliseconds.
   * @throws {SettingsError} With memcached's exit code for an address that cannot be bound.
   */
  constructor(address: AdminAddress, view: StatsView, complain: Complain, headMs = HEAD_MS_MAX) {
    const { host, port } = address;
    this.#host = host;
    this.#events = new EventStream(() => readStats(view, complain));
    const handler = makeHandler({ view, events: this.#events }, complain, isLoopback(host));
    const limits = { conns: ADMIN_CONNS_MAX, patienceMs: headMs };
    try {
      this.#listener = new HttpListener(address, handler, complain, limits);
    } catch (error) {
      const message = `failed to listen on admin port ${port}: ${messageOf(error)}`;
      throw new SettingsError(message, ExitCode.OS_ERROR);
    }
  }

  /** Where it is, such as `http://127.0.0.1:9150`. */
  get url(): string {
    const host = this.#host;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.#listener.port}`;
  }

  /** How many clients `/api/events` has. */
  get watchers(): number {
    return this.#events.clients;
  }

  /** Shows a line of the server's log to those who watch. */
  tell(line: LogLine): void {
    this.#events.tell(line);
  }

  /** Closes it, with the connections it has; settles when that is done. */
  stop(): Promise<void> {
    this.#events.close();
    return this.#listener.stop();
  }
}

/**
 * Makes the handler of requests. It never throws.
 *
 * @param isLocal Answers only requests whose Host is a name of this machine, which blocks DNS
 * rebinding.
 */
export function makeHandler(sources: Sources, complain: Complain, isLocal = true): Handler {
  return async (asked) => {
    if (!METHODS.includes(asked.method)) {
      return line(405, "method not allowed", { allow: METHODS.join(", ") });
    }
    const url = urlOf(asked);
    if (url === undefined) return line(400, "bad address");
    const { pathname, hostname } = url;
    if (isLocal && !isOfThisMachine(hostname)) return line(403, "not under this name");
    if (pathname.length > PATH_LENGTH_MAX) return line(414, "address too long");
    const route = ROUTES.get(pathname);
    if (route === undefined) return line(404, "not found");
    try {
      return await route(sources, asked);
    } catch (error) {
      complain(`admin: ${pathname}: ${messageOf(error)}`);
      return line(500, "failed; the server's log says why");
    }
  };
}

/** The URL of a request; undefined where the Host header is no address. */
function urlOf(asked: Asked): URL | undefined {
  try {
    return new URL(asked.url);
  } catch {
    return undefined;
  }
}

/** Whether a host is a number, or a name that every machine has for itself. */
function isOfThisMachine(hostname: string): boolean {
  return /^(\[.*\]|[\d.]+|(.*\.)?localhost)$/.test(hostname);
}

/** Reads the statistics for the stream of events. It never throws. */
export function readStats(view: StatsView, complain: Complain): Reading {
  try {
    return { event: "stats", data: JSON.stringify(apiStats(view)) };
  } catch (error) {
    const message = `statistics cannot be read: ${messageOf(error)}`;
    complain(`admin: ${message}`);
    return { event: "problem", data: JSON.stringify({ message }) };
  }
}

async function metrics({ view }: Sources, asked: Asked): Promise<Response> {
  const format = chooseFormat(asked.headers.get("accept"));
  const { text, contentType } = await writeExposition(familiesOf(view), format);
  return new Response(text, {
    headers: { ...HEADERS, "content-type": contentType, vary: "accept" },
  });
}

function stats({ view }: Sources): Response {
  return Response.json(apiStats(view), { headers: HEADERS });
}

function streamEvents({ events }: Sources, { method }: Asked): Response {
  // A proxy that compresses would hold events back.
  const headers = {
    ...HEADERS,
    "cache-control": "no-store, no-transform",
    "content-type": "text/event-stream; charset=utf-8",
  };
  if (method === "HEAD") return new Response(null, { headers });
  const body = events.open();
  return body === undefined ? line(503, "too many watch") : new Response(body, { headers });
}

function file({ type, text }: Asset): Response {
  return new Response(text, { headers: { ...HEADERS, ...PAGE_HEADERS, "content-type": type } });
}

function line(status: number, text: string, more: Readonly<Record<string, string>> = {}): Response {
  const headers = { ...HEADERS, "content-type": "text/plain; charset=utf-8", ...more };
  return new Response(`${text}\n`, { status, headers });
}
