// The most requested names: a list of a few hundred places keeps the frequent ones of any number of
// names.
//
//   a list:  [ head ][ hashes | versions | lengths | born | counts | errors | looks | names ]
//
// A name that is not in the list takes the place of the one that was counted least, and goes on
// from its count: that much of its count, the error, may belong to others. So a name with a larger
// share of all requests than one place of the list has is in it, and a count less its error is
// never too much. Counts halve every ten seconds, so they describe the present.
// Source: Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in
// Data Streams" (2005), "Space-Saving", with weights and with fading added.
//
// Each thread writes its own list; a reader adds them up. A name may be replaced while it is read:
// its version is odd meanwhile.

import { latin1 } from "../base/ascii.ts";
import { loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../memory/regions.ts";

const WORD_BYTES = 4;
const FLOAT_BYTES = 8;
/** Bytes kept of a name: a key has 250 at most. */
const NAME_BYTES = 256;
/** What is left of a count after a second. */
const FADE = 2 ** (-1 / 10);
/** Names with fewer looks (which fade as counts do) are left out: they may be chance. */
const LOOKS_MIN = 4;
/** Shortest time that a rate is worked out over, in seconds. */
const AGE_MIN = 3;

/** Where the parts of a list of `places` are, in bytes. */
function planList(at: number, places: number) {
  const words = places * WORD_BYTES;
  const floats = places * FLOAT_BYTES;
  const countsAt = at + LINE_BYTES + 4 * words;
  return {
    fadedAt: at,
    hashesAt: at + LINE_BYTES,
    versionsAt: at + LINE_BYTES + words,
    lengthsAt: at + LINE_BYTES + 2 * words,
    bornAt: at + LINE_BYTES + 3 * words,
    countsAt,
    errorsAt: countsAt + floats,
    looksAt: countsAt + 2 * floats,
    namesAt: countsAt + 3 * floats,
    end: countsAt + 3 * floats + places * NAME_BYTES,
  };
}

/** Bytes of a list of `places`, a multiple of 16. */
export function hotListBytes(places: number): number {
  return planList(0, places).end;
}

/** A name and how often clients request it. */
export interface HotName {
  /** One character per byte. */
  readonly name: string;
  /** Requests a second, of the last ten seconds or so. */
  readonly perSecond: number;
}

/** One thread's list. */
export class HotList {
  readonly #control: Control;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #places: number;
  readonly #at: ReturnType<typeof planList>;
  readonly #hashes: Uint32Array<SharedArrayBuffer>;
  readonly #counts: Float64Array<SharedArrayBuffer>;
  readonly #errors: Float64Array<SharedArrayBuffer>;
  readonly #looks: Float64Array<SharedArrayBuffer>;

  /** @param at Where it is in the control memory, in bytes: a multiple of 8. */
  constructor(control: Control, at: number, places: number) {
    const { buffer } = control.u32;
    this.#control = control;
    this.#places = places;
    this.#at = planList(at, places);
    this.#bytes = new Uint8Array(buffer);
    this.#hashes = new Uint32Array(buffer, this.#at.hashesAt, places);
    this.#counts = new Float64Array(buffer, this.#at.countsAt, places);
    this.#errors = new Float64Array(buffer, this.#at.errorsAt, places);
    this.#looks = new Float64Array(buffer, this.#at.looksAt, places);
  }

  /**
   * Adds `weight` requests to the name `bytes[from, to)`, of 1 to 250 bytes.
   *
   * @param hash Of the name, 1..2^32-1. Of two names with the same one the first counts.
   * @param now Seconds since start.
   */
  note(
    hash: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    weight: number,
    now: number,
  ): void {
    const found = this.#hashes.indexOf(hash);
    if (found >= 0) {
      this.#counts[found]! += weight;
      this.#looks[found]! += 1;
      return;
    }
    let place = 0;
    for (let other = 1; other < this.#places; other++) {
      if (this.#counts[other]! < this.#counts[place]!) place = other;
    }
    const { u32 } = this.#control;
    const versionAt = wordIndex(this.#at.versionsAt) + place;
    storeWord(u32, versionAt, u32[versionAt]! + 1);
    this.#hashes[place] = hash;
    u32[wordIndex(this.#at.lengthsAt) + place] = to - from;
    u32[wordIndex(this.#at.bornAt) + place] = now;
    this.#bytes.set(bytes.subarray(from, to), this.#at.namesAt + place * NAME_BYTES);
    this.#errors[place] = this.#counts[place]!;
    this.#counts[place]! += weight;
    this.#looks[place] = 1;
    storeWord(u32, versionAt, u32[versionAt]! + 1);
  }

  /** Makes all counts fade, as it is second `now`. */
  fade(now: number): void {
    const { u32 } = this.#control;
    const at = wordIndex(this.#at.fadedAt);
    const left = FADE ** (now - u32[at]!);
    for (let place = 0; place < this.#places; place++) {
      this.#counts[place]! *= left;
      this.#errors[place]! *= left;
      this.#looks[place]! *= left;
    }
    storeWord(u32, at, now);
  }

  /** The names in it, as it is second `now`, in no order. */
  *names(now: number): Generator<HotName> {
    const { u32 } = this.#control;
    const faded = FADE ** Math.max(0, now - u32[wordIndex(this.#at.fadedAt)]!);
    for (let place = 0; place < this.#places; place++) {
      const versionAt = wordIndex(this.#at.versionsAt) + place;
      const version = loadWord(u32, versionAt);
      const length = u32[wordIndex(this.#at.lengthsAt) + place]!;
      const born = u32[wordIndex(this.#at.bornAt) + place]!;
      const count = this.#counts[place]! - this.#errors[place]!;
      const looks = this.#looks[place]!;
      const from = this.#at.namesAt + place * NAME_BYTES;
      const name = latin1(this.#bytes.slice(from, from + Math.min(length, NAME_BYTES)));
      if (version % 2 === 1 || loadWord(u32, versionAt) !== version || looks < LOOKS_MIN) continue;
      // What a steady rate of 1 comes to by now, had it begun when the name came into the list.
      const unit = (1 - FADE ** Math.max(AGE_MIN, now - born)) / (1 - FADE);
      yield { name, perSecond: count * faded / unit };
    }
  }
}

/** The `most` most frequent names of several lists together, the most frequent first. */
export function hottest(lists: readonly HotList[], now: number, most: number): HotName[] {
  const rates = new Map<string, number>();
  for (const list of lists) {
    for (const { name, perSecond } of list.names(now)) {
      rates.set(name, (rates.get(name) ?? 0) + perSecond);
    }
  }
  return [...rates]
    .map(([name, perSecond]) => ({ name, perSecond }))
    .sort((a, b) => b.perSecond - a.perSecond || (a.name < b.name ? -1 : 1))
    .slice(0, most);
}
