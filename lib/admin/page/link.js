// The stream of events, opened again and again: a server that was started anew is found by itself,
// and a connection that is dead without saying so is given up.

/** @typedef {import("./stats_event.js").Stats} Stats */

/**
 * A line of the server's log.
 * @typedef {object} LogLine
 * @property {string} level
 * @property {string} text
 * @property {number} at Unix time in milliseconds.
 */

/**
 * `live` while events come; `lost` when none does; `refused` when the server will not have us.
 * @typedef {"connecting" | "live" | "lost" | "refused"} LinkState
 */

/**
 * @typedef {object} Listener
 * @property {(stats: Stats, at: number) => void} stats `at` is Unix time in seconds.
 * @property {(line: LogLine) => void} log
 * @property {(message: string) => void} problem
 * @property {(state: LinkState) => void} state
 */

/** Between two tries, in milliseconds. */
const RETRY_MS = 2000;
/** Silence after which the stream is lost, in milliseconds; the server may wait for locks. */
const SILENT_MS = 6000;
/** Silence after which it is opened anew. */
const DEAD_MS = 12_000;

/** The page's link to the server. */
export class Link {
  #url;
  #listener;
  #heardAt = performance.now();
  #state = /** @type {LinkState} */ ("connecting");
  #source = /** @type {EventSource | undefined} */ (undefined);

  /**
   * @param {string} url
   * @param {Listener} listener
   */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
    this.#open();
    setInterval(() => this.#watch(), 1000);
  }

  #open() {
    this.#source?.close();
    this.#heardAt = performance.now();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener("stats", ({ data, lastEventId }) => {
      this.#hear();
      this.#listener.stats(JSON.parse(data), Number(lastEventId) / 1000);
    });
    source.addEventListener("log", ({ data }) => {
      this.#hear();
      this.#listener.log(JSON.parse(data));
    });
    source.addEventListener("problem", ({ data }) => {
      this.#hear();
      this.#listener.problem(JSON.parse(data).message);
    });
    source.addEventListener("error", () => {
      const isRefused = source.readyState === EventSource.CLOSED;
      source.close();
      this.#become(isRefused ? "refused" : "lost");
      setTimeout(() => this.#open(), RETRY_MS);
    });
  }

  #hear() {
    this.#heardAt = performance.now();
    this.#become("live");
  }

  /** A machine that slept, or a cable that was pulled, ends no stream. */
  #watch() {
    const silentMs = performance.now() - this.#heardAt;
    if (this.#source?.readyState === EventSource.CLOSED) return; // Tried again by the timer.
    if (silentMs > SILENT_MS) this.#become("lost");
    if (silentMs > DEAD_MS) this.#open();
  }

  /** @param {LinkState} state */
  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.state(state);
  }
}
