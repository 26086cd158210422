// Four memdens on ports of their own: killed by their pid, started again on the same port, stopped
// and continued, and asked one by one what they hold.

import { freePort, startMemden, type TestServer } from "../support/server.ts";
import { TextConn } from "./text_conn.ts";
import { nodeName } from "./ring.ts";

const HOST = "127.0.0.1";
const ARGS = ["-t", "1", "-m", "64"];

/** Keys with their values, by node. */
export class Holdings {
  readonly #values = new Map<string, Map<string, string>>();

  /** The node `name` has `values`. */
  add(name: string, values: Map<string, string> = new Map()): void {
    this.#values.set(name, values);
  }

  /** The node `name` is gone, with what it had. */
  remove(name: string): void {
    this.#values.delete(name);
  }

  /** What the node `name` has; nothing where there is no such node. */
  of(name: string): ReadonlyMap<string, string> {
    return this.#values.get(name) ?? new Map();
  }

  /** The node `name` stores a value. */
  set(name: string, key: string, value: string): void {
    const values = this.#values.get(name);
    if (values === undefined) throw new Error(`There is no node ${name}`);
    values.set(key, value);
  }
}

/** The nodes behind the proxies and clients under test. */
export class Nodes {
  /** By name, as they are in a ring. */
  readonly #servers = new Map<string, TestServer>();
  readonly #ports = new Map<string, number>();

  private constructor() {}

  /** Starts `count` nodes. */
  static async start(count: number): Promise<Nodes> {
    const nodes = new Nodes();
    const ports = new Set<number>();
    while (ports.size < count) ports.add(freePort());
    for (const port of ports) nodes.#ports.set(nodeName(HOST, port), port);
    await Promise.all(nodes.names.map((name) => nodes.start(name)));
    return nodes;
  }

  /** The names: `host:port`. */
  get names(): string[] {
    return [...this.#ports.keys()];
  }

  /** Starts the node `name`, on the port that it has always had. */
  async start(name: string): Promise<void> {
    const port = this.#port(name);
    const listen = {
      args: ["-l", HOST, "-p", String(port)],
      address: { hostname: HOST, port },
    };
    this.#servers.set(name, await startMemden(ARGS, { listen }));
    // The port is open before the threads are there; without this the first request would wait.
    using conn = await this.connect(name);
    await conn.ask("version");
  }

  /** Kills the node `name`, so that it has no time for anything. */
  async kill(name: string): Promise<void> {
    const server = this.#server(name);
    Deno.kill(server.pid, "SIGKILL");
    await server.exited;
    this.#servers.delete(name);
  }

  /** Halts the node: its kernel goes on taking connections and bytes, nobody answers. */
  halt(name: string): void {
    Deno.kill(this.#server(name).pid, "SIGSTOP");
  }

  /** Lets a halted node go on, with all that it holds. */
  proceed(name: string): void {
    Deno.kill(this.#server(name).pid, "SIGCONT");
  }

  /** What each living node has of `keys`, asked without a proxy. */
  async held(keys: readonly string[]): Promise<Holdings> {
    const held = new Holdings();
    for (const name of this.#servers.keys()) {
      using conn = await this.connect(name);
      held.add(name, await conn.getMany(keys));
    }
    return held;
  }

  /** A connection to the node `name`. */
  connect(name: string): Promise<TextConn> {
    return TextConn.open(HOST, this.#port(name));
  }

  #port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`There is no node ${name}`);
    return port;
  }

  #server(name: string): TestServer {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`The node ${name} does not live`);
    return server;
  }

  /** Stops those that live. */
  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
  }
}
