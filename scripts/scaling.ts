// The tables of docs/scaling.md: what a ring of 160 points a node does to keys, and the arithmetic
// of many nodes. Rings are computed, not estimated; gen_docs.ts puts the tables into the page.

import { ITEM } from "../lib/store/item/item.ts";
import { PAGE_BYTES, SlabClasses } from "../lib/store/slab/classes.ts";
import { KETAMA, pointsPerNode, Ring } from "../tests/many/ring.ts";

/** A table: its head, then its rows. */
export type Table = readonly (readonly string[])[];

/** Numbers of nodes in the tables. */
const NODES = [4, 20, 100, 1000] as const;

/** Nodes of all rings of one size together: so many are looked at. */
const NODES_LOOKED_AT = 1000;

/** Bytes of a point in twemproxy and libmemcached: its place and its node. */
const POINT_BYTES = 8;

/** The part of gets that find something, in examples. */
const HIT_RATIO = 0.95;

/** The part of replies that count as slow, in examples. */
const SLOW = 0.01;

const HOURS_PER_YEAR = 365 * 24;

/** The tables by the names that docs/scaling.md marks their places with. */
export const TABLES: Readonly<Record<string, () => Table>> = {
  items: itemsTable,
  ring: ringTable,
  loss: lossTable,
  rounding: roundingTable,
  fanout: fanoutTable,
  connections: connectionsTable,
  failures: failuresTable,
};

/**
 * The contents of the blocks of docs/scaling.md.
 *
 * @param markdown Makes a table of a head and rows.
 */
export function scalingBlocks(
  markdown: (head: readonly string[], rows: Table) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(TABLES).map(([name, make]) => {
      const [head = [], ...rows] = make();
      return [name, markdown(head, rows)];
    }),
  );
}

/** Addresses as machines have them, others for each ring. */
function addresses(nodes: number, ring: number): string[] {
  return Array.from(
    { length: nodes },
    (_, at) => `10.${ring}.${Math.floor(at / 250)}.${1 + at % 250}`,
  );
}

/** Classes of a server without options. */
const CLASSES = new SlabClasses({
  factor: 1.25,
  chunkSize: 48,
  slabChunkMax: PAGE_BYTES / 2,
  slabSizes: [],
  maxbytes: 64 * PAGE_BYTES,
});
const KEY_BYTES = 30;
const CAS_BYTES = 8;
const CRLF_BYTES = 2;

function itemsTable(): Table {
  const rows = [10, 100, 500, 1000, 5000, 20_000, 100_000].map((valueBytes) => {
    const bytes = ITEM.bytes + CAS_BYTES + KEY_BYTES + valueBytes + CRLF_BYTES;
    const clsid = CLASSES.fit(bytes);
    const chunk = CLASSES.chunkBytes[clsid]!;
    return [
      valueBytes,
      bytes,
      chunk,
      chunk - KEY_BYTES - valueBytes,
      CLASSES.perPage[clsid]! * 1024,
    ]
      .map(whole);
  });
  return [["value bytes", "item", "chunk", "more than key and value", "items in 1 GiB"], ...rows];
}

const ringsBySize = new Map<number, readonly Ring[]>();

/** Rings of `nodes` nodes, with enough nodes together to be typical; made once. */
function ringsOf(nodes: number): readonly Ring[] {
  const made = ringsBySize.get(nodes);
  if (made !== undefined) return made;
  const rings = Array.from(
    { length: NODES_LOOKED_AT / nodes },
    (_, at) => new Ring(addresses(nodes, at), KETAMA),
  );
  ringsBySize.set(nodes, rings);
  return rings;
}

/** How the shares of nodes differ, each share in units of the mean. */
export interface Spread {
  readonly deviation: number;
  readonly smallest: number;
  readonly largest: number;
  /** The largest share of a ring, the mean over the rings. */
  readonly largestMean: number;
}

/** How uneven the rings of `nodes` nodes are. */
export function spreadOf(rings: readonly Ring[]): Spread {
  const scaled = rings.map((ring) => ring.shares().map((share) => share * ring.names.length));
  const all = scaled.flat();
  const squares = all.reduce((sum, share) => sum + (share - 1) ** 2, 0);
  const maxima = scaled.map((shares) => Math.max(...shares));
  return {
    deviation: Math.sqrt(squares / all.length),
    smallest: Math.min(...all),
    largest: Math.max(...all),
    largestMean: maxima.reduce((sum, share) => sum + share, 0) / maxima.length,
  };
}

function ringTable(): Table {
  const head = [
    "nodes",
    "rings",
    "points",
    "bytes",
    "deviation",
    "smallest",
    "largest",
    "largest of a ring",
  ];
  return [
    head,
    ...NODES.map((nodes) => {
      const rings = ringsOf(nodes);
      const { deviation, smallest, largest, largestMean } = spreadOf(rings);
      const points = rings[0]!.size;
      return [
        whole(nodes),
        whole(rings.length),
        whole(points),
        whole(points * POINT_BYTES),
        percent(deviation, 1),
        smallest.toFixed(2),
        largest.toFixed(2),
        largestMean.toFixed(2),
      ];
    }),
  ];
}

