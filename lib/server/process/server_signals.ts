// What each signal does to the server.
//
//   SIGTERM, SIGINT   stop; in order if that takes no longer than STOP_MS_MAX, as nothing is saved
//   SIGUSR1           stop, and save the cache where there is a memory file, however long it takes
//   SIGHUP            read the files again that can change while the server runs
//   SIGUSR2           check the store
//
// The first signal that stops the server decides how: no later one cuts a save short.
// Source: memcached.c, sig_handler, sig_usrhandler and sighup_handler.

import type { Log } from "../../base/operator_log.ts";
import { type Settings, THREADS_SENSIBLE_MAX } from "../../config/settings.ts";
import { onGracefulSignal } from "./graceful_signal.ts";

/** What memcached prints when a signal ends it. Source: memcached.c, sig_handler. */
const STOP_SIGNALS: Readonly<Partial<Record<Deno.Signal, string>>> = {
  SIGINT: "Signal handled: Interrupt.",
  SIGTERM: "Signal handled: Terminated.",
};

/** The same for SIGUSR1. Source: memcached.c, sig_usrhandler. */
const GRACEFUL_TEXT = "Gracefully stopping";

/** Longest an orderly stop that saves nothing may take, in milliseconds. */
const STOP_MS_MAX = 1500;

/** Signals that Windows has, as Deno spells them. */
const WINDOWS_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGBREAK", "SIGHUP"];

/** The server, as far as signals reach it. */
export interface SignalledServer {
  /** Whether a stop that saves the cache has begun. */
  readonly isSaving: boolean;
  stop(isGraceful: boolean): Promise<void>;
  reload(): Promise<void>;
  checkStore(): void;
}

/** What signals do to the process. */
export interface SignalledProcess {
  /** Ends the process at once, with exit code 0. */
  exit(): void;
  /** Calls `act` after `ms` milliseconds. */
  after(ms: number, act: () => void): void;
}

/** The signals of one server process, from before its start on. */
export class ServerSignals {
  readonly #hasMemoryFile: boolean;
  readonly #hasManyThreads: boolean;
  readonly #log: Log;
  readonly #process: SignalledProcess;
  #server: SignalledServer | undefined;
  /** Whether a signal has asked for a stop that saves the cache, before the server was up. */
  #willSave = false;
  /** What waits for the server. */
  readonly #onStarted: ((server: SignalledServer) => void)[] = [];

  constructor({ memoryFile, threads }: Settings, log: Log, process: SignalledProcess) {
    this.#hasMemoryFile = memoryFile !== null;
    this.#hasManyThreads = threads > THREADS_SENSIBLE_MAX;
    this.#log = log;
    this.#process = process;
  }

  /** Handles each signal from now on, where the system has it. */
  listen(): void {
    for (const [signal, text] of Object.entries(STOP_SIGNALS)) {
      onSignal(signal as Deno.Signal, () => {
        this.#log.error(text);
        this.stop();
      });
    }
    if (Deno.build.os !== "windows") {
      onGracefulSignal((debuggerIsShutOut) => {
        this.#log.error(GRACEFUL_TEXT);
        this.stopGracefully(debuggerIsShutOut);
      });
    }
    onSignal("SIGHUP", () => this.#withServer((server) => server.reload()));
    onSignal("SIGUSR2", () => this.#withServer((server) => server.checkStore()));
  }

  /** Takes the server, which has just started: what waited for it is done now. */
  started(server: SignalledServer): void {
    this.#server = server;
    for (const act of this.#onStarted.splice(0)) act(server);
  }

  /** SIGTERM and SIGINT: stops without a save, unless one is under way or certain to come. */
  stop(): void {
    if (this.#willSave || this.#server?.isSaving) return;
    // The end of very many threads takes long.
    if (this.#server === undefined || this.#hasManyThreads) return this.#process.exit();
    this.#process.after(STOP_MS_MAX, () => this.#process.exit());
    void this.#server.stop(false);
  }

  /**
   * SIGUSR1: stops and saves the cache where there is a memory file.
   *
   * @param debuggerIsShutOut Otherwise the runtime is about to open its debugger, and the process
   * must end first.
   */
  stopGracefully(debuggerIsShutOut: boolean): void {
    const mustExit = !debuggerIsShutOut || this.#server === undefined;
    if (!this.#hasMemoryFile && mustExit) return this.#process.exit();
    // A start may have taken over a cache: it continues until the server can save that.
    if (this.#server === undefined) this.#willSave = true;
    this.#withServer((server) => server.stop(true));
  }

  #withServer(act: (server: SignalledServer) => unknown): void {
    if (this.#server === undefined) this.#onStarted.push(act);
    else act(this.#server);
  }
}

function onSignal(signal: Deno.Signal, act: () => void): void {
  if (Deno.build.os === "windows" && !WINDOWS_SIGNALS.includes(signal)) return;
  Deno.addSignalListener(signal, act);
}
