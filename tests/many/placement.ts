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

/** Stores keys by `party`, asks each node, compares. */
export async function checkPlacement(checks: Checks, party: Party, nodes: Nodes): Promise<void> {
  const keys = keysOf(party.name.replaceAll(" ", "-"));
  const ring = new Ring(nodes.names, party.rules);
  const { errors } = await party.set(keys, "placed");
  const held = await nodes.held(keys);
  const wrong = keys.filter((key) =>
    nodes.names.some((name) => held.get(name)!.has(key) !== (ring.ownerOf(key) === name))
  );
  const sizes = nodes.names.map((name) => held.get(name)!.size).join(" + ");
  const claim = errors.size === 0 && wrong.length === 0;
  const found = claim ? sizes : `${errors.size} errors, ${wrong.length} elsewhere: ${wrong[0]}`;
  checks.check(claim, `${party.name}: keys of all kinds are where the ring says`, found);
}
