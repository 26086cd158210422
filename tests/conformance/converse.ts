// Plays a conversation against a server: whole, cut in two, byte by byte, or all at once.
//
// Whole:  each step's bytes in one write; counters are compared; a failed step does not end the
//         play, so that one mistake is one failure.
// Others: the first failure ends the play; counters are not looked at, many plays run at once.

import type { Address } from "../support/address.ts";
import { COMMAND_COUNTERS, type Control, type Counters } from "./control.ts";
import { Mismatch, receive, receiveClose } from "./expect.ts";
import { Link, type ProcessAddress } from "./link.ts";
import { parseRequest, parseResponse } from "./packet.ts";
import {
  appliesTo,
  type Conversation,
  type CounterMove,
  type Reply,
  type ServerKind,
  type Step,
  stepsFor,
} from "./script.ts";
import { concat, hasUnknown, parseTemplate, render, type Scope, ScriptError } from "./template.ts";

/** How the bytes of the steps are written. */
export type Manner =
  | { readonly kind: "whole" }
  /** For each step where it is cut in two, or undefined. */
  | { readonly kind: "cut"; readonly cuts: readonly (number | undefined)[] }
  /** Every byte in a write of its own. */
  | { readonly kind: "dribbled" }
  /** As many steps as possible in one write. */
  | { readonly kind: "glued" };

/** What a play needs to know of the server. */
export interface Stage {
  readonly address: Address | ProcessAddress;
  readonly server: ServerKind;
  readonly control: Control;
  /** Settles with the exit code when the server's process ends; undefined when unknown. */
  readonly exited?: Promise<number>;
  /** Its Unix time, in seconds, where that is not the time of this machine. */
  readonly now?: () => number;
  /** How long to wait for bytes, before the server counts as silent. */
  readonly waitMsMax: number;
}

/** What became of one step. */
export interface Outcome {
  readonly step: Step;
  readonly result: "passed" | "failed" | "skipped";
  /** Says what was different, for a failed step. */
  readonly message?: string;
}

const SENTINEL = new TextEncoder().encode("mn\r\n");
const SENTINEL_REPLY: Reply = { kind: "line", template: parseTemplate("MN") };
const BINARY_SENTINEL = parseRequest("NOOP opaque=0x7e57ab1e");
const BINARY_SENTINEL_REPLY: Reply = {
  kind: "packet",
  template: parseResponse("NOOP opaque=0x7e57ab1e"),
  text: "the NOOP at the end",
};
/** Steps above this many bytes are not dribbled. */
const DRIBBLE_BYTES_MAX = 160;
/** Bytes that the kernel surely takes, even when the server does not read. */
const UNREAD_BYTES_MAX = 64 * 1024;

/**
 * Plays `conversation` once.
 *
 * @param prefix Begins every key; no other play may use the same.
 * @returns An outcome for each step that was reached.
 */
export async function play(
  conversation: Conversation,
  stage: Stage,
  prefix: string,
  manner: Manner,
): Promise<Outcome[]> {
  const player = new Player(stage, { prefix, numbers: new Map(), now: stage.now }, manner);
  try {
    return await player.play(conversation.steps);
  } finally {
    player.close();
  }
}

