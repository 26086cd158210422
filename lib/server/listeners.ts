// Where connections come in: the sockets and the acceptor, by either transport.

import type { Log } from "../base/operator_log.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import {
  closeListeners,
  type ListeningConn,
  openListeners,
  startListening,
} from "./listen/bind_sockets.ts";
import { closeUdpSockets, openUdpSockets, type UdpSocket } from "./listen/listen_udp.ts";
import type { Listening } from "./channel/notify.ts";
import { assumeUser } from "./process/privileges.ts";
import { planRelayListeners, reserve } from "./relay/relay_listen.ts";
import {
  type AcceptorHandle,
  startAcceptor,
  startRelayAcceptor,
  type ThreadHandle,
  type WorkerCommon,
  type WorkerHandle,
} from "./thread/threads.ts";
import type { Certificates } from "./tls/tls_context.ts";

/** Takes a line for the operator. */
type Warn = (line: string) => void;

/** The acceptor and what it listens on. */
export interface Listeners {
  readonly acceptor: AcceptorHandle;
  readonly udp: readonly UdpSocket[];
  /** Where it listens: with the relay transport not known before it does. */
  readonly listening: readonly Listening[];
  /**
   * Lets clients in, once all threads have started.
   *
   * @param announce Called when they can connect and it is known where, and before the first of
   * them gets a reply: whoever reads of the server can connect to it, and whoever is answered by it
   * can read of it.
   * @throws {SettingsError} When an address cannot be had after all.
   */
  open(announce: () => void): Promise<void>;
}

/** The bound sockets of a server whose threads have not been started yet. */
export interface BoundListeners {
  /** By listener: what kind of address it has. */
  readonly families: WorkerCommon["families"];
  /** By listener: how its connections are served. */
  readonly listenerOptions: WorkerCommon["listenerOptions"];
  readonly certificates: WorkerCommon["certificates"];
  readonly udp: readonly UdpSocket[];
  /** Starts the acceptor. */
  start(common: WorkerCommon, workers: readonly WorkerHandle[]): Listeners;
  /** Lets go of the sockets; no thread may be using them. */
  close(): void;
}

/**
 * Binds every socket that the settings ask for, and becomes the user that they name. No client can
 * connect yet, but to sockets of systemd.
 *
 * @throws {SettingsError} When an address cannot be bound.
 */
export function bindListeners(settings: Settings, log: Log): Promise<BoundListeners> {
  const warn = (line: string): void => log.warn(line);
  return settings.transport === "relay" ? bindRelay(settings, warn) : bindNative(settings, warn);
}

/** Binds on this thread; the acceptor gets descriptors. */
async function bindNative(settings: Settings, warn: Warn): Promise<BoundListeners> {
  const certificates = await firstCertificates(settings); // As root still, if it is root.
  using undo = new DisposableStack();
  const listening = undo.adopt(await openListeners(settings, warn), closeListeners);
  const udp = undo.adopt(await openUdpSockets(settings, warn), closeUdpSockets);
  assumeUser(settings.user, ownSockets(listening));
  const opened = undo.move();
  return {
    families: listening.map(({ address: { family } }) => family),
    listenerOptions: listening.map(({ options }) => options),
    certificates,
    udp,
    start(common, workers) {
      const acceptor = startAcceptor(listening, common, workers);
      const open = (announce: () => void): Promise<void> => {
        startListening(listening, settings.backlog);
        announce();
        acceptor.notify.post({ type: "o" });
        return Promise.resolve();
      };
      return { acceptor, udp, listening, open };
    },
    close: () => opened.dispose(),
  };
}

/** The paths of the Unix sockets that were made here. */
function ownSockets(listening: readonly ListeningConn[]): string[] {
  return listening.flatMap(({ file }) => file === undefined ? [] : [file.path]);
}

/**
 * The acceptor listens, since a listener cannot be handed to another thread; until then the
 * addresses are held, as far as they can be.
 */
async function bindRelay(settings: Settings, warn: Warn): Promise<BoundListeners> {
  const certificates = await firstCertificates(settings); // As root still, if it is root.
  const { plans, release } = reserve(await planRelayListeners(settings, warn));
  let isHeld = true;
  const close = (): void => {
    if (isHeld) release();
    isHeld = false;
  };
  return {
    families: plans.map(({ at }) => "path" in at ? "unix" : "tcp"),
    listenerOptions: plans.map(({ options }) => options),
    certificates,
    udp: [],
    start(common, workers) {
      const acceptor = startRelayAcceptor(common, plans, workers);
      const listening: Listening[] = [];
      const open = async (announce: () => void): Promise<void> => {
        acceptor.notify.post({ type: "b" });
        listening.push(...await listeningOf(acceptor.thread));
        close();
        assumeUser(settings.user, plans.flatMap(({ at }) => "path" in at ? [at.path] : []));
        announce();
        acceptor.notify.post({ type: "o" });
      };
      return { acceptor, udp: [], listening, open };
    },
    close,
  };
}

/** @throws {SettingsError} When this runtime's TLS cannot be used, or a file cannot. */
async function firstCertificates(settings: Settings): Promise<Certificates | undefined> {
  if (!settings.tls) return undefined;
  const { loadCertificates, tlsObstacle } = await import("./tls/certificates.ts");
  const obstacle = tlsObstacle();
  if (obstacle !== undefined) throw cannotUseTls(obstacle, ExitCode.OS_ERROR);
  const loaded = loadCertificates(settings);
  if (loaded.certificates === undefined) throw cannotUseTls(loaded.reason, ExitCode.USAGE);
  return loaded.certificates;
}

function cannotUseTls(reason: string, exitCode: ExitCode): SettingsError {
  return new SettingsError(`Cannot use TLS: ${reason}`, exitCode);
}

/**
 * Waits until the relay acceptor listens; for ever when it dies or stops.
 *
 * @throws {SettingsError} When it cannot listen.
 */
function listeningOf(acceptor: ThreadHandle): Promise<readonly Listening[]> {
  return new Promise((resolve, reject) => {
    acceptor.onRequest((request) => {
      if (request.type === "listening") resolve(request.listening);
      else if (request.type === "unusable") {
        reject(new SettingsError(request.message, request.exitCode));
      }
    });
  });
}
