// Where connections come in: the sockets and the acceptor, by either transport.

import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { closeListeners, type ListeningConn, openListeners } from "./listen.ts";
import { planListeners } from "./listen_plan.ts";
import { closeUdpSockets, openUdpSockets, type UdpSocket } from "./listen_udp.ts";
import type { Listening } from "./notify.ts";
import { assumeUser } from "./privileges.ts";
import {
  type AcceptorHandle,
  startAcceptor,
  startRelayAcceptor,
  type ThreadHandle,
  type WorkerCommon,
  type WorkerHandle,
} from "./threads.ts";
import type { Certificates } from "./tls_wrap.ts";

/** Where connections come in. */
export interface Front {
  readonly listening: readonly Listening[];
  readonly udp: readonly UdpSocket[];
  readonly acceptor: AcceptorHandle;
}

/** A front whose threads are still to be started. */
export interface OpenFront {
  /** By listener, likewise. */
  readonly families: WorkerCommon["families"];
  /** By listener, as the workers are told of them. */
  readonly manners: WorkerCommon["manners"];
  readonly certificates: WorkerCommon["certificates"];
  readonly udp: readonly UdpSocket[];
  /** @throws {SettingsError} When an address cannot be bound. */
  start(common: WorkerCommon, workers: readonly WorkerHandle[]): Promise<Front>;
  /** Lets go of the sockets; no thread may be using them. */
  close(): void;
}

/**
 * Opens every socket that the settings ask for, and becomes the user that they name.
 *
 * @throws {SettingsError} When an address cannot be bound.
 */
export function openFront(settings: Settings): Promise<OpenFront> {
  return settings.transport === "relay" ? openRelay(settings) : openNative(settings);
}

/** Binds on this thread; the acceptor gets descriptors. */
async function openNative(settings: Settings): Promise<OpenFront> {
  const certificates = await firstCertificates(settings); // As root still, if it is root.
  using undo = new DisposableStack();
  const listening = undo.adopt(await openListeners(settings), closeListeners);
  const udp = undo.adopt(await openUdpSockets(settings), closeUdpSockets);
  assumeUser(settings.user, ownSockets(listening));
  const opened = undo.move();
  return {
    families: listening.map(({ address: { family } }) => family),
    manners: listening.map(({ manner }) => manner),
    certificates,
    udp,
    start(common, workers) {
      return Promise.resolve({
        listening,
        udp,
        acceptor: startAcceptor(listening, common, workers),
      });
    },
    close: () => opened.dispose(),
  };
}

/** The paths of the Unix sockets that were made here. */
function ownSockets(listening: readonly ListeningConn[]): string[] {
  return listening.flatMap(({ listener, address }) =>
    listener !== undefined && address.family === "unix" ? [address.path] : []
  );
}

/** The acceptor binds, since a listener cannot be handed to another thread. */
async function openRelay(settings: Settings): Promise<OpenFront> {
  const certificates = await firstCertificates(settings); // As root still, if it is root.
  const plans = await planListeners(settings);
  return {
    families: plans.map(({ at }) => "path" in at ? "unix" : "tcp"),
    manners: plans.map(({ manner }) => manner),
    certificates,
    udp: [],
    async start(common, workers) {
      const acceptor = startRelayAcceptor(common, plans, workers);
      const listening = await listeningOf(acceptor.thread);
      assumeUser(settings.user, plans.flatMap(({ at }) => "path" in at ? [at.path] : []));
      return { listening, udp: [], acceptor };
    },
    close: () => {}, // The acceptor has them.
  };
}

/** @throws {SettingsError} When this runtime's TLS cannot be used, or a file cannot. */
async function firstCertificates(settings: Settings): Promise<Certificates | undefined> {
  if (!settings.tls) return undefined;
  const { loadCertificates, tlsObstacle } = await import("./certificates.ts");
  const obstacle = tlsObstacle();
  if (obstacle !== undefined) throw cannotUseTls(obstacle, ExitCode.OS_ERROR);
  const loaded = loadCertificates(settings);
  if (loaded.certificates === undefined) throw cannotUseTls(loaded.reason, ExitCode.USAGE);
  return loaded.certificates;
}

function cannotUseTls(reason: string, exitCode: ExitCode): SettingsError {
  return new SettingsError(`Cannot use TLS: ${reason}`, exitCode);
}

/** Waits until the relay acceptor listens. */
function listeningOf(acceptor: ThreadHandle): Promise<readonly Listening[]> {
  return new Promise((resolve, reject) => {
    acceptor.onWish((wish) => {
      if (wish.type === "listening") resolve(wish.listening);
      else if (wish.type === "unusable") {
        reject(new SettingsError(wish.message, wish.exitCode));
      }
    });
    void acceptor.died.then((reason) => reject(new Error(reason)));
  });
}
