// What the workers of a round do, and what must be true afterwards: one row for each kind of round.
//
// A work runs on every worker at the same time. What it finds wrong while it runs, it reports at
// once; what only shows in the end is the business of `verify`, which the main thread calls when
// all have stopped.

import { Prng } from "../../lib/base/prng.ts";
import { loadWord, storeWord } from "../../lib/memory/atomic.ts";
import { Global } from "../../lib/memory/regions.ts";
import { StoreMode } from "../../lib/store/outcome.ts";
import type { StoreClient } from "../support/store_client.ts";
import { flawOf, makeRecord } from "./records.ts";
import { flushAt, flushNow } from "../../lib/store/whole_store.ts";

/** One worker's place in a round. */
export interface Part {
  readonly client: StoreClient;
  readonly prng: Prng;
  /** 1 for the first worker. */
  readonly thread: number;
  readonly threads: number;
  /** Operations to do. */
  readonly operations: number;
  /** What the worker found wrong. */
  readonly problems: string[];
  /** Ends a turn and begins the next: between them the world may stand still. Nothing is locked. */
  readonly nextTurn: () => void;
}

/** What workers did that only adds up in the end: named sums, over all workers. */
export type Sums = Readonly<Record<string, bigint>>;

/** One kind of work. */
export interface Work {
  /** Called before the workers start. */
  readonly prepare?: (client: StoreClient) => void;
  /** Does the part, and returns what it did. */
  readonly run: (part: Part) => Sums;
  /** What the store must hold once all sums are known. */
  readonly verify?: (client: StoreClient, sums: Sums, problems: string[]) => void;
}

const COUNTERS = 6;
/** So far from both ends that no counter wraps or stops at 0. */
const COUNTER_START = 10n ** 11n;
/** Keys that only take up room. */
const BALLAST_KEYS = 400;
const SHARED_KEYS = 400;
const TURN = 64;
const LARGE_BYTES = 2 ** 22 - 4096;
/** Small values between two large ones of a worker. */
const LARGE_EVERY = 1000;
const SMALL_KEYS = 40_000;
/** Steps in one turn under the world lock, in global mode. */
const STEPS_PER_TURN = 4;

/** Values that need the pages of others, which have small ones: no store may be refused. */
function runLarge({ client, prng, thread, operations, problems, nextTurn }: Part): Sums {
  const small = "v".repeat(1000);
  const large = "x".repeat(LARGE_BYTES);
  for (let step = 0; step < operations; step++) {
    if (step % TURN === 0) nextTurn();
    const isLarge = step % LARGE_EVERY === LARGE_EVERY / 2;
    if (step % LARGE_EVERY === 0) client.delete(`large${thread}`);
    const answer = isLarge
      ? client.set(`large${thread}`, large)
      : client.set(`small${prng.below(SMALL_KEYS)}`, small);
    if (answer !== "STORED") problems.push(`step ${step}: ${answer}`);
  }
  return {};
}

function runCounters({ client, prng, operations, problems, nextTurn }: Part): Sums {
  const sums: Record<string, bigint> = {};
  for (let step = 0; step < operations; step++) {
    if (step % STEPS_PER_TURN === 0) nextTurn();
    const name = `counter${prng.below(COUNTERS)}`;
    const delta = BigInt(prng.below(1000));
    const increment = prng.below(3) > 0;
    const held = prng.below(8) === 0 ? client.tryHold(name) : undefined;
    const answer = client.add(name, delta, increment);
    if (typeof answer !== "bigint") problems.push(`${name}: ${answer}`);
    else sums[name] = (sums[name] ?? 0n) + (increment ? delta : -delta);
    if (held !== undefined) {
      if (client.valueOf(held) !== held.value) problems.push(`${name} changed while held`);
      client.letGo(held);
    }
    if (step % 4 === 0) {
      const key = `ballast${prng.below(BALLAST_KEYS)}`;
      client.set(key, makeRecord(prng, key, 1000 + prng.below(5000)));
    }
    if (problems.length > 10) break;
  }
  return sums;
}

function runCas({ client, prng, operations, problems, nextTurn }: Part): Sums {
  const sums: Record<string, bigint> = {};
  for (let step = 0; step < operations; step++) {
    if (step % STEPS_PER_TURN === 0) nextTurn();
    const name = `tally${prng.below(COUNTERS)}`;
    const found = client.get(name);
    if (found === undefined) {
      problems.push(`${name} is gone`);
      break;
    }
    const value = String(BigInt(found.value) + 1n);
    const answer = client.put(StoreMode.CAS, name, value, { cas: found.cas });
    if (answer === "STORED") sums[name] = (sums[name] ?? 0n) + 1n;
    else if (answer !== "EXISTS") problems.push(`${name}: ${answer}`);
  }
  return sums;
}

