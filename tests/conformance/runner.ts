// Plays scripts in every manner and counts what became of their steps.
//
// First every conversation whole, one after the other, with counters. Then, for those that passed,
// the cuts: conversations marked @alone one after the other, all others many at a time.

import type { Bed } from "./bed.ts";
import { type Manner, type Outcome, play, type Stage } from "./converse.ts";
import { cutRounds, type Cuts, fewOf } from "./cuts.ts";
import { appliesTo, type Conversation, type Script, type Step } from "./script.ts";

export interface RunOptions {
  readonly seed: number;
  /** Plays at the same time. */
  readonly jobs: number;
  readonly cuts: Cuts;
}

/** A step that failed, and in which manner of playing first. */
export interface Failure {
  readonly conversation: Conversation;
  readonly step: Step;
  readonly manner: Manner;
  readonly message: string;
}

export interface Report {
  readonly name: string;
  passed: number;
  skipped: number;
  plays: number;
  readonly failures: Failure[];
}

/** One play that is still to be made. */
interface Pending {
  readonly report: Report;
  readonly conversation: Conversation;
  readonly manner: Manner;
}

/** Plays all of `scripts`. @returns One report for each, in order. */
export async function runScripts(
  scripts: readonly Script[],
  bed: Bed,
  options: RunOptions,
): Promise<Report[]> {
  const runner = new Runner(bed, options);
  const reports: Report[] = [];
  for (const script of scripts) reports.push(await runner.whole(script));
  if (options.cuts !== "none") await runner.cuts();
  return reports;
}

class Runner {
  readonly #bed: Bed;
  readonly #options: RunOptions;
  readonly #passed: { report: Report; conversation: Conversation }[] = [];
  /** Conversations that have failed: their other plays would say the same. */
  readonly #failed = new Set<Conversation>();
  /** Makes the prefixes of this run differ from those of another process on the same server. */
  readonly #runId = Math.floor(Math.random() * 36 ** 3).toString(36).padStart(3, "0");
  /** Of all runs of this process, whose prefixes differ by it. */
  static #plays = 0;

  constructor(bed: Bed, options: RunOptions) {
    this.#bed = bed;
    this.#options = options;
  }

  async whole(script: Script): Promise<Report> {
    const report: Report = { name: script.name, passed: 0, skipped: 0, plays: 0, failures: [] };
    for (const conversation of script.conversations) {
      const outcomes = await this.#play({ report, conversation, manner: { kind: "whole" } });
      report.passed += outcomes.filter(({ result }) => result === "passed").length;
      report.skipped += outcomes.filter(({ result }) => result === "skipped").length;
      if (!this.#failed.has(conversation)) this.#passed.push({ report, conversation });
    }
    return report;
  }

  async cuts(): Promise<void> {
    const cut = this.#passed.filter(({ conversation: { whole, own } }) => !whole && !own);
    const alone = cut.filter(({ conversation }) => conversation.alone);
    const together = cut.filter(({ conversation }) => !conversation.alone);
    await this.#drain(this.#pending(alone), 1);
    await this.#drain(this.#pending(together), this.#options.jobs);
  }

  async *#pending(cut: readonly { report: Report; conversation: Conversation }[]) {
    for (const { report, conversation } of cut) {
      if (!this.#bed.canStart(conversation.args, conversation.own)) continue;
      if (!(await this.#applies(conversation))) continue;
      const { server } = await this.#bed.stage(conversation.args);
      if (!conversation.unglued.includes(server.name)) {
        yield { report, conversation, manner: { kind: "glued" } } as const;
      }
      if (this.#options.cuts === "glued") continue;
      yield { report, conversation, manner: { kind: "dribbled" } } as const;
      const rounds = cutRounds(conversation, server, this.#options.seed);
      for (const cuts of this.#options.cuts === "few" ? this.#few(rounds, conversation) : rounds) {
        yield { report, conversation, manner: { kind: "cut", cuts } } as const;
      }
    }
  }

  #few<Round>(rounds: readonly Round[], { line }: Conversation): Round[] {
    return fewOf(rounds, this.#options.seed + line);
  }

  async #drain(pending: AsyncGenerator<Pending>, jobs: number): Promise<void> {
    const work = async (): Promise<void> => {
      while (true) {
        const next = await pending.next();
        if (next.done === true) return;
        if (!this.#failed.has(next.value.conversation)) await this.#play(next.value);
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
  }

  /** Makes one play and notes its failures. */
  async #play({ report, conversation, manner }: Pending): Promise<Outcome[]> {
    const outcomes = await this.#outcomes(conversation, manner);
    report.plays++;
    for (const { step, result, message } of outcomes) {
      if (result !== "failed") continue;
      if (manner.kind !== "whole") {
        if (this.#failed.has(conversation)) break;
        report.passed--;
      }
      this.#failed.add(conversation);
      report.failures.push({ conversation, step, manner, message: message ?? "" });
    }
    return outcomes;
  }

  async #outcomes(conversation: Conversation, manner: Manner): Promise<Outcome[]> {
    const all = (result: "failed" | "skipped", message = ""): Outcome[] =>
      conversation.steps.map((step) => ({ step, result, message }));
    const { args, own } = conversation;
    if (!this.#bed.canStart(args, own)) return all("skipped");
    try {
      if (!(await this.#applies(conversation))) return all("skipped");
      const prefix = this.#nextPrefix();
      const playOn = async (stage: Stage): Promise<Outcome[]> => {
        const outcomes = await play(conversation, stage, prefix, manner);
        // Thousands of plays leave more than the server's memory holds.
        if (manner.kind !== "whole" && !own) await stage.control.remove(prefix);
        return outcomes;
      };
      if (own) return await this.#bed.withOwn(args, playOn);
      return await playOn(await this.#bed.stage(args));
    } catch (error) {
      return all("failed", error instanceof Error ? error.message : String(error));
    }
  }

  /** Asked of the server without flags: one with the flags might not even start. */
  async #applies({ condition }: Conversation): Promise<boolean> {
    return appliesTo(condition, (await this.#bed.stage([])).server);
  }

  #nextPrefix(): string {
    return `c${this.#runId}${(Runner.#plays++).toString(36).padStart(4, "0")}`;
  }
}

/** How `manner` was, in words, for the step at `index` of those played. */
export function describeManner(manner: Manner): string {
  switch (manner.kind) {
    case "whole":
      return "whole";
    case "dribbled":
      return "byte by byte";
    case "glued":
      return "all steps at once";
    case "cut":
      return `cut at ${manner.cuts.map((at) => at ?? "-").join(",")}`;
  }
}
