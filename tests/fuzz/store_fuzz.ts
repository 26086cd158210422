// Goal: whatever the order of commands, the store answers as a Map would, and no rule of its memory
// is broken.
// Method: random commands on few keys in little memory, each compared with the model; a walk
// through everything after each round. Each round draws its own sizes, and how often each command
// comes.

import { Prng } from "../../lib/base/prng.ts";
import { CLOCK_START } from "../../lib/base/clock.ts";
import { Snapshot } from "../../lib/stats/counters.ts";
import { checkStore } from "../../lib/store/check.ts";
import type { StoreShape } from "../../lib/store/plan.ts";
import { StoreMode } from "../../lib/store/outcome.ts";
import { type ItemRef, itemTime, NO_ITEM } from "../../lib/store/item/item.ts";
import { Maintainer } from "../../lib/store/maintenance/rounds.ts";
import { askCrawl, askMove, isMoving } from "../../lib/store/control/requests.ts";
import { NO_CLASS } from "../../lib/store/slab/classes.ts";
import { makeStore } from "../../lib/store/store_fixture.ts";
import { type Command, drawCommands, drawKeys } from "./draw_round.ts";
import { drawShape, drawTable } from "./draw.ts";
import { restartProblems } from "../support/restarted.ts";
import { type Held, type Refusal, StoreClient } from "../support/store_client.ts";
import { refusalProblem } from "../support/refusals.ts";
import { added, type ModelItem, numberOf, show, StoreModel } from "./store_model.ts";
import { flushAt, flushNow, setMemlimit } from "../../lib/store/whole_store.ts";

const MIB = 2 ** 20;
const HEADER_BYTES = 32;
const HOLDS_MAX = 4;
/**
 * Turns of the maintenance after which a page must have moved, or been given up: twelve hundred
 * passes over a page of small chunks that nothing may be evicted for.
 */
const TURNS_MAX = 240_000;

/** Something that goes wrong on purpose, for tests of the fuzzer: called after each command. */
export type Plant = (round: StoreRound, step: number) => void;

/** How a round is drawn. */
export interface FuzzOptions {
  readonly seed: number;
  readonly operations: number;
  readonly plant?: Plant;
}

/** Plays one round and returns what is wrong, with the seed that plays it again. */
export function fuzzStore({ seed, operations, plant }: FuzzOptions): string[] {
  const round = new StoreRound(new Prng(seed));
  try {
    for (let step = 0; step < operations && round.problems.length === 0; step++) {
      round.step();
      plant?.(round, step);
    }
    if (round.problems.length === 0) round.finish();
  } catch (error) {
    round.problems.push(String(error));
  }
  return round.problems.map((problem) => `--seed ${seed}: ${problem}`);
}

/** One store beside its model. */
export class StoreRound {
  readonly client: StoreClient;
  readonly model: StoreModel;
  readonly problems: string[] = [];
  readonly #prng: Prng;
  readonly #commands: readonly Command[];
  readonly #keys: readonly string[];
  readonly #longest: number;
  /** Lengths of values; where all are alike one class runs full. */
  readonly #shortest: number;
  /** Nothing expires, so that memory runs full. */
  readonly #areImmortal: boolean;
  readonly #shape: StoreShape;
  #held: (Held & { key: string })[] = [];
  /** Items that the model has and the store has not. */
  #lost = 0;
  #lastCas = 0n;
  readonly #maintainer: Maintainer;
  #ms = 0;
  #trace = "";

  constructor(prng: Prng) {
    this.#prng = prng;
    const clock = { startUnix: 1_700_000_000, now: CLOCK_START };
    this.client = new StoreClient(makeStore(drawShape(prng), clock, drawTable(prng)));
    this.model = new StoreModel(clock);
    this.#maintainer = new Maintainer(this.client.store, true, () => {});
    this.#shape = this.client.store.shape;
    this.#commands = drawCommands(prng);
    this.#areImmortal = prng.below(2) === 0;
    this.#keys = drawKeys(prng);
    this.#longest = prng.pick([30, 1000, 20_000, 60_000, 1_100_000]);
    this.#shortest = prng.pick([0, Math.floor(this.#longest * 0.95)]);
  }

