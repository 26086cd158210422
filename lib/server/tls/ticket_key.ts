// The key by which this worker makes tickets, as far as others must know it: its name, which
// changes by itself and is therefore asked for now and then.

import { type Certificates, ownTicketName } from "./tls_wrap.ts";

/** How long a name is believed, in milliseconds. */
const NAME_MS_MAX = 60_000;

/** Tells the name of the key. */
export class TicketKey {
  readonly #certificates: Certificates;
  readonly #tell: (name: Uint8Array) => void;
  #nextAt = 0;

  /** @param certificates Any that can be used: the key is that of the thread. */
  constructor(certificates: Certificates, tell: (name: Uint8Array) => void) {
    this.#certificates = certificates;
    this.#tell = tell;
  }

  /** To be called often: asks for the name and tells it, if that is long ago. */
  look(): void {
    if (performance.now() < this.#nextAt) return;
    this.#nextAt = performance.now() + NAME_MS_MAX;
    const name = ownTicketName(this.#certificates);
    if (name !== undefined) this.#tell(name);
  }
}