class Player {
  readonly #stage: Stage;
  readonly #scope: Scope;
  readonly #manner: Manner;
  #link: Link | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(stage: Stage, scope: Scope, manner: Manner) {
    this.#stage = stage;
    this.#scope = scope;
    this.#manner = manner;
  }

  async play(all: readonly Step[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = all
      .filter((step) => !appliesTo(step.condition, this.#stage.server))
      .map((step) => ({ step, result: "skipped" }));
    const steps = stepsFor(all, this.#stage.server);
    const whole = this.#manner.kind === "whole";
    for (let i = 0; i < steps.length;) {
      const group = this.#group(steps, i);
      const last = i + group.length === steps.length;
      for (const outcome of await this.#playGroup(group, i, last)) {
        outcomes.push(outcome);
        if (outcome.result !== "failed") continue;
        this.close();
        if (!whole) return outcomes;
      }
      i += group.length;
    }
    return outcomes;
  }

  close(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  /** The steps from `from` that are written at once: one, except when glued. */
  #group(steps: readonly Step[], from: number): readonly Step[] {
    if (this.#manner.kind !== "glued") return steps.slice(from, from + 1);
    let to = from;
    while (to < steps.length) {
      const step = steps[to]!;
      const mustBeAlone = step.waitSecond || this.#waitsForNumber(step);
      if (to > from && mustBeAlone) break;
      to++;
      if (step.end.kind === "close" || step.end.kind === "exit") break;
    }
    return steps.slice(from, to);
  }

  #waitsForNumber(step: Step): boolean {
    return step.sends.some((template) => hasUnknown(template, this.#scope));
  }

  async #playGroup(steps: readonly Step[], index: number, last: boolean): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    let current = steps[0]!;
    try {
      if (current.waitSecond) await this.#stage.control.tick();
      const before = await this.#countersFor(current);
      const link = await this.#open();
      await this.#send(link, steps, index);
      for (const step of steps) {
        current = step;
        await receive(link, step.replies, this.#scope);
        await this.#end(link, step, last && step === steps.at(-1), steps.length === 1);
        if (before !== undefined) await this.#checkCounters(step.counters ?? [], before);
        outcomes.push({ step, result: "passed" });
      }
      await this.#sending;
    } catch (error) {
      outcomes.push({ step: current, result: "failed", message: messageOf(error) });
    }
    return outcomes;
  }

  async #open(): Promise<Link> {
    return this.#link ??= await Link.open(this.#stage.address, this.#stage.waitMsMax);
  }

  /** Settles once the bytes are sent, or are too many to be sure that the server takes them all. */
  async #send(link: Link, steps: readonly Step[], index: number): Promise<void> {
    const bytes = concat(steps.flatMap((step) => step.sends.map((of) => render(of, this.#scope))));
    this.#sending = this.#write(link, bytes, index);
    // A server may answer, and wait for us to read, before it has read all.
    if (bytes.length <= UNREAD_BYTES_MAX) await this.#sending;
  }

  async #write(link: Link, bytes: Uint8Array, index: number): Promise<void> {
    const cut = this.#manner.kind === "cut" ? this.#manner.cuts[index] : undefined;
    if (cut !== undefined && cut < bytes.length) {
      await link.send(bytes.subarray(0, cut));
      await serverReads();
      await link.send(bytes.subarray(cut));
    } else if (this.#manner.kind === "dribbled" && bytes.length <= DRIBBLE_BYTES_MAX) {
      for (let at = 0; at < bytes.length; at++) {
        await link.send(bytes.subarray(at, at + 1));
        await serverReads();
      }
    } else {
      await link.send(bytes);
    }
  }

  async #end(link: Link, step: Step, last: boolean, single: boolean): Promise<void> {
    switch (step.end.kind) {
      case "close":
        await receiveClose(link);
        this.close();
        return;
      case "exit": {
        this.close();
        const code = await this.#stage.exited;
        if (code === step.end.code) return;
        throw new Mismatch(`expected exit code ${step.end.code}, got ${code}`);
      }
      case "none":
        if (single || last) await this.#sentinel(link, step);
        return;
      case "open":
        if (last) await this.#sentinel(link, step);
    }
  }

  /** Shows that nothing more is to come, and that the server is ready for a command. */
  async #sentinel(link: Link, { isBinary }: Step): Promise<void> {
    await this.#sending;
    await link.send(isBinary ? render(BINARY_SENTINEL, this.#scope) : SENTINEL);
    await receive(link, [isBinary ? BINARY_SENTINEL_REPLY : SENTINEL_REPLY], this.#scope);
  }

  async #countersFor(step: Step): Promise<Counters | undefined> {
    if (this.#manner.kind !== "whole" || step.counters === undefined) return undefined;
    return await this.#stage.control.counters();
  }

  async #checkCounters(moves: readonly CounterMove[], before: Counters): Promise<void> {
    const after = await this.#stage.control.counters();
    const named = new Set(moves.map((move) => move.name));
    const still: CounterMove[] = COMMAND_COUNTERS
      .filter((name) => !named.has(name) && before.has(name))
      .map((name) => ({ name, delta: 0n }));
    const wrong = [...moves, ...still].flatMap(({ name, delta }) => {
      const [from, to] = [before.get(name), after.get(name)];
      if (from === undefined || to === undefined) return [`stats lack ${name}`];
      if (delta === undefined || to - from === delta) return [];
      return [`${name} moved by ${to - from}, not ${delta}`];
    });
    if (wrong.length > 0) throw new Mismatch(wrong.join("; "));
  }
}

/**
 * Gives the server the time to read what was sent. A whole turn of the event loop, about 1 ms:
 * there is no way to see that another process has read.
 */
function serverReads(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function messageOf(error: unknown): string {
  if (error instanceof Mismatch || error instanceof ScriptError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
