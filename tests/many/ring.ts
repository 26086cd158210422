// Consistent hashing as proxies and clients have it, written anew from their rules: which node a
// key belongs to, and what changes when a node goes.
//
//   ring:  point ── point ── point ── …      160 for each node, at md5("host:port-0"), …
//   key:   hash(key) ──▶ the first point at or behind it ──▶ that point's node
//
// Source: twemproxy nc_ketama.c; libmemcached hosts.cc and hash.cc; npm hashring index.js.

import { createHash } from "node:crypto";

/** Points of a node of ordinary weight, and how many of them one MD5 gives. */
export const POINTS_PER_NODE = 160;
const POINTS_PER_DIGEST = 4;

/** The port that is left out of a node's name. */
const DEFAULT_PORT = 11211;

/** The number of values that a hash has. */
export const HASH_SPACE = 2 ** 32;

/** Nodes that a ring may have here. */
const NODES_MAX = 2 ** 20;

/** How one program makes its ring. */
export interface RingRules {
  /** The points of the node `name` while `live` nodes are in the ring. */
  readonly points: (name: string, live: number) => readonly number[];
  /** The place of a key. */
  readonly hash: (key: string) => number;
}

/** The four bytes at `at`, the lowest first, as MD5's users have it. */
function wordAt(digest: Uint8Array, at: number): number {
  return new DataView(digest.buffer, digest.byteOffset).getUint32(at, true);
}

/** The first four bytes of the key's MD5: twemproxy's `md5`, libmemcached's and hashring's. */
export function hashMd5(key: string): number {
  return wordAt(createHash("md5").update(key).digest(), 0);
}

/**
 * twemproxy's `fnv1a_64`: the low half of it, and bytes above 127 count as negative.
 */
export function hashFnv1a64(key: string): number {
  let hash = 0x84222325;
  for (const byte of new TextEncoder().encode(key)) {
    hash = Math.imul(hash ^ (byte << 24 >> 24), 0x1b3);
  }
  return hash >>> 0;
}

/** Jenkins's one at a time: libmemcached's default. */
export function hashOneAtATime(key: string): number {
  let hash = 0;
  for (const byte of new TextEncoder().encode(key)) {
    hash = (hash + (byte << 24 >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return ((hash + (hash << 15)) | 0) >>> 0;
}

/**
 * Points of each node while `live` of the same weight are in the ring.
 *
 * twemproxy and libmemcached multiply 1/live by live again in single precision: for some numbers of
 * nodes the product is a little less than 160, and four points fewer are made.
 */
export function pointsPerNode(live: number): number {
  const { fround } = Math;
  const digests = fround(fround(fround(fround(1 / live) * POINTS_PER_NODE) / 4) * live);
  return Math.floor(fround(digests + 1e-10)) * POINTS_PER_DIGEST;
}

/** The same in double precision, with other numbers of nodes: npm's hashring. */
function pointsInDouble(live: number): number {
  return Math.floor(1 / live * (POINTS_PER_NODE / 4) * live) * POINTS_PER_DIGEST;
}

function md5Points(name: string, count: number): number[] {
  return Array.from({ length: count / POINTS_PER_DIGEST }, (_, at) => {
    const digest = createHash("md5").update(`${name}-${at}`).digest();
    return [0, 4, 8, 12].map((from) => wordAt(digest, from));
  }).flat();
}

/** twemproxy with `hash: md5`, and libmemcached with `ketama_weighted`: the same ring. */
export const KETAMA: RingRules = {
  points: (name, live) => md5Points(name, pointsPerNode(live)),
  hash: hashMd5,
};

/** twemproxy with its default hash. */
export const KETAMA_FNV1A_64: RingRules = { ...KETAMA, hash: hashFnv1a64 };

/** npm's hashring, which npm's memcached uses. */
export const HASHRING: RingRules = {
  points: (name, live) => md5Points(name, pointsInDouble(live)),
  hash: hashMd5,
};

/** libmemcached with plain `ketama`: a hundred points of its default hash, whatever the weight. */
export const LIBMEMCACHED_PLAIN: RingRules = {
  points: (name) => Array.from({ length: 100 }, (_, at) => hashOneAtATime(`${name}-${at}`)),
  hash: hashOneAtATime,
};

/** A node's name in the ring. */
export function nodeName(host: string, port: number): string {
  return port === DEFAULT_PORT ? host : `${host}:${port}`;
}

/** The ring of some nodes. */
export class Ring {
  readonly names: readonly string[];
  readonly #hash: (key: string) => number;
  /** Points in order, and the index of each one's node. */
  readonly #points: Float64Array;
  readonly #owners: Uint32Array;

  constructor(names: readonly string[], rules: RingRules) {
    this.names = names;
    this.#hash = rules.hash;
    // Point and index in one number, so that they are sorted as numbers are.
    const both = Float64Array.from(
      names.flatMap((name, index) =>
        rules.points(name, names.length).map((point) => point * NODES_MAX + index)
      ),
    ).sort();
    this.#points = both.map((value) => Math.floor(value / NODES_MAX));
    this.#owners = Uint32Array.from(both, (value) => value % NODES_MAX);
  }

  /** How many points there are. */
  get size(): number {
    return this.#points.length;
  }

  /** The name of the node that `key` belongs to. */
  ownerOf(key: string): string {
    return this.ownerAt(this.#hash(key));
  }

  /** The name of the node that keys with this hash belong to. */
  ownerAt(hash: number): string {
    return this.names[this.#owners[this.#find(hash)]!]!;
  }

  /** The index of the first point at or behind `hash`; after the last one comes the first. */
  #find(hash: number): number {
    let [from, to] = [0, this.#points.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#points[middle]! < hash) from = middle + 1;
      else to = middle;
    }
    return from === this.#points.length ? 0 : from;
  }

  /** The part of all hashes that belongs to each node, in the order of the names; exact. */
  shares(): number[] {
    const sums = this.names.map(() => 0);
    let before = this.#points[this.size - 1]! - HASH_SPACE;
    this.#points.forEach((point, at) => {
      sums[this.#owners[at]!]! += (point - before) / HASH_SPACE;
      before = point;
    });
    return sums;
  }

  /**
   * Walks along this ring and `other` together: calls `visit` for each stretch between two points,
   * with the part of all hashes that it is, and the nodes that have it here and there.
   */
  compare(
    other: Ring,
    visit: (share: number, here: string, there: string) => void,
  ): void {
    let [at, otherAt, before] = [0, 0, 0];
    while (before < HASH_SPACE) {
      // Behind the last point comes the first, one round later.
      const end = Math.min(this.#end(at), other.#end(otherAt), HASH_SPACE);
      visit((end - before) / HASH_SPACE, this.#ownerOfPoint(at), other.#ownerOfPoint(otherAt));
      before = end;
      while (this.#end(at) <= before && at < this.size) at++;
      while (other.#end(otherAt) <= before && otherAt < other.size) otherAt++;
    }
  }

  /** Where the stretch of a point ends; that of the first point goes on behind the last. */
  #end(at: number): number {
    return at < this.size ? this.#points[at]! : HASH_SPACE;
  }

  #ownerOfPoint(at: number): string {
    return this.names[this.#owners[at % this.size]!]!;
  }
}