/** What the death of the first node of a ring does. */
export interface Loss {
  /** The part of keys that was the dead node's. */
  readonly lost: number;
  /** The part of keys that moves from one living node to another. */
  readonly moved: number;
  /** How many nodes take over something. */
  readonly heirs: number;
  /** The largest part of the dead node's keys that one node takes over. */
  readonly largestHeir: number;
}

/** The death of the first node of `ring`. */
export function lossOf(ring: Ring): Loss {
  const [dead, ...living] = ring.names;
  const inherited = new Map<string, number>();
  let [lost, moved] = [0, 0];
  ring.compare(new Ring(living, KETAMA), (share, before, after) => {
    if (before === dead) {
      lost += share;
      inherited.set(after, (inherited.get(after) ?? 0) + share);
    } else if (before !== after) moved += share;
  });
  const largestHeir = Math.max(...inherited.values()) / lost;
  return { lost, moved, heirs: inherited.size, largestHeir };
}

function lossTable(): Table {
  const head = [
    "nodes",
    "lost on average",
    "worst node",
    "heirs",
    "largest heir's part",
    "moved besides",
    `database load at ${percent(HIT_RATIO, 0)} hits`,
  ];
  return [
    head,
    ...NODES.map((nodes) => {
      const rings = ringsOf(nodes);
      const losses = rings.map(lossOf);
      const mean = (pick: (loss: Loss) => number): number =>
        losses.reduce((sum, loss) => sum + pick(loss), 0) / losses.length;
      return [
        whole(nodes),
        percent(1 / nodes, 2),
        percent(spreadOf(rings).largest / nodes, 2),
        mean(({ heirs }) => heirs).toFixed(0),
        percent(mean(({ largestHeir }) => largestHeir), 1),
        percent(mean(({ moved }) => moved), 2),
        `× ${(1 + HIT_RATIO / (1 - HIT_RATIO) / nodes).toFixed(2)}`,
      ];
    }),
  ];
}

function roundingTable(): Table {
  const lacking = Array.from({ length: 1000 }, (_, at) => at + 1)
    .filter((live) => pointsPerNode(live) !== pointsPerNode(1));
  const rings = [24, 25, 26, 99, 100, 101].map((nodes) => {
    const ring = new Ring(addresses(nodes, 0), KETAMA);
    const { lost, moved } = lossOf(ring);
    const points = `${pointsPerNode(nodes)} to ${pointsPerNode(nodes - 1)}`;
    return [`${nodes} to ${nodes - 1}`, points, percent(lost, 2), percent(moved, 2)];
  });
  const few = lacking.slice(0, 8).join(", ");
  return [
    ["living nodes", "points of each", "lost with the dead node", "moved between living ones"],
    ...rings,
    [`${lacking.length} of 1 to 1000: ${few} …`, String(pointsPerNode(lacking[0]!)), "", ""],
  ];
}

/** How many of `nodes` nodes a get of `keys` keys asks, on average. */
export function nodesAsked(keys: number, nodes: number): number {
  return nodes * (1 - (1 - 1 / nodes) ** keys);
}

function fanoutTable(): Table {
  const rows = [10, 50, 100].flatMap((keys) =>
    NODES.map((nodes) => {
      const asked = nodesAsked(keys, nodes);
      return [
        whole(keys),
        whole(nodes),
        asked.toFixed(1),
        percent(asked / nodes, 0),
        percent(1 - (1 - SLOW) ** asked, 0),
        percent(1 - (1 - SLOW) ** (1 / asked), 3),
      ];
    })
  );
  const head = [
    "keys",
    "nodes",
    "nodes asked",
    "of all such gets a node sees",
    `slow when ${percent(SLOW, 0)} of replies are`,
    `replies slow, that ${percent(SLOW, 0)} of gets are`,
  ];
  return [head, ...rows];
}

function connectionsTable(): Table {
  const cases = [[20, 4, 2, 4], [100, 8, 2, 20], [1000, 8, 2, 100], [1000, 16, 10, 1000]] as const;
  const rows = cases.map(([machines, processes, pool, nodes]) => {
    const each = machines * processes * pool;
    return [machines, processes, pool, nodes, each, each * nodes, machines, machines * nodes]
      .map(whole);
  });
  const head = [
    "machines",
    "processes of each",
    "pool",
    "nodes",
    "at a node",
    "in all",
    "at a node, proxies",
    "in all, proxies",
  ];
  return [head, ...rows];
}

function failuresTable(): Table {
  const minutes = [0.5, 10, 24 * 60] as const;
  const head = [
    "nodes",
    "deaths a year",
    "a death every",
    ...["30 s", "10 min", "a day"].map((time) => `down on average, back after ${time}`),
    "some node is down, back after 10 min",
  ];
  return [
    head,
    ...NODES.map((nodes) => {
      const down = minutes.map((time) => time / 60 / HOURS_PER_YEAR);
      return [
        whole(nodes),
        whole(nodes),
        duration(HOURS_PER_YEAR / nodes),
        ...down.map((part) => (nodes * part).toPrecision(2)),
        percent(1 - (1 - down[1]!) ** nodes, 2),
      ];
    }),
  ];
}

function duration(hours: number): string {
  return hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
}

function percent(part: number, digits: number): string {
  return `${(100 * part).toFixed(digits)} %`;
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}
