// Whether a party puts each key on the node that its ring names.

import type { Checks } from "../load/checks.ts";
import type { Nodes } from "./nodes.ts";
import type { Party } from "./party.ts";
import { Ring } from "./ring.ts";

const KEYS = 2000;

/** Keys of all kinds: short, long, and beyond ASCII, whose bytes hashes take as negative. */
function keysOf(prefix: string): string[] {
  return Array.from({ length: KEYS }, (_, at) => {
    const kinds = [`${at}`, `${at}-${"k".repeat(at % 200)}`, `ключ-${at}-日本`];
    return `${prefix}:${kinds[at % kinds.length]}`;
  });
}

/**
 * Stores keys by `party`, asks each node, compares.
 *
 * @param aliases The names in the ring, each with its node.
 */
export async function checkPlacement(
  checks: Checks,
  party: Party,
  nodes: Nodes,
  aliases: ReadonlyMap<string, string> = new Map(nodes.names.map((name) => [name, name])),
): Promise<void> {
  const keys = keysOf(party.name.replaceAll(" ", "-"));
  const ring = new Ring([...aliases.keys()], party.rules);
  const { errors } = await party.set(keys, "placed");
  const held = await nodes.held(keys);
  const wrong = keys.filter((key) =>
    nodes.names.some((name) => held.of(name).has(key) !== (aliases.get(ring.ownerOf(key)) === name))
  );
  const sizes = nodes.names.map((name) => held.of(name).size).join(" + ");
  const claim = errors.size === 0 && wrong.length === 0;
  const found = claim ? sizes : `${errors.size} errors, ${wrong.length} elsewhere: ${wrong[0]}`;
  checks.check(claim, `${party.name}: keys of all kinds are where the ring says`, found);
}

/**
 * Kills a node of a party that leaves none out: its keys are errors and no others, nothing moves,
 * and when it is back it is asked again.
 */
export async function checkFixed(
  checks: Checks,
  party: Party,
  nodes: Nodes,
  aliases: ReadonlyMap<string, string>,
): Promise<void> {
  const keys = keysOf(party.name.replaceAll(" ", "-"));
  const ring = new Ring([...aliases.keys()], party.rules);
  const [victim = ""] = nodes.names;
  const owned = new Set(keys.filter((key) => aliases.get(ring.ownerOf(key)) === victim));
  await nodes.kill(victim);
  const without = await party.get(keys);
  const wrong = keys.filter((key) =>
    owned.has(key) ? !without.errors.has(key) : without.values.get(key) !== "placed"
  );
  const [error = ""] = new Set(without.errors.values());
  const what = `${party.name}: without a node its keys are errors, the others are found`;
  checks.check(wrong.length === 0, what, `${without.errors.size} of ${KEYS}: ${error}`);

  await nodes.start(victim);
  const back = await party.get(keys);
  const misses = keys.filter((key) => !back.values.has(key) && !back.errors.has(key));
  const claim = misses.length === owned.size && misses.every((key) => owned.has(key));
  checks.check(claim, `${party.name}: when it is back, its keys are missing`, misses.length);
}
