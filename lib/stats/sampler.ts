// Chooses which events to sample: all while they are few, about a thousand a second when they are
// many. So the cost is bounded by time, not by the load.

import { Prng } from "../base/prng.ts";

/** Looks in one second, until fewer are taken. */
export const LOOKS_PER_SECOND = 1000;
/** Below this share of them, more are taken again. */
const FEW = LOOKS_PER_SECOND / 4;

/** Most events that one look stands for: a power of two. */
const WEIGHT_MAX = 2 ** 16;
/** Events until the next question, where nothing is looked at. */
const NEVER = 2 ** 29;

/** Chooses events of one thread. The distance between two is random: a load may have a rhythm. */
export class Sampler {
  readonly #isOn: boolean;
  readonly #prng: Prng;
  #left: number;
  #weight = 1;
  #taken = 0;

  /** @param isOn Otherwise nothing is ever looked at. */
  constructor(isOn: boolean, seed: number) {
    this.#isOn = isOn;
    this.#prng = new Prng(seed);
    this.#left = isOn ? 1 : NEVER;
  }

  /**
   * Whether to look at the event at hand: ask once for each, and call {@linkcode take} if so.
   * @hot
   */
  isDue(): boolean {
    this.#left--;
    return this.#left <= 0;
  }

  /** Takes the event at hand. Returns how many it stands for; 0 where nothing is looked at. */
  take(): number {
    if (!this.#isOn) {
      this.#left = NEVER;
      return 0;
    }
    const weight = this.#weight;
    this.#taken++;
    if (this.#taken > LOOKS_PER_SECOND && weight < WEIGHT_MAX) {
      this.#weight *= 2;
      this.#taken = 0;
    }
    this.#left = this.#distance();
    return weight;
  }

  /** `seconds` have passed since the last call: looks oftener where there was little to see. */
  tick(seconds: number): void {
    if (!this.#isOn) return;
    if (this.#taken < FEW * seconds && this.#weight > 1) {
      this.#weight = Math.max(1, this.#weight >> Math.min(seconds, 16));
      this.#left = Math.min(this.#left, this.#distance());
    }
    this.#taken = 0;
  }

  /** Events until the next look: as many on average as one stands for. */
  #distance(): number {
    return 1 + this.#prng.below(2 * this.#weight - 1);
  }
}
