// What a round of the store fuzzer does: how often each command comes, and the keys it names.

import type { Prng } from "../../lib/base/prng.ts";

// deno-fmt-ignore
const COMMANDS = [
  "set", "add", "replace", "append", "prepend", "cas", "incr", "decr", "delete", "touch", "get",
  "gat", "hold", "letGo", "flush", "flushAt", "tick", "maintain", "reassign", "crawl", "mode",
  "memlimit",
] as const;
/** What one step of a round does. */
export type Command = typeof COMMANDS[number];

const SELDOM: ReadonlySet<Command> = new Set(["flush", "flushAt", "mode", "memlimit"]);

/** Commands to pick from: each as often as its weight, which may be 0. */
export function drawCommands(prng: Prng): readonly Command[] {
  const commands = COMMANDS.flatMap((command) => {
    const weight = prng.below(SELDOM.has(command) ? 2 : 8);
    return new Array<Command>(SELDOM.has(command) ? weight : weight * 4).fill(command);
  });
  return commands.length === 0 ? ["set", "get"] : commands;
}

/** The keys of a round: few or many, short or as long as a key may be. */
export function drawKeys(prng: Prng): readonly string[] {
  const count = prng.pick([3, 30, 100, 300, 1000]);
  return Array.from({ length: count }, (_, n) => `k${n}`.padEnd(prng.pick([1, 9, 250]), "-"));
}