  /** A random key of the round. */
  key(): string {
    return this.#prng.pick(this.#keys);
  }

  /** Runs one random command on both, and compares. */
  step(): void {
    const command = this.#prng.pick(this.#commands);
    const key = this.key();
    this.#trace = `${command} ${key.slice(0, 8)}`;
    this.#run(command, key);
    this.#compare(key);
  }

  #problem(text: string): void {
    this.problems.push(`${this.#trace}: ${text}`);
  }

  #expect(ok: boolean, text: string): void {
    if (!ok) this.#problem(text);
  }

  #run(command: Command, key: string): void {
    const { clock } = this.client.store;
    switch (command) {
      case "set":
      case "add":
      case "replace":
      case "append":
      case "prepend":
      case "cas":
        return this.#store(command, key);
      case "incr":
      case "decr":
        return this.#arithmetic(key, command === "incr");
      case "delete":
        this.#found(key, this.client.delete(key));
        return this.model.delete(key);
      case "touch": {
        const exptime = this.#exptime();
        const item = this.#found(key, this.client.touch(key, exptime));
        if (item !== undefined) this.model.touch(item, exptime);
        return;
      }
      case "get": {
        const item = this.#found(key, this.client.get(key) !== undefined);
        if (item !== undefined) this.#noteTime(key, item);
        return;
      }
      case "gat": {
        const exptime = this.#exptime();
        const item = this.#found(key, this.client.gat(key, exptime) !== undefined);
        if (item !== undefined) this.model.touch(item, exptime);
        return;
      }
      case "hold":
        return this.#hold(key);
      case "letGo":
        return this.#letGo(this.#held.splice(this.#prng.below(HOLDS_MAX), 1));
      case "flush":
        flushNow(this.client.store);
        return this.model.flush();
      case "flushAt": {
        const at = Math.max(2, clock.now + this.#prng.below(8) - 2);
        flushAt(this.client.store, at);
        return this.model.flushAt(at);
      }
      case "tick":
        clock.now += this.#prng.below(3);
        return;
      default:
        return this.#maintain(command);
    }
  }

  /** What the maintenance thread does, and what asks it to. Items keep all that a client sees. */
  #maintain(command: "maintain" | "reassign" | "crawl" | "mode" | "memlimit"): void {
    const { store } = this.client;
    const prng = this.#prng;
    const classes = { low: prng.next() | 0, high: prng.next() | 0 };
    const clsid = (): number => prng.below(store.classes.last + 1);
    if (command === "reassign") askMove(store.control, { from: clsid(), to: clsid() });
    if (command === "crawl") askCrawl(store.control, classes);
    if (command === "mode") store.tunables.set("segmented", prng.below(2));
    if (command === "memlimit") setMemlimit(store, (1 + prng.below(8)) * MIB);
    for (let turns = prng.below(20); turns >= 0; turns--) {
      this.#ms += prng.pick([0, 1, 10, 1000]);
      this.#maintainer.turn(this.#ms);
    }
    for (const key of this.#keys) {
      const item = this.model.get(key);
      if (item !== undefined) this.#noteTime(key, item);
    }
  }

  /** Follows the store in when an item was read: not every read is noted, and some later. */
  #noteTime(key: string, item: ModelItem): void {
    const it = this.client.find(key);
    if (it === NO_ITEM) return this.#lose(key);
    const time = itemTime(this.client.store.items, it);
    const { now } = this.client.store.clock;
    this.#expect(time === item.time || time === now, `time ${time}, was ${item.time}, is ${now}`);
    item.time = time;
  }

  /** The model's item, when both agree that it is there or not; notes a loss. */
  #found(key: string, present: boolean): ModelItem | undefined {
    const item = this.model.get(key);
    if (present && item === undefined) this.#problem("found what is not there");
    if (present || item === undefined) return item;
    this.#lose(key);
    return undefined;
  }

  /** The store made room. */
  #lose(key: string): void {
    this.#lost++;
    this.model.delete(key);
    const totals = new Snapshot(this.client.store.control);
    const evictions = totals.ofClasses("evictions") + totals.of("slab_reassign_busy_deletes") +
      totals.ofClasses("tailrepairs");
    this.#expect(this.#lost <= evictions, `${this.#lost} lost, ${evictions} evicted`);
  }

  #exptime(): number {
    if (this.#areImmortal) return 0;
    const now = this.client.store.clock.now + this.client.store.clock.startUnix;
    return this.#prng.pick([0, 0, 0, 1, 2, 5, 100, -1, now + 3, now - 3, 2_592_001]);
  }

  #value(): string {
    const prng = this.#prng;
    if (prng.below(4) === 0) {
      return prng.pick(["0", "9", "10 x", " 7", "18446744073709551615", "99"]);
    }
    const length = this.#shortest + prng.below(this.#longest - this.#shortest);
    return `${prng.next().toString(36)}${String.fromCharCode(prng.below(256)).repeat(length)}`;
  }

  #store(command: Command, key: string): void {
    const { client, model } = this;
    const value = this.#value();
    const exptime = this.#exptime();
    const flags = this.#prng.pick([0, 0, 1, 0xffffffff]);
    const known = model.get(key)?.cas ?? 0n;
    const cas = this.#prng.below(3) === 0 ? known + BigInt(this.#prng.below(3)) - 1n : known;
    const mode = StoreMode[command.toUpperCase() as keyof typeof StoreMode];
    const rooms = this.#outOfMemory();
    const answer = client.put(mode, key, value, { flags, exptime, cas: BigInt.asUintN(64, cas) });
    if (answer === "NO_MEMORY" || answer === "TOO_LARGE") {
      if (command === "set") model.delete(key);
      return this.#judgeRefusal(answer, key, value, flags);
    }
    if (command === "append" || command === "prepend") {
      return this.#join(command, key, value, answer, rooms);
    }
    const wasThere = command === "add"
      ? answer === "NOT_STORED"
      : command === "set"
      ? model.get(key) !== undefined
      : answer === "STORED" || answer === "EXISTS";
    const item = command === "set" ? model.get(key) : this.#found(key, wasThere);
    if (command === "cas" && item !== undefined) {
      const right = this.#shape.useCas && cas === item.cas;
      this.#expect((answer === "STORED") === right, `${answer} with ${cas}, has ${item.cas}`);
    }
    if (command === "set") this.#expect(answer === "STORED", answer);
    if (answer === "STORED") model.put(key, value, flags, model.seconds(exptime));
    else if (command === "add" && item !== undefined) this.#noteTime(key, item);
  }

  #join(
    command: "append" | "prepend",
    key: string,
    value: string,
    answer: "STORED" | Refusal,
    rooms: number,
  ): void {
    const present = answer === "STORED" || this.client.peek(key) !== undefined;
    const before = this.model.get(key);
    const item = before === undefined && answer !== "STORED"
      ? undefined
      : this.#found(key, present);
    if (item === undefined) return;
    const joined = command === "append" ? item.value + value : value + item.value;
    if (answer === "STORED") return this.model.put(key, joined, item.flags, item.exptime);
    const bytes = this.#bytes(key, joined, item.flags);
    const allowed = bytes > this.#shape.itemSizeMax || this.#outOfMemory() > rooms;
    this.#expect(allowed, `${answer} although it is there`);
    if (bytes > this.#shape.itemSizeMax) return;
    // The value that came may be large itself: then as many chunks as it has are gone by now.
    this.#expectFull(bytes, this.client.find(key), this.#isChunked(key, value, 0) ? 4 : 1);
  }

  #arithmetic(key: string, increment: boolean): void {
    const delta = this.#prng.pick([0n, 1n, 9n, 1_000_000n, 2n ** 32n, 2n ** 64n - 1n]);
    const rooms = this.#outOfMemory();
    const answer = this.client.add(key, delta, increment);
    const item = this.#found(key, answer !== "NOT_FOUND");
    if (item === undefined) return;
    const number = this.#isChunked(key, item.value, item.flags) ? undefined : numberOf(item.value);
    if (number === undefined) return this.#expect(answer === "NON_NUMERIC", String(answer));
    const sum = added(number, delta, increment);
    if (answer === "NO_MEMORY") {
      this.#expect(this.#outOfMemory() > rooms, "No memory, and not counted");
      const bytes = this.#bytes(key, String(sum), item.flags);
      return this.#expectFull(bytes, this.client.find(key), 0);
    }
    this.#expect(answer === sum, `${answer}, not ${sum}`);
    const exact = String(sum);
    const padded = exact.padEnd(item.value.length);
    const isHeld = this.#held.some((held) => held.key === key);
    const value = isHeld && this.client.peek(key)?.value === exact ? exact : padded;
    this.model.put(key, value, item.flags, item.exptime);
  }

  #hold(key: string): void {
    if (this.#held.length >= HOLDS_MAX) return;
    const held = this.client.tryHold(key);
    const item = this.#found(key, held !== undefined);
    if (item !== undefined) this.#noteTime(key, item);
    if (held !== undefined) this.#held.push({ ...held, key });
  }

  #letGo(holds: readonly Held[]): void {
    for (const held of holds) {
      this.#expect(this.client.valueOf(held) === held.value, "value changed while held");
      this.client.letGo(held);
    }
  }

  /** Whether the store may refuse an item. */
  #judgeRefusal(answer: Refusal, key: string, value: string, flags: number): void {
    const isTooLarge = this.#bytes(key, value, flags) > this.#shape.itemSizeMax;
    this.#expect((answer === "TOO_LARGE") === isTooLarge, answer);
    if (answer === "NO_MEMORY") this.#expectFull(this.#bytes(key, value, flags), NO_ITEM, 0);
  }

  #expectFull(bytes: number, kept: ItemRef, others: number): void {
    const problem = refusalProblem(this.client.store, { bytes, kept, others });
    if (problem !== undefined) this.#problem(problem);
  }

  #bytes(key: string, value: string, flags: number): number {
    const fixed = HEADER_BYTES + (this.#shape.useCas ? 8 : 0) + (flags === 0 ? 0 : 4) + 2;
    return fixed + key.length + value.length;
  }

  #isChunked(key: string, value: string, flags: number): boolean {
    return this.client.store.classes.fit(this.#bytes(key, value, flags)) === NO_CLASS;
  }

  #outOfMemory(): number {
    return new Snapshot(this.client.store.control).ofClasses("outofmemory");
  }

  /** The same value, flags and version on both sides, or nothing on both. */
  #compare(key: string): void {
    const item = this.model.get(key);
    if (item === undefined) {
      return this.#expect(this.client.get(key) === undefined, "found what is not there");
    }
    const found = this.client.peek(key);
    if (found === undefined) return this.#lose(key);
    this.#expect(found.flags === item.flags, `flags ${found.flags}, not ${item.flags}`);
    this.#expect(found.value === item.value, `${show(found.value)}, not ${show(item.value)}`);
    if (!this.#shape.useCas) return this.#expect(found.cas === 0n, `cas ${found.cas} with -C`);
    if (item.cas === 0n) {
      this.#expect(found.cas > this.#lastCas, `cas ${found.cas} after ${this.#lastCas}`);
      this.#lastCas = item.cas = found.cas;
    }
    this.#expect(found.cas === item.cas, `cas ${found.cas}, not ${item.cas}`);
  }

  /** Compares every key, then walks the store. */
  finish(): void {
    this.#trace = "in the end";
    this.#letGo(this.#held.splice(0));
    for (const key of this.#keys) this.#compare(key);
    for (let turns = 0; isMoving(this.client.store.control) && turns < TURNS_MAX; turns++) {
      this.#maintainer.turn(this.#ms += 2);
    }
    this.#expect(!isMoving(this.client.store.control), "a page moves for ever");
    for (const key of this.#keys) this.#compare(key);
    for (const problem of checkStore(this.client.store).problems) this.#problem(problem);
    for (const problem of restartProblems(this.client.store)) this.#problem(problem);
  }
}
