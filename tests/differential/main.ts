// Sends the same random conversations to Debian's memcached and to memden and compares the replies
// byte for byte, except for the differences of differences.ts.
//
//   deno run --allow-all tests/differential/main.ts [--seed N] [--rounds N] [--length N]
//     --memcached HOST:PORT   --memden HOST:PORT   use running servers instead of starting them
//
// A failure prints the seed and the shortest run of requests that still shows it.

import { parseArgs } from "@std/cli/parse-args";
import { Prng } from "../../lib/base/prng.ts";
import type { Address } from "../support/address.ts";
import { startMemcached, startMemden, type TestServer } from "../support/server.ts";
import { knownDifference, looksPastNumber } from "./differences.ts";
import { type Answer, Player, show, type Unit } from "./player.ts";
import { Generator, type Request } from "./request.ts";

/** The servers, as they are reached. */
interface Servers {
  readonly memcached: Address;
  readonly memden: Address;
}

/** A unit to which the servers answered differently, and no known difference says why. */
interface Divergence {
  /** Index of the last request of the unit. */
  readonly last: number;
  readonly memcached: Answer;
  readonly memden: Answer;
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly seed?: string;
  readonly rounds: string;
  readonly length: string;
  readonly memcached?: string;
  readonly memden?: string;
}

/**
 * Without its background threads memcached is the same every time. A queued LRU bump holds an item,
 * and an incr that would make a held item shorter does not fill it with spaces, but replaces it.
 */
const MEMCACHED_ARGS = ["-o", "no_lru_maintainer,no_lru_crawler"];

/** How often known differences were met, by name. */
const met = new Map<string, number>();
const RUN_ID = Math.floor(Math.random() * 36 ** 3).toString(36).padStart(3, "0");
let plays = 0;

/** Plays `requests` on both servers. @returns undefined when they agreed throughout. */
async function compare(
  servers: Servers,
  requests: readonly Request[],
  seed: number,
): Promise<Divergence | undefined> {
  const prefix = `d${RUN_ID}${(plays++).toString(36).padStart(4, "0")}`;
  const players = [
    new Player(servers.memcached, prefix),
    new Player(servers.memden, prefix),
  ] as const;
  const prng = new Prng(seed);
  try {
    for (let from = 0; from < requests.length;) {
      let to = from + 1;
      while (to < requests.length && !requests[to - 1]!.sync && !requests[to]!.odd) to++;
      const unit = {
        requests: requests.slice(from, to),
        cutAt: prng.pick([0, prng.below(100) / 100]),
      };
      const [memcached, memden] = await answers(players, unit);
      if (!same(memcached, memden) && !isKnown(unit, memcached, memden)) {
        const request = unit.requests.map(({ text }) => text).join("");
        if (looksPastNumber({ request, memcached, memden })) return undefined;
        return { last: to - 1, memcached, memden };
      }
      from = to;
    }
    return undefined;
  } finally {
    players.forEach((player) => player.close());
  }
}

function answers(players: readonly [Player, Player], unit: Unit): Promise<[Answer, Answer]> {
  return Promise.all([players[0].answer(unit), players[1].answer(unit)]);
}

function same(a: Answer, b: Answer): boolean {
  return a.text === b.text && a.ended === b.ended;
}

function isKnown(unit: Unit, memcached: Answer, memden: Answer): boolean {
  if (unit.requests.length !== 1) return false;
  const known = knownDifference({ request: unit.requests[0]!.text, memcached, memden });
  if (known === undefined) return false;
  met.set(known.name, (met.get(known.name) ?? 0) + 1);
  return true;
}

/** Drops requests as long as what is left still diverges. */
async function shrink(
  servers: Servers,
  requests: readonly Request[],
  seed: number,
): Promise<readonly Request[]> {
  let left = requests;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length;) {
      const fewer = left.toSpliced(at, size);
      const divergence = await compare(servers, fewer, seed);
      if (divergence === undefined) at += size;
      else left = fewer.slice(0, divergence.last + 1);
    }
  }
  return left;
}

async function round(servers: Servers, seed: number, length: number): Promise<boolean> {
  const requests = new Generator(new Prng(seed)).conversation(length);
  const divergence = await compare(servers, requests, seed);
  if (divergence === undefined) return true;
  const prefix = requests.slice(0, divergence.last + 1);
  let shortest: readonly Request[] = await shrink(servers, prefix, seed);
  let shown = await compare(servers, shortest, seed);
  print(`seed ${seed}: the servers differ after ${divergence.last + 1} requests; shortest:`);
  if (shown === undefined) {
    print("  (not always: the last attempt agreed, so all requests and the first replies follow)");
    [shortest, shown] = [prefix, divergence];
  }
  for (const { text, sync } of shortest) print(`  > ${clip(show(text))}${sync ? "" : "  (no mn)"}`);
  print(`  memcached (${shown.memcached.ended}): ${clip(show(shown.memcached.text))}`);
  print(`  memden    (${shown.memden.ended}): ${clip(show(shown.memden.text))}`);
  return false;
}

function clip(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function reach(
  given: string | undefined,
  start: () => Promise<TestServer>,
  started: TestServer[],
): Promise<Address> {
  if (given !== undefined) {
    const [hostname = "", port] = given.split(":");
    return { hostname, port: Number(port) };
  }
  const server = await start();
  started.push(server);
  return server.address;
}

async function main(args: string[]): Promise<number> {
  const options: Options = parseArgs(args, {
    string: ["seed", "rounds", "length", "memcached", "memden"],
    default: { rounds: "100", length: "150" },
    unknown: (name: string) => {
      throw new Error(`Unknown option ${name}`);
    },
  });
  const first = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
  print(`seed ${first}`);
  const started: TestServer[] = [];
  let failed = 0;
  const rounds = Number(options.rounds);
  try {
    const servers: Servers = {
      memcached: await reach(options.memcached, () => startMemcached(MEMCACHED_ARGS), started),
      memden: await reach(options.memden, () => startMemden(), started),
    };
    for (let i = 0; i < rounds; i++) {
      if (!(await round(servers, first + i, Number(options.length)))) failed++;
    }
  } finally {
    for (const server of started) await server.stop();
  }
  for (const [name, count] of met) print(`known difference, ${count} times: ${name}`);
  print(`${rounds - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
