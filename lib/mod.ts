// memden in other programs: a server in the same process, for a program that needs a cache, and for
// test suites. docs/embedding.md shows how.
//
// It leaves its host alone: no signal handler, no exit, no output. A server shares no thread,
// memory or socket with another one, and has freed all of them when it has ended.

import type { Log } from "./base/operator_log.ts";
import { type NamedOptions, rawValuesOf } from "./config/named_options.ts";
import { settingsFrom, warningsFor } from "./config/settings.ts";
import type { Ending, Server } from "./server/server.ts";
import { startServer as start } from "./server/start_server.ts";

export { type NamedOptions } from "./config/named_options.ts";
export { SettingsError } from "./config/settings_error.ts";
export { type Ending } from "./server/server.ts";

/** How much a line for the operator matters, least first. */
const LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of the levels of a line. */
export type LogLevel = typeof LEVELS[number];

/** What a server is started with: memcached's options by name, and what only a program can say. */
export interface ServerOptions extends NamedOptions {
  /** File of logins for `enableSasl`. A process gets it by MEMCACHED_SASL_PWDB. */
  readonly saslFile?: string | undefined;
  /**
   * Takes the lines that a process writes to stderr: warnings and errors, with `verbose: 1` also
   * information, with 2 also details. Without it they are dropped.
   */
  readonly log?: ((line: string, level: LogLevel) => void) | undefined;
}

/** Where a server listens, as `Deno.connect` takes it. */
export type ServerAddress =
  | { readonly transport: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/**
 * Starts a server, and returns when it takes connections.
 *
 * Without `listen`, `port` and `unixSocket` it listens on 127.0.0.1, on a port that the system
 * chooses.
 *
 * @throws {SettingsError} For options that a command line could not have either, and for an address
 * that cannot be bound.
 */
export async function startServer(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const { saslFile, log: take, ...named } = options;
  const raw = rawValuesOf({ ...placeOf(named), ...named });
  const env = saslFile === undefined ? {} : { MEMCACHED_SASL_PWDB: saslFile };
  const settings = settingsFrom(raw, env);
  const log = logTo(take, settings.verbosity);
  for (const warning of warningsFor(settings)) log.warn(warning);
  const server = await start(settings, log);
  const early = await Promise.race([server.ended, undefined]);
  if (early?.cause === "failed") {
    server.abandon();
    throw new Error(`memden: a thread does not start: ${early.reason}`);
  }
  await server.open().catch(async (error) => {
    await server.stop();
    server.giveBack();
    throw error;
  });
  return new EmbeddedServer(server);
}

/** Where it listens by default. */
function placeOf({ listen, port, unixSocket }: NamedOptions): NamedOptions {
  if (unixSocket !== undefined && listen === undefined && port === undefined) return {};
  return { listen: listen ?? "127.0.0.1", port: port ?? 0 };
}

function logTo(take: ServerOptions["log"], verbosity: number): Log {
  const lowest = Math.max(0, LEVELS.indexOf("warn") - verbosity);
  const at = (level: LogLevel) => (line: string): void => {
    if (LEVELS.indexOf(level) >= lowest) take?.(line, level);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A server in this process. Disposing of it stops it. */
export class EmbeddedServer implements AsyncDisposable {
  /** Everywhere it listens for connections. */
  readonly addresses: readonly ServerAddress[];
  /**
   * Settles when the server has ended and freed everything: by {@linkcode stop}, by a client's
   * `shutdown` with `enableShutdown`, or because a thread has died.
   */
  readonly ended: Promise<Ending>;
  readonly #server: Server;

  /** Use {@linkcode startServer}. */
  constructor(server: Server) {
    this.#server = server;
    this.addresses = server.listening.map(({ address }): ServerAddress =>
      address.family === "unix"
        ? { transport: "unix", path: address.path }
        : { transport: "tcp", hostname: address.address, port: address.port }
    );
    this.ended = server.ended.then((ending) => {
      if (ending.cause === "asked") server.giveBack();
      else server.abandon();
      return ending;
    });
  }

  /** Where it listens; the first of {@linkcode addresses}. */
  get address(): ServerAddress {
    const [first] = this.addresses;
    if (first === undefined) throw new TypeError("the server listens for no connections");
    return first;
  }

  /** The first TCP port; 0 without one. */
  get port(): number {
    const tcp = this.addresses.find((address) => address.transport === "tcp");
    return tcp?.transport === "tcp" ? tcp.port : 0;
  }

  /**
   * Closes every connection, and returns when the server has ended.
   *
   * @param keepItems Whether `memoryFile` keeps the items for the next server.
   */
  async stop({ keepItems = false }: { readonly keepItems?: boolean } = {}): Promise<void> {
    void this.#server.stop(keepItems);
    await this.ended;
  }

  /** {@linkcode stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
