// What happens when one of four nodes dies, told of any party: its keys are lost and no others,
// they go where consistent hashing says, and what is left behind there comes to light later.
//
// A model says what each node must hold and what each get must find, key by key; after every step
// all nodes are asked, without the party, and must hold just that.

import { pause } from "../support/talk.ts";
import type { Checks } from "../load/checks.ts";
import { Holdings, type Nodes } from "./nodes.ts";
import type { Party, Round } from "./party.ts";
import { Ring } from "./ring.ts";

const KEYS = 3000;
/** When the node is killed, after the gets have begun; and how long it takes to be left out. */
const UNDER_WAY_MS = 30;
const SETTLE_MS_MAX = 20_000;
const POLL_MS = 100;
/** A quarter of the keys, give or take what 160 points for each of four nodes leave uneven. */
const LOST_MIN = 0.15;
const LOST_MAX = 0.37;

/** Which node a party should send a key to, and what the nodes should hold. */
class Model {
  readonly #party: Party;
  ring: Ring;
  readonly holds = new Holdings();

  constructor(party: Party, names: readonly string[]) {
    this.#party = party;
    this.ring = new Ring(names, party.rules);
    for (const name of names) this.holds.add(name);
  }

  /** The party has only these nodes in its ring. */
  use(names: readonly string[]): void {
    this.ring = new Ring(names, this.#party.rules);
  }

  set(keys: readonly string[], value: string): void {
    for (const key of keys) this.holds.set(this.ring.ownerOf(key), key, value);
  }

  /** What gets of `keys` find. */
  found(keys: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    for (const key of keys) {
      const value = this.holds.of(this.ring.ownerOf(key)).get(key);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }
}

/** Tells the story of one party. */
export class Story {
  readonly #checks: Checks;
  readonly #party: Party;
  readonly #nodes: Nodes;
  readonly #model: Model;
  readonly #keys: readonly string[];
  /** Errors so far, and those for keys that the dead node does not own. */
  errors = 0;
  #foreign: string[] = [];

  constructor(checks: Checks, party: Party, nodes: Nodes) {
    this.#checks = checks;
    this.#party = party;
    this.#nodes = nodes;
    this.#model = new Model(party, nodes.names);
    const prefix = party.name.replaceAll(" ", "-");
    this.#keys = Array.from({ length: KEYS }, (_, at) => `${prefix}:key:${at}`);
  }

  /** The keys that the node `name` has while all are there. */
  #owned(name: string): string[] {
    const ring = new Ring(this.#nodes.names, this.#party.rules);
    return this.#keys.filter((key) => ring.ownerOf(key) === name);
  }

  /** Loads all keys. */
  async load(): Promise<void> {
    await this.#store(this.#keys, "v1", []);
    await this.#agree("loaded");
    const many = await this.#party.getMany(this.#keys);
    this.#same("gets of many keys reach all nodes", many, this.#model.found(this.#keys));
  }

  /** Kills `victim` while clients ask; what is lost goes to the others. */
  async loseNode(victim: string): Promise<void> {
    const owned = this.#owned(victim);
    const round = this.#party.get(this.#keys);
    await pause(UNDER_WAY_MS);
    await this.#nodes.kill(victim);
    this.#model.holds.remove(victim);
    this.#note(await round, owned);
    this.#model.use(this.#nodes.names.filter((name) => name !== victim));
    const found = await this.#settle(this.#keys, owned);
    this.#same("without a node its keys are lost, no others", found, this.#model.found(this.#keys));
    this.#claim("errors were for keys of the dead node alone", this.#foreign.length === 0);
    const lost = owned.length / KEYS;
    const expected = lost > LOST_MIN && lost < LOST_MAX;
    this.#claim("about a quarter is lost", expected, `${(100 * lost).toFixed(1)} %`);

    await this.#store(owned, "v2", owned);
    await this.#agree("set anew while the node is away");
  }

  /** The node comes back empty; what was set meanwhile stays where it is, out of sight. */
  async returnNode(victim: string): Promise<void> {
    await this.#nodes.start(victim);
    this.#model.holds.add(victim);
    this.#model.use(this.#nodes.names);
    await this.#party.rejoin();
    const owned = this.#owned(victim);
    await this.#rejoined(owned, (value) => value === undefined);
    const found = await this.#settle(this.#keys, owned);
    this.#same("back and empty: its keys are lost again", found, this.#model.found(this.#keys));
    await this.#agree("what was set meanwhile is still on the other nodes");
    await this.#store(owned, "v3", []);
    await this.#agree("set anew on the node that is back");
  }

  /** The node dies again: now the copies of its first absence are found. */
  async meetStale(victim: string): Promise<void> {
    const owned = this.#owned(victim);
    await this.#nodes.kill(victim);
    this.#model.holds.remove(victim);
    this.#model.use(this.#nodes.names.filter((name) => name !== victim));
    const found = await this.#settle(this.#keys, owned);
    this.#same("dead again: old values are found", found, this.#model.found(this.#keys));
    const stale = owned.filter((key) => found.get(key) === "v2").length;
    this.#claim("all keys of the node are stale", stale === owned.length, `${stale} keys`);
    await this.#nodes.start(victim);
    this.#model.holds.add(victim);
    this.#model.use(this.#nodes.names);
    await this.#party.rejoin();
    await this.#rejoined(owned, (value) => value === undefined);
    await this.#store(this.#keys, "v4", owned);
  }

  /** The node hangs and goes on later with all that it had: old values again, without a death. */
  async hang(victim: string): Promise<void> {
    const owned = this.#owned(victim);
    this.#nodes.halt(victim);
    this.#model.use(this.#nodes.names.filter((name) => name !== victim));
    await this.#settle(owned, owned);
    await this.#store(owned, "v5", owned);
    const meanwhile = await this.#settle(owned, owned);
    this.#same("a node that hangs is left out", meanwhile, this.#model.found(owned));
    this.#nodes.proceed(victim);
    this.#model.use(this.#nodes.names);
    await this.#rejoined(owned, (value) => value === "v4");
    const found = await this.#settle(owned, owned);
    const old = [...found.values()].filter((value) => value === "v4").length;
    this.#same("it goes on and serves old values", found, this.#model.found(owned));
    this.#claim("all of its keys are old", old === owned.length, `${old} keys`);
    await this.#agree("a node that has hung holds what it held");
  }

  /** Asks until the ring has the node again, which shows in what the keys of it are. */
  async #rejoined(
    owned: readonly string[],
    isBack: (value: string | undefined) => boolean,
  ): Promise<void> {
    const sample = owned.slice(0, 20);
    const deadline = Date.now() + SETTLE_MS_MAX;
    while (true) {
      const { values, errors } = await this.#party.get(sample);
      if (errors.size === 0 && sample.every((key) => isBack(values.get(key)))) return;
      if (Date.now() > deadline) throw new Error(`${this.#party.name} does not take it back`);
      await pause(POLL_MS);
    }
  }

  /** Asks until a round has no error. */
  async #settle(
    keys: readonly string[],
    failing: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    const deadline = Date.now() + SETTLE_MS_MAX;
    while (true) {
      const round = await this.#party.get(keys);
      this.#note(round, failing);
      if (round.errors.size === 0) return round.values;
      if (Date.now() > deadline) throw new Error(`${this.#party.name}: ${lastError(round)}`);
      await pause(POLL_MS);
    }
  }

