// What `stats` shows, as rows: for whoever tells it in another form than the protocols do.

/** One line of `stats`: its name, and its value as text. */
export type StatRow = readonly [name: string, value: string];

/** How many connections there are. */
export interface ConnSummary {
  /** Sockets that accept. */
  readonly listening: number;
  /** Connections of clients. */
  readonly open: number;
  /** Those, by the state that `stats conns` shows. */
  readonly states: Readonly<Record<string, number>>;
}

/** The statistics of a running server, read anew at each call. */
export interface StatsView {
  /** Whether clients are taken: not while the server is full or stops. */
  isReady(): boolean;
  /** The lines of `stats`. */
  general(): readonly StatRow[];
  /** The lines of `stats settings`. */
  settings(): readonly StatRow[];
  /** The lines of `stats items`, named `items:<class>:<name>`. */
  items(): readonly StatRow[];
  /** The lines of `stats slabs`, named `<class>:<name>`, and the totals. */
  slabs(): readonly StatRow[];
  /** What `stats conns` shows, counted. */
  conns(): ConnSummary;
}
