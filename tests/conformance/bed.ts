// The servers that scripts are played against: started when first needed, one for each set of
// flags, started again when one has died, and all stopped at the end.

import { startMemcached, startMemden } from "../support/server.ts";
import type { Address } from "../support/address.ts";
import type { Over } from "../support/ways.ts";
import { Control } from "./control.ts";
import type { Stage } from "./converse.ts";
import { Link, type ProcessAddress } from "./link.ts";
import { parseVersion, type ServerName, type Version } from "./script.ts";

/** Against what the scripts are played. */
export type Target =
  /** Servers started for it, and the way in to them; `program` is the memden to start. */
  | {
    readonly kind: ServerName;
    readonly over: Over;
    readonly program?: string;
    /** Starts one in this process instead. */
    readonly start?: (args: readonly string[]) => Promise<StartedServer>;
  }
  /** A server that somebody else runs; `name` says which rows are meant for it. */
  | { readonly kind: "running"; readonly address: Address; readonly name: ServerName };

/** Where servers are started: their flags may name files of the checkout. */
const ROOT = new URL("../../", import.meta.url);

/** What is needed of a server that was started. */
export interface StartedServer {
  readonly address: Address | ProcessAddress;
  readonly exited: Promise<number>;
  stderr(): string;
  stop(): Promise<number>;
  /** Lets a second pass, and shows Unix time: for a server whose clock does not go by itself. */
  tick?(): void;
  now?(): number;
}

/** A stage and, when we started it, the server below it. */
interface Place {
  readonly stage: Stage;
  readonly server: StartedServer | undefined;
  died: boolean;
}

export class Bed {
  readonly #target: Target;
  readonly #waitMsMax: number;
  readonly #places = new Map<string, Promise<Place>>();

  constructor(target: Target, waitMsMax: number) {
    this.#target = target;
    this.#waitMsMax = waitMsMax;
  }

  /** Whether a server with these flags can be had. */
  canStart(args: readonly string[], own: boolean): boolean {
    return this.#target.kind !== "running" || (args.length === 0 && !own);
  }

  /** The shared server with these flags. */
  async stage(args: readonly string[]): Promise<Stage> {
    const key = args.join(" ");
    let place = this.#places.get(key);
    if (place === undefined || (await place).died) {
      place = this.#start(args);
      this.#places.set(key, place);
      // Not kept, so that the next one who needs it sees why it does not start.
      place.catch(() => this.#places.delete(key));
    }
    return (await place).stage;
  }

  /** Runs `use` on a server of its own, which is stopped afterwards. */
  async withOwn<T>(args: readonly string[], use: (stage: Stage) => Promise<T>): Promise<T> {
    const place = await this.#start(args);
    try {
      return await use(place.stage);
    } finally {
      await stop(place);
    }
  }

  /** What the servers that died by themselves wrote, for the report. */
  async obituaries(): Promise<string[]> {
    const places = await Promise.all(this.#places.values());
    return places.filter((place) => place.died).map((place) => place.server?.stderr() ?? "");
  }

  async close(): Promise<void> {
    await Promise.all((await Promise.all(this.#places.values())).map(stop));
  }

  async #start(args: readonly string[]): Promise<Place> {
    const target = this.#target;
    if (target.kind === "running") {
      return await this.#place(target.name, "tcp", target.address);
    }
    const { kind, over, program, start } = target;
    const options = program === undefined ? { over } : { over, program };
    const server = start === undefined
      ? await (kind === "memden" ? startMemden : startMemcached)(args, options)
      : await start(args);
    return await this.#place(kind, over, server.address, server, await tokenFor(args));
  }

  async #place(
    name: ServerName,
    over: Over,
    address: Address | ProcessAddress,
    server?: StartedServer,
    token?: string,
  ): Promise<Place> {
    const place: Place = {
      server,
      died: false,
      stage: {
        address,
        server: { name, over, version: await versionOf(address, this.#waitMsMax, token) },
        control: await Control.open(address, this.#waitMsMax, token, server?.tick?.bind(server)),
        ...(server?.now === undefined ? {} : { now: server.now.bind(server) }),
        waitMsMax: this.#waitMsMax,
        ...(server === undefined ? {} : { exited: server.exited }),
      },
    };
    void server?.exited.then(() => place.died = true);
    return place;
  }
}

async function stop(place: Place): Promise<void> {
  place.stage.control.close();
  await place.server?.stop();
}

/** What to log in with on a server with `args`: the first line of its file; see `-Y`. */
async function tokenFor(args: readonly string[]): Promise<string | undefined> {
  const at = args.indexOf("-Y");
  if (at < 0) return undefined;
  const text = await Deno.readTextFile(new URL(args[at + 1]!, ROOT));
  return text.split("\n")[0]!.replace(":", " ");
}

async function versionOf(
  address: Address | ProcessAddress,
  waitMsMax: number,
  token: string | undefined,
): Promise<Version> {
  using link = await Link.open(address, waitMsMax);
  await link.logIn(token);
  await link.send(new TextEncoder().encode("version\r\n"));
  const line = new TextDecoder().decode(await link.line());
  const match = /^VERSION (\d+(?:\.\d+)*)/.exec(line);
  if (match === null) throw new Error(`The server does not tell its version: ${line}`);
  return parseVersion(match[1]!);
}
