// The name of the key by which this worker makes session tickets. The runtime does not expose it,
// and changes the key after some hours, so the worker finds it out again once a minute.

import type { Certificates } from "./tls_context.ts";
import { issuedTicketName } from "./tls_messages.ts";
import { openContext, TlsSession } from "./tls_session.ts";
import { openWrap, WrapKind } from "./tls_wrap.ts";

/** How long a name is taken to be current, in milliseconds. */
const NAME_MS_MAX = 60_000;

/** Publishes the name of this thread's ticket key. */
export class TicketKey {
  readonly #certificates: Certificates;
  readonly #publish: (name: Uint8Array) => void;
  #nextAt = 0;

  /**
   * @param certificates Any that can be used: the key belongs to the thread.
   * @param publish Takes the name.
   */
  constructor(certificates: Certificates, publish: (name: Uint8Array) => void) {
    this.#certificates = certificates;
    this.#publish = publish;
  }

  /** Publishes the name if the last time is longer ago than a minute; call it often. */
  refresh(): void {
    if (performance.now() < this.#nextAt) return;
    this.#nextAt = performance.now() + NAME_MS_MAX;
    const name = ownTicketName(this.#certificates);
    if (name !== undefined) this.#publish(name);
  }
}

/** More exchanges than a handshake of TLS 1.2 takes. */
const HANDSHAKE_TURNS = 6;

/**
 * The name of the key by which this thread makes tickets, read from a ticket that it makes for a
 * client in the same thread: about 2 ms. All contexts of a thread share the key, which changes
 * every six hours.
 * Source: rustls, TicketRotator; deno ext/node/ops/tls.rs, server_ticketer.
 *
 * @returns undefined where no ticket was made.
 */
export function ownTicketName(certificates: Certificates): Uint8Array | undefined {
  const context = openContext(certificates, 2, "none");
  const server = context === undefined ? undefined : TlsSession.open(context);
  const client = openWrap(WrapKind.CLIENT);
  if (client === undefined || server === undefined) return undefined;
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
