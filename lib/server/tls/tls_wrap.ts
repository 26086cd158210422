// TLSWrap, the class behind `TLSSocket._handle` of node:tls: TLS without a socket.
//
// It is not documented. canDriveTls() checks for its methods before the server starts, and the
// version of Deno is pinned; docs/decisions/0015-tls.md says why memden uses it all the same.
//
// TLSWrap's native memory is freed when V8 collects its object. V8 does not know how large that
// memory is, and would not collect for tens of thousands of connections. So this file asks for a
// collection after every COLLECT_AFTER sessions.

import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The part of TLSWrap that memden uses. */
export interface Wrap {
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

/** The part of a peer's certificate that memden uses. */
export interface PeerCertificate {
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

/** What {@linkcode openWrap} opens. */
export const WrapKind = { CLIENT: 0, SERVER: 1 } as const;
/** What {@linkcode openWrap} opens. */
export type WrapKind = typeof WrapKind[keyof typeof WrapKind];

/** A request object for calls whose completion nobody waits for. */
export const REQUEST = { oncomplete: () => {} };
/** Ended sessions after which V8 collects: 9 KB each. */
const COLLECT_AFTER = 512;

const wrapClass = findWrapClass();
const collect = wrapClass === undefined ? undefined : findCollect();
let endedSessions = 0;

/** Whether this runtime's TLS can be driven from here. */
export function canDriveTls(): boolean {
  return wrapClass !== undefined && collect !== undefined;
}

/** @returns undefined where this runtime's TLS cannot be driven. */
export function openWrap(kind: WrapKind): Wrap | undefined {
  return wrapClass === undefined ? undefined : new wrapClass(kind, 0);
}

/** Counts a session that has ended, and collects garbage after every {@linkcode COLLECT_AFTER}. */
export function noteSessionEnd(): void {
  endedSessions++;
  if (endedSessions < COLLECT_AFTER) return;
  endedSessions = 0;
  collect?.();
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
