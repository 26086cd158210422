// `deno task many`: four memdens behind what the world spreads keys with: twemproxy, libmemcached
// and npm's memcached. One node is killed, comes back, dies again and hangs; where each key is and
// what each get finds is predicted by a ring of our own, key by key.
//
// A party that cannot run here is skipped, and said so; exit code 77 when there is none that can.
// deno-lint-ignore-file no-console

import { Checks } from "../load/checks.ts";
import { ensurePackages } from "../support/packages.ts";
import { checkCommands } from "./commands.ts";
import { checkConfigurations } from "./configurations.ts";
import { Driver, type DriverStart } from "./driver.ts";
import { Nodes } from "./nodes.ts";
import type { Party } from "./party.ts";
import { checkFixed, checkPlacement } from "./placement.ts";
import { aliasesOf, NUTCRACKER, Proxy } from "./proxy.ts";
import { HASHRING, KETAMA, LIBMEMCACHED_PLAIN } from "./ring.ts";
import { Story } from "./story.ts";

const NODES = 4;
const HERE = new URL(".", import.meta.url).pathname;
const CANNOT_RUN = 77;

// Debian's packages are for Debian's own interpreter.
const PYTHON = "/usr/bin/python3";
const PYLIBMC = `${HERE}pylibmc_driver.py`;
// npm's memcached inherits by assigning `__proto__`, which Deno takes away.
const DENO_ARGS = ["run", "--allow-all", "--unstable-unsafe-proto"];

const WEIGHTED: DriverStart = {
  name: "pylibmc",
  rules: KETAMA,
  command: [PYTHON, "-B", "-u", PYLIBMC, "weighted"],
};
const PLAIN: DriverStart = {
  name: "pylibmc ketama",
  rules: LIBMEMCACHED_PLAIN,
  command: [PYTHON, "-B", "-u", PYLIBMC, "plain"],
};
const NPM: DriverStart = {
  name: "npm memcached",
  rules: HASHRING,
  command: [Deno.execPath(), ...DENO_ARGS, `${HERE}memcached_driver.ts`],
};

/** The death and return of a node, as a client lives through it. */
async function tell(checks: Checks, party: Party, nodes: Nodes, victim: string): Promise<Story> {
  const story = new Story(checks, party, nodes);
  await story.load();
  await story.loseNode(victim);
  await story.returnNode(victim);
  await story.meetStale(victim);
  return story;
}

async function withProxy(checks: Checks, nodes: Nodes): Promise<void> {
  await using proxy = await Proxy.start(nodes.names);
  await checkCommands(checks, proxy, nodes);

  await using party = await proxy.party("md5");
  const story = await tell(checks, party, nodes, nodes.names[1]!);
  const ejections = await proxy.ejections("md5");
  // A failure takes with it what is under way: at most one request of each connection.
  const most = proxy.failureLimit * party.conns.length * (ejections + 1);
  checks.check(
    story.errors > 0 && story.errors <= most,
    `twemproxy md5: errors are few: at most ${most} with ${ejections} ejections`,
    story.errors,
  );
  await story.hang(nodes.names[2]!);

  await using second = await proxy.party("fnv");
  await checkPlacement(checks, second, nodes);
  await using named = await proxy.party("named");
  const aliases = aliasesOf("named", nodes.names);
  await checkPlacement(checks, named, nodes, aliases);
  await checkFixed(checks, named, nodes, aliases);
}

async function withDrivers(checks: Checks, nodes: Nodes, starts: readonly DriverStart[]) {
  for (const start of starts) {
    await using party = new Driver(start, nodes.names);
    if (start === PLAIN) await checkPlacement(checks, party, nodes);
    else await tell(checks, party, nodes, nodes.names[3]!);
  }
}

async function canFetch(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", `${HERE}memcached_driver.ts`],
  }).output();
  return success;
}

async function main(): Promise<number> {
  const checks = new Checks();
  const [hasProxy, hasPylibmc, hasNpm] = [
    await ensurePackages(["nutcracker"]),
    await ensurePackages(["python3-pylibmc"]),
    await canFetch(),
  ];
  const missing = [
    ...(hasProxy ? [] : ["nutcracker"]),
    ...(hasPylibmc ? [] : ["python3-pylibmc"]),
    ...(hasNpm ? [] : ["npm memcached"]),
  ];
  for (const name of missing) console.log(`SKIPPED ${name}: it cannot be installed here`);
  if (missing.length === 3) return CANNOT_RUN;

  await checkConfigurations(checks, hasProxy ? NUTCRACKER : undefined);
  const nodes = await Nodes.start(NODES);
  try {
    if (hasProxy) await withProxy(checks, nodes);
    if (hasPylibmc) await withDrivers(checks, nodes, [WEIGHTED, PLAIN]);
    if (hasNpm) await withDrivers(checks, nodes, [NPM]);
  } finally {
    await nodes.stop();
  }
  const skipped = missing.length === 0 ? "" : `, ${missing.length} skipped`;
  console.log(`${checks.passed} passed, ${checks.failed} failed${skipped}`);
  return checks.failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