  /** Sets until everything is stored. */
  async #store(keys: readonly string[], value: string, failing: readonly string[]): Promise<void> {
    const deadline = Date.now() + SETTLE_MS_MAX;
    for (let left = keys; left.length > 0;) {
      const round = await this.#party.set(left, value);
      this.#note(round, failing);
      left = [...round.errors.keys()];
      if (Date.now() > deadline) throw new Error(`${this.#party.name}: ${lastError(round)}`);
      if (left.length > 0) await pause(POLL_MS);
    }
    this.#model.set(keys, value);
  }

  #note(round: Round, failing: readonly string[]): void {
    const expected = new Set(failing);
    this.errors += round.errors.size;
    for (const [key, error] of round.errors) {
      if (!expected.has(key)) this.#foreign.push(`${key}: ${error}`);
    }
  }

  /** Compares what the nodes hold with the model. */
  async #agree(what: string): Promise<void> {
    const held = await this.#nodes.held(this.#keys);
    let [differences, keys] = [0, 0];
    for (const name of this.#nodes.names) {
      const expected = this.#model.holds.of(name);
      keys += expected.size;
      differences += differencesOf(held.of(name), expected).length;
    }
    const found = differences === 0 ? `${keys} keys in their places` : `${differences} differ`;
    this.#claim(what, differences === 0, found);
  }

  #same(
    what: string,
    found: ReadonlyMap<string, string>,
    expected: ReadonlyMap<string, string>,
  ): void {
    const wrong = differencesOf(found, expected);
    const some = wrong.slice(0, 3).join(" ");
    const said = wrong.length === 0
      ? `${expected.size} found, ${KEYS - expected.size} not`
      : `${wrong.length} differ: ${some}`;
    this.#claim(what, wrong.length === 0, said);
  }

  #claim(what: string, claim: boolean, found: string | number = ""): void {
    const foreign = claim ? "" : this.#foreign.slice(0, 3).join("; ");
    this.#checks.check(claim, `${this.#party.name}: ${what}`, `${found}${foreign}`);
  }
}

function lastError({ errors }: Round): string {
  const [[key, error] = []] = errors;
  return `no round without errors: ${errors.size} of them, ${key}: ${error}`;
}

/** The keys whose values differ, or that only one of both has. */
function differencesOf(
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): string[] {
  const keys = new Set([...found.keys(), ...expected.keys()]);
  return [...keys].filter((key) => found.get(key) !== expected.get(key));
}
