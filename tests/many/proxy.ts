// twemproxy, Debian's `nutcracker`, with the configurations of deploy/ in front of the nodes of the
// test: other addresses, shorter waits, and one pool more with its default hash.

import { freePort } from "../support/server.ts";
import { pause, until } from "../support/talk.ts";
import type { Party, Round } from "./party.ts";
import { KETAMA, KETAMA_FNV1A_64, type RingRules } from "./ring.ts";
import { TextConn } from "./text_conn.ts";

const HOST = "127.0.0.1";
const DEPLOY = new URL("../../deploy/twemproxy/", import.meta.url).pathname;
/** How long a node stays out, in milliseconds, in place of the 30 seconds of deploy/. */
const RETRY_MS = 1500;
/** How long an answer may take, in place of a quarter of a second: others use this machine, too. */
const TIMEOUT_MS = 1000;
const STATS_INTERVAL_MS = 50;
/** Connections to it that ask at the same time. */
const CONNS = 8;

/** The program; it is not on everybody's PATH. */
export const NUTCRACKER = "/usr/sbin/nutcracker";

interface Pool {
  /** The configuration of deploy/ that it is. */
  readonly file: string;
  /** What twemproxy calls its hash. */
  readonly hash: string;
  readonly rules: RingRules;
  /** Names in its ring; without, there is one for each node, and it is the node's own. */
  readonly names?: number;
}

/** The pools; the named one has as many nodes as make twemproxy round their points down. */
const POOLS = {
  md5: { file: "eject.yml", hash: "md5", rules: KETAMA },
  fnv: { file: "eject.yml", hash: "fnv1a_64", rules: KETAMA_FNV1A_64 },
  named: { file: "named.yml", hash: "md5", rules: KETAMA, names: 25 },
} as const satisfies Readonly<Record<string, Pool>>;

/** Name of one of the pools. */
export type PoolName = keyof typeof POOLS;

const POOL_NAMES = Object.keys(POOLS) as PoolName[];

/** The names in the pool's ring, each with its node. */
export function aliasesOf(pool: PoolName, nodes: readonly string[]): Map<string, string> {
  const { names = 0 }: Pool = POOLS[pool];
  if (names === 0) return new Map(nodes.map((node) => [node, node]));
  return new Map(
    Array.from({ length: names }, (_, at) => [`cache-${at}`, nodes[at % nodes.length]!] as const),
  );
}

/** A running nutcracker. */
export class Proxy {
  readonly #ports: Readonly<Record<PoolName, number>>;
  readonly #statsPort: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  /** Failures of a node until it is left out, as deploy/ has it. */
  readonly failureLimit: number;

  private constructor(
    ports: Readonly<Record<PoolName, number>>,
    statsPort: number,
    folder: string,
    failureLimit: number,
  ) {
    this.#ports = ports;
    this.#statsPort = statsPort;
    this.#folder = folder;
    this.failureLimit = failureLimit;
    this.#child = new Deno.Command(NUTCRACKER, {
      args: [
        ...["-c", `${folder}/conf.yml`, "-o", `${folder}/log`, "-p", `${folder}/pid`],
        ...["-a", HOST, "-s", String(statsPort), "-i", String(STATS_INTERVAL_MS)],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Starts it in front of `nodes`, each `host:port`. */
  static async start(nodes: readonly string[]): Promise<Proxy> {
    const folder = await Deno.makeTempDir({ prefix: "memden-many-" });
    const ports = { md5: freePort(), fnv: freePort(), named: freePort() };
    const pools = POOL_NAMES.map((pool) => configurationOf(pool, ports[pool], nodes)).join("");
    await Deno.writeTextFile(`${folder}/conf.yml`, pools);
    const [, limit] = /server_failure_limit: (\d+)/.exec(pools) ?? [];
    const proxy = new Proxy(ports, freePort(), folder, Number(limit));
    await until("nutcracker answers", async () => await proxy.#answers());
    return proxy;
  }

  /** A connection to the pool. */
  connect(pool: PoolName, waitMsMax?: number): Promise<TextConn> {
    return TextConn.open(HOST, this.#ports[pool], waitMsMax);
  }

  /** The pool as a party. */
  async party(pool: PoolName): Promise<ProxyParty> {
    const conns = await Promise.all(Array.from({ length: CONNS }, () => this.connect(pool)));
    return new ProxyParty(`twemproxy ${pool}`, POOLS[pool].rules, conns);
  }

  /** How often the pool has left a node out. */
  async ejections(pool: PoolName): Promise<number> {
    await pause(3 * STATS_INTERVAL_MS);
    using conn = await Deno.connect({ hostname: HOST, port: this.#statsPort });
    const stats = JSON.parse(await new Response(conn.readable).text());
    return stats[pool].server_ejects;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #answers(): Promise<boolean> {
    try {
      using conn = await this.connect("md5");
      return (await conn.ask("version")).startsWith("VERSION");
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return false;
      throw error;
    }
  }
}

/** The deployed configuration, for this pool and these nodes. */
function configurationOf(pool: PoolName, port: number, nodes: readonly string[]): string {
  const { file, hash } = POOLS[pool];
  const servers = [...aliasesOf(pool, nodes)].map(([name, node]) =>
    `    - ${node}:1${name === node ? "" : ` ${name}`}\n`
  );
  const lines: readonly (readonly [RegExp, string])[] = [
    [/^cache:$/m, `${pool}:`],
    [/^ {2}listen: .*$/m, `  listen: ${HOST}:${port}`],
    [/^ {2}hash: md5$/m, `  hash: ${hash}`],
    [/^ {2}timeout: .*$/m, `  timeout: ${TIMEOUT_MS}`],
    [/^ {2}servers:\n(?: {4}- .*\n)+/m, `  servers:\n${servers.join("")}`],
  ];
  const deployed = Deno.readTextFileSync(DEPLOY + file)
    .replace(/^( {2}server_retry_timeout): .*$/m, `$1: ${RETRY_MS}`);
  return lines.reduce((text, [line, instead]) => {
    if (!line.test(text)) throw new Error(`deploy/twemproxy/${file} has no line ${line}`);
    return text.replace(line, instead);
  }, deployed);
}

/** Clients of a pool: some connections, one request at a time on each. */
export class ProxyParty implements Party {
  readonly name: string;
  readonly rules: RingRules;
  readonly conns: readonly TextConn[];

  constructor(name: string, rules: RingRules, conns: readonly TextConn[]) {
    this.name = name;
    this.rules = rules;
    this.conns = conns;
  }

  async set(keys: readonly string[], value: string): Promise<Round> {
    const errors = new Map<string, string>();
    await this.#each(keys, async (conn, key) => {
      const line = await conn.set(key, value);
      if (line !== "STORED") errors.set(key, line);
    });
    return { values: new Map(), errors };
  }

  async get(keys: readonly string[]): Promise<Round> {
    const values = new Map<string, string>();
    const errors = new Map<string, string>();
    await this.#each(keys, async (conn, key) => {
      const answer = await conn.get(key);
      if (answer.kind === "hit") values.set(key, answer.value);
      else if (answer.kind === "error") errors.set(key, answer.line);
    });
    return { values, errors };
  }

  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.conns[0]!.getMany(keys);
  }

  async rejoin(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.conns) conn.close();
    return Promise.resolve();
  }

  /** Shares the keys among the connections. */
  async #each(
    keys: readonly string[],
    ask: (conn: TextConn, key: string) => Promise<void>,
  ): Promise<void> {
    const left = [...keys];
    await Promise.all(this.conns.map(async (conn) => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) await ask(conn, key);
    }));
  }
}