/** Every key is counted on by one worker only, through a store that all of them crowd. */
function runOwn({ client, prng, thread, operations, problems, nextTurn }: Part): Sums {
  const last = new Map<string, string>();
  for (let step = 0; step < operations && problems.length < 10; step++) {
    if (step % STEPS_PER_TURN === 0) nextTurn();
    const key = `own${thread}:${prng.below(200)}`;
    const expected = last.get(key);
    const found = client.get(key)?.value;
    // It may have been evicted, but never be an older value.
    if (found !== undefined && found !== expected) problems.push(`${key}: not its last value`);
    if (prng.below(3) === 0) {
      client.delete(key);
      last.delete(key);
      continue;
    }
    const value = makeRecord(prng, key, prng.below(6000));
    const answer = client.set(key, value);
    if (answer === "STORED") last.set(key, value);
    else last.delete(key);
    noteRefusal(client, key, answer, problems);
  }
  return {};
}

/** Nobody holds more than a few items here: with evictions on there is always room to be made. */
function noteRefusal(
  { store }: StoreClient,
  key: string,
  answer: unknown,
  problems: string[],
): void {
  if (answer === "NO_MEMORY" && store.shape.evictions) problems.push(`${key} refused`);
}

/** Random commands on keys that all workers share. */
function runStorm(part: Part): Sums {
  const { client, prng, thread, operations, problems, nextTurn } = part;
  const { control, clock } = client.store;
  for (let step = 0; step < operations && problems.length < 10; step++) {
    if (step % STEPS_PER_TURN === 0) nextTurn();
    if (step % TURN === 0) {
      if (thread === 1 && step % 4096 === 0) {
        storeWord(control.u32, Global.NOW, loadWord(control.u32, Global.NOW) + 1);
      }
      clock.now = loadWord(control.u32, Global.NOW);
    }
    stormStep(part, `key${prng.below(SHARED_KEYS)}`);
  }
  return {};
}

function stormStep({ client, prng, problems }: Part, key: string): void {
  const length = prng.below(10) === 0 ? prng.below(30_000) : prng.below(5000);
  const exptime = prng.below(5) === 0 ? 1 + prng.below(5) : 0;
  const flags = prng.below(3);
  switch (prng.below(16)) {
    case 0:
      client.delete(key);
      break;
    case 1:
      client.touch(key, exptime);
      break;
    case 2:
    case 3: {
      const held = client.tryHold(key);
      if (held === undefined) break;
      stormStep({ client, prng, problems } as Part, `key${prng.below(SHARED_KEYS)}`);
      if (client.valueOf(held) !== held.value) problems.push(`${key} changed while held`);
      client.letGo(held);
      break;
    }
    case 4:
    case 5: {
      const mode = prng.pick([StoreMode.APPEND, StoreMode.PREPEND]);
      client.put(mode, key, makeRecord(prng, key, prng.below(100)));
      break;
    }
    case 6:
    case 7: {
      const mode = prng.pick([StoreMode.ADD, StoreMode.REPLACE]);
      const answer = client.put(mode, key, makeRecord(prng, key, length), { flags, exptime });
      noteRefusal(client, key, answer, problems);
      break;
    }
    case 8:
      noteRefusal(client, key, client.add(key, 1n), problems);
      break;
    case 9:
      if (prng.below(2000) === 0) flushNow(client.store);
      if (prng.below(2000) === 0) flushAt(client.store, client.store.clock.now + 2);
      break;
    case 10:
    case 11:
    case 12:
      noteRefusal(
        client,
        key,
        client.set(key, makeRecord(prng, key, length), { flags, exptime }),
        problems,
      );
      break;
    default: {
      const found = client.get(key);
      const flaw = found === undefined ? undefined : flawOf(key, found.value);
      if (flaw !== undefined) problems.push(flaw);
    }
  }
}

/** Checks that each key stands at `start` plus what the workers added. */
function verifySums(prefix: string, start: bigint): Required<Work>["verify"] {
  return (client, sums, problems) => {
    for (let n = 0; n < COUNTERS; n++) {
      const name = `${prefix}${n}`;
      const expected = start + (sums[name] ?? 0n);
      const found = client.get(name)?.value.trimEnd();
      if (found !== String(expected)) problems.push(`${name} is ${found}, not ${expected}`);
    }
  };
}

/** Checks every value that is left. */
function verifyRecords(client: StoreClient, _sums: Sums, problems: string[]): void {
  for (let n = 0; n < SHARED_KEYS; n++) {
    const found = client.get(`key${n}`);
    const flaw = found === undefined ? undefined : flawOf(`key${n}`, found.value);
    if (flaw !== undefined) problems.push(`in the end: ${flaw}`);
  }
}

/** The kinds of work, by name. */
export const WORKS = {
  counters: {
    prepare: (client) => {
      for (let n = 0; n < COUNTERS; n++) client.set(`counter${n}`, String(COUNTER_START));
    },
    run: runCounters,
    verify: verifySums("counter", COUNTER_START),
  },
  cas: {
    prepare: (client) => {
      for (let n = 0; n < COUNTERS; n++) client.set(`tally${n}`, "0");
    },
    run: runCas,
    verify: verifySums("tally", 0n),
  },
  own: { run: runOwn },
  large: { run: runLarge },
  storm: { run: runStorm, verify: verifyRecords },
} as const satisfies Readonly<Record<string, Work>>;

/** Name of a kind of work. */
export type WorkName = keyof typeof WORKS;
