// /api/events: the statistics once a second and the log, as server-sent events.
//
//   id: 1795559125042         when it was read, Unix time in milliseconds
//   event: stats              or `log`, or `problem` where the statistics could not be read
//   data: {"general":{…       one line of JSON
//
// Everything is made once, however many clients there are, and nothing while there is none. A
// client that does not read misses events once its queue is full: the server does not wait for it.
// Source: HTML Standard, 9.2 Server-sent events.

/** Clients at a time. */
const CLIENTS_MAX = 32;

/** Between two readings, in milliseconds. */
const PERIOD_MS = 1000;

/** What a client that lost its stream waits before it asks again, in milliseconds. */
const RETRY_MS = 2000;

/** Events that wait for one client. */
const QUEUE_MAX = 16;

/** Of those, readings: an old one is of no use. */
const READINGS_QUEUED_MAX = 2;

/** Longest text of a line of the log, in characters. */
const LINE_LENGTH_MAX = 1000;

const ENCODER = new TextEncoder();

/** The statistics at a moment, or why they could not be read. */
export interface Reading {
  readonly event: "stats" | "problem";
  /** JSON. */
  readonly data: string;
}

/** A line of the log. */
export interface LogLine {
  readonly level: string;
  readonly text: string;
  /** When it was written, Unix time in milliseconds. */
  readonly at: number;
}

/** Clock and timer of the stream; tests replace it. */
export interface Timer {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `act` after `ms` milliseconds; what it returns calls that off. */
  after(ms: number, act: () => void): () => void;
}

/** Time as it is. */
const REAL_TIMER: Timer = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  after: (ms, act) => {
    const id = setTimeout(act, ms);
    return () => clearTimeout(id);
  },
};

type Client = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** All clients of `/api/events`. */
export class EventStream {
  readonly #read: () => Reading;
  readonly #timer: Timer;
  readonly #clients = new Set<Client>();
  #last = new Uint8Array();
  #lastAt = -Infinity;
  #callOff = () => {};
  #isClosed = false;

  /** @param read Reads the statistics. It must not throw. */
  constructor(read: () => Reading, timer: Timer = REAL_TIMER) {
    this.#read = read;
    this.#timer = timer;
  }

  /** How many clients there are. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Takes one more client, until its connection ends.
   *
   * @returns The body of the answer; undefined when there are too many, or the server stops.
   */
  open(): ReadableStream<Uint8Array<ArrayBuffer>> | undefined {
    if (this.#isClosed || this.#clients.size >= CLIENTS_MAX) return undefined;
    let forget = () => {};
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (client) => {
        forget = () => this.#forget(client);
        this.#welcome(client);
      },
      cancel: () => forget(),
    }, { highWaterMark: QUEUE_MAX });
  }

  /** Sends a line of the log to all clients. */
  tell(line: LogLine): void {
    if (this.#clients.size === 0) return;
    const text = line.text.slice(0, LINE_LENGTH_MAX);
    const bytes = encode("log", JSON.stringify({ ...line, text }), this.#timer.now());
    for (const client of this.#clients) {
      if ((client.desiredSize ?? 0) > 0) client.enqueue(bytes);
    }
  }

  /** Ends all streams, and refuses new ones. */
  close(): void {
    this.#isClosed = true;
    this.#callOff();
    for (const client of this.#clients) client.close();
    this.#clients.clear();
  }

  /** The first event of a client: the reading that the others have, if it is not too old. */
  #welcome(client: Client): void {
    client.enqueue(ENCODER.encode(`retry: ${RETRY_MS}\n\n`));
    const isFirst = this.#clients.size === 0;
    this.#clients.add(client);
    const age = this.#timer.now() - this.#lastAt;
    if (age < PERIOD_MS) client.enqueue(this.#last);
    if (!isFirst) return;
    if (age < PERIOD_MS) this.#readAfter(PERIOD_MS - age);
    else this.#tick();
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#callOff();
  }

  #readAfter(ms: number): void {
    this.#callOff = this.#timer.after(ms, () => this.#tick());
  }

  /** Reads, shows it to all, and sees to the next time. */
  #tick(): void {
    const started = this.#timer.now();
    const { event, data } = this.#read();
    this.#last = encode(event, data, started);
    this.#lastAt = started;
    for (const client of this.#clients) {
      const room = client.desiredSize ?? 0;
      if (room > QUEUE_MAX - READINGS_QUEUED_MAX) client.enqueue(this.#last);
    }
    // A reading that had to wait for a lock is followed by a rest, for the thread's other work.
    const tookMs = this.#timer.now() - started;
    this.#readAfter(tookMs < PERIOD_MS ? PERIOD_MS - tookMs : PERIOD_MS);
  }
}

/** One event; `data` is a single line. */
function encode(event: string, data: string, id: number): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
}
