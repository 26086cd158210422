// twemproxy, Debian's `nutcracker`, with the configuration of deploy/ in front of the nodes of the
// test: other addresses, shorter waits, and a second pool with its default hash.

import { freePort } from "../support/server.ts";
import { pause, until } from "../support/talk.ts";
import type { Party, Round } from "./party.ts";
import { KETAMA, KETAMA_FNV1A_64, type RingRules } from "./ring.ts";
import { TextConn } from "./text_conn.ts";

const HOST = "127.0.0.1";
const DEPLOYED = new URL("../../deploy/twemproxy/eject.yml", import.meta.url);
/** How long a node stays out, in milliseconds, in place of the 30 seconds of deploy/. */
const RETRY_MS = 1500;
/** How long an answer may take, in place of a quarter of a second: others use this machine, too. */
const TIMEOUT_MS = 1000;
const STATS_INTERVAL_MS = 50;
/** Connections to it that ask at the same time. */
const CONNS = 8;

/** The program; it is not on everybody's PATH. */
export const NUTCRACKER = "/usr/sbin/nutcracker";

/** The pools by name, with the hash that twemproxy calls so. */
const POOLS = { md5: KETAMA, fnv1a_64: KETAMA_FNV1A_64 } as const;

/** Name of one of the pools. */
export type PoolName = keyof typeof POOLS;

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
    const ports = { md5: freePort(), fnv1a_64: freePort() };
    const deployed = await Deno.readTextFile(DEPLOYED);
    const pools = (Object.keys(POOLS) as PoolName[]).map((hash) =>
      poolOf(deployed, hash, ports[hash], nodes)
    );
    await Deno.writeTextFile(`${folder}/conf.yml`, pools.join(""));
    const [, limit] = /server_failure_limit: (\d+)/.exec(deployed) ?? [];
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
    return new ProxyParty(`twemproxy ${pool}`, POOLS[pool], conns);
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

/** The deployed pool under another name, for these nodes. */
function poolOf(
  deployed: string,
  hash: PoolName,
  port: number,
  nodes: readonly string[],
): string {
  const servers = nodes.map((node) => `    - ${node}:1\n`).join("");
  const lines: readonly (readonly [RegExp, string])[] = [
    [/^cache:$/m, `${hash}:`],
    [/^ {2}listen: .*$/m, `  listen: ${HOST}:${port}`],
    [/^ {2}hash: md5$/m, `  hash: ${hash}`],
    [/^ {2}server_retry_timeout: .*$/m, `  server_retry_timeout: ${RETRY_MS}`],
    [/^ {2}timeout: .*$/m, `  timeout: ${TIMEOUT_MS}`],
    [/^ {2}servers:\n(?: {4}- .*\n)+/m, `  servers:\n${servers}`],
  ];
  return lines.reduce((text, [line, instead]) => {
    if (!line.test(text)) throw new Error(`deploy/twemproxy/eject.yml has no line ${line}`);
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
