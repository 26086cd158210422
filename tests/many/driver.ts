// A client library in a process of its own, told by lines of JSON what to do: so that its sockets,
// its blocking calls and its interpreter are its own.

import type { RingRules } from "./ring.ts";
import type { Party, Round } from "./party.ts";

interface Reply {
  readonly values: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
}

/** How to run a client. */
export interface DriverStart {
  readonly name: string;
  readonly rules: RingRules;
  /** Program and arguments; the nodes' names go behind them. */
  readonly command: readonly [string, ...string[]];
}

/** The client process of one party. */
export class Driver implements Party {
  readonly name: string;
  readonly rules: RingRules;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #received = "";

  constructor({ name, rules, command }: DriverStart, nodes: readonly string[]) {
    this.name = name;
    this.rules = rules;
    const [program, ...args] = command;
    this.#child = new Deno.Command(program, {
      args: [...args, ...nodes],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  set(keys: readonly string[], value: string): Promise<Round> {
    return this.#ask({ op: "set", keys, value });
  }

  get(keys: readonly string[]): Promise<Round> {
    return this.#ask({ op: "get", keys });
  }

  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return (await this.#ask({ op: "getMany", keys })).values;
  }

  async rejoin(): Promise<void> {
    await this.#ask({ op: "rejoin", keys: [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }

  async #ask(request: { op: string; keys: readonly string[]; value?: string }): Promise<Round> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    while (!this.#received.includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`${this.name} ended during ${request.op}`);
      this.#received += value;
    }
    const at = this.#received.indexOf("\n");
    const { values, errors }: Reply = JSON.parse(this.#received.slice(0, at));
    this.#received = this.#received.slice(at + 1);
    return { values: new Map(Object.entries(values)), errors: new Map(Object.entries(errors)) };
  }
}
