// The script form: text in, conversations out. README.md describes the form for those who write it.
//
//   script        conversations, each begun by a line "== title"
//   conversation  steps on one connection, in order; nothing of it depends on another conversation
//   step          bytes sent at once, the replies that must follow, and the counters that must move

import { type Over, parseOver } from "../support/ways.ts";
import { parseRequest, parseResponse } from "./packet.ts";
import { parseTemplate, ScriptError, type Template } from "./template.ts";

/** Which program a server is. */
export type ServerName = "memden" | "memcached";

/** A release, such as [1, 6, 45]. */
export type Version = readonly number[];

/** A server that scripts are played against. */
export interface ServerKind {
  readonly name: ServerName;
  readonly version: Version;
  /** The way in. */
  readonly over: Over;
}

/** For which servers a conversation or a step is meant; empty: for all. */
export interface Condition {
  readonly only?: ServerName;
  /** memden counts as the newest release. */
  readonly since?: Version;
  /** The first release that answers otherwise. */
  readonly until?: Version;
  /** memden cannot do this yet. */
  readonly later?: boolean;
  /** The ways in that it holds for; undefined for all. */
  readonly over?: readonly Over[];
}

/** One thing that must be received. */
export type Reply =
  | { readonly kind: "line"; readonly template: Template }
  | { readonly kind: "raw"; readonly template: Template }
  /** A regular expression for a whole line; `$name` in it stands for a key. */
  | { readonly kind: "pattern"; readonly source: string; readonly end: "\r\n" | "\n" }
  /** Any lines, up to the next one that is expected. */
  | { readonly kind: "skip" }
  /** A packet of the binary protocol. */
  | { readonly kind: "packet"; readonly template: Template; readonly text: string }
  /** Any packets, up to the next one that is expected. */
  | { readonly kind: "skip packets" };

/** What must be true once the replies of a step are in. */
export type End =
  /** Nothing is checked here: whatever comes besides will spoil the next step. */
  | { readonly kind: "open" }
  /** Nothing comes besides, as an `mn` shows. */
  | { readonly kind: "none" }
  /** The server closes the connection. */
  | { readonly kind: "close" }
  /** The server's process ends with this code. */
  | { readonly kind: "exit"; readonly code: number };

/** How far a counter of `stats` must have moved. */
export interface CounterMove {
  readonly name: string;
  /** undefined: it may move as it likes. */
  readonly delta: bigint | undefined;
}

export interface Step {
  /** Line of the script, from 1. */
  readonly line: number;
  readonly condition: Condition;
  readonly waitSecond: boolean;
  readonly sends: readonly Template[];
  /** It sends packets of the binary protocol. */
  readonly isBinary: boolean;
  readonly replies: readonly Reply[];
  readonly end: End;
  /** undefined: counters are not looked at. */
  readonly counters: readonly CounterMove[] | undefined;
}

/** Directives above a conversation's first step. */
export interface Header {
  condition: Condition;
  /** Flags that the server is started with. */
  args: readonly string[];
  /** It changes the whole server: nothing else is played meanwhile. */
  alone: boolean;
  /** It is not cut. */
  whole: boolean;
  /** Every play gets a server of its own. */
  own: boolean;
  /** Servers to which its steps are never sent all at once. */
  unglued: readonly ServerName[];
}

export interface Conversation extends Readonly<Header> {
  readonly title: string;
  readonly line: number;
  readonly steps: readonly Step[];
}

export interface Script {
  readonly name: string;
  readonly conversations: readonly Conversation[];
}

const CRLF = parseTemplate("\\r\\n");

/** Parses a whole script. @throws {ScriptError} Naming file and line. */
export function parseScript(name: string, text: string): Script {
  const parser = new Parser();
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    try {
      parser.line(line, index + 1);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      throw new ScriptError(`${name}:${index + 1}: ${error.message}`);
    }
  });
  try {
    return { name, conversations: parser.finish() };
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    throw new ScriptError(`${name}: ${error.message}`);
  }
}

/** Reads a release number such as `1.6.45`. @throws {ScriptError} */
export function parseVersion(text: string): Version {
  if (!/^\d+(\.\d+)*$/.test(text)) throw new ScriptError(`"${text}" is not a version`);
  return text.split(".").map(Number);
}

/** Whether `condition` holds for `server`. */
export function appliesTo(condition: Condition, server: ServerKind): boolean {
  if (condition.only !== undefined && condition.only !== server.name) return false;
  if (condition.over !== undefined && !condition.over.includes(server.over)) return false;
  if (server.name === "memden") return condition.until === undefined && condition.later !== true;
  if (condition.since !== undefined && isOlder(server.version, condition.since)) return false;
  return condition.until === undefined || isOlder(server.version, condition.until);
}

/** Those of `steps` that are meant for `server`. */
export function stepsFor(steps: readonly Step[], server: ServerKind): readonly Step[] {
  return steps.filter((step) => appliesTo(step.condition, server));
}

function isOlder(version: Version, than: Version): boolean {
  for (let i = 0; i < Math.max(version.length, than.length); i++) {
    const difference = (version[i] ?? 0) - (than[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** A step being read. */
interface Draft {
  readonly line: number;
  condition: Condition;
  waitSecond: boolean;
  readonly sends: Template[];
  isBinary: boolean;
  readonly replies: Reply[];
  end: End;
  counters: CounterMove[] | undefined;
  /** A line of replies or counters was seen: the next `>` begins another step. */
  answered: boolean;
}

class Parser {
  readonly #conversations: Conversation[] = [];
  /** What stands above the first conversation holds for all. */
  readonly #common: Header = {
    condition: {},
    args: [],
    alone: false,
    whole: false,
    own: false,
    unglued: [],
  };
  #header: Header = this.#common;
  #inHeader = true;
  #title: string | undefined;
  #titleLine = 0;
  #steps: Step[] = [];
  #draft: Draft | undefined;

  line(text: string, number: number): void {
    if (/\s$/.test(text)) throw new ScriptError("white space at the end; write \\x20");
    if (text === "") {
      this.#endStep();
      if (this.#title !== undefined) this.#inHeader = false;
    } else if (text.startsWith("#")) {
      return;
    } else if (text.startsWith("== ")) {
      this.#endConversation();
      this.#title = text.slice(3);
      this.#titleLine = number;
      this.#header = { ...this.#common };
      this.#inHeader = true;
    } else if (text.startsWith("@")) {
      this.#directive(text, number);
    } else if (text.startsWith(">")) {
      this.#send(text, number);
    } else if (text.startsWith("<")) {
      this.#reply(text);
    } else if (text.startsWith("+ ")) {
      this.#counter(text);
    } else {
      throw new ScriptError(`unknown kind of line: ${text}`);
    }
  }

  finish(): Conversation[] {
    this.#endConversation();
    return this.#conversations;
  }

  #endConversation(): void {
    this.#endStep();
    if (this.#title === undefined) return;
    if (this.#steps.length === 0) throw new ScriptError(`"${this.#title}" has no step`);
    this.#conversations.push({
      ...this.#header,
      title: this.#title,
      line: this.#titleLine,
      steps: this.#steps,
    });
    this.#steps = [];
  }

  #endStep(): void {
    const draft = this.#draft;
    if (draft === undefined) return;
    this.#draft = undefined;
    if (draft.sends.length === 0 && draft.end.kind === "open" && draft.replies.length === 0) {
      throw new ScriptError("a step that does nothing");
    }
    if (draft.replies.length === 0 && draft.end.kind === "open") {
      throw new ScriptError("a step without a reply; write <none when nothing comes");
    }
    if (draft.replies.at(-1)?.kind === "skip") throw new ScriptError("<... needs a line after it");
    this.#steps.push(draft);
  }

  /** The step that a line of replies or counters belongs to. */
  #current(): Draft {
    if (this.#draft === undefined) throw new ScriptError("nothing was sent in this step");
    this.#draft.answered = true;
    return this.#draft;
  }

  #begin(number: number): Draft {
    if (this.#title === undefined) throw new ScriptError('a "== title" must come first');
    this.#inHeader = false;
    if (this.#draft === undefined || this.#draft.answered) {
      this.#endStep();
      this.#draft = {
        line: number,
        condition: {},
        waitSecond: false,
        sends: [],
        isBinary: false,
        replies: [],
        end: { kind: "open" },
        counters: undefined,
        answered: false,
      };
    }
    return this.#draft;
  }

  #send(text: string, number: number): void {
    const draft = this.#begin(number);
    const { sends } = draft;
    if (text.startsWith(">b ")) {
      sends.push(parseRequest(text.slice(3)));
      draft.isBinary = true;
    } else if (text.startsWith(">> ")) {
      sends.push(parseTemplate(text.slice(3)));
    } else if (text === ">" || text.startsWith("> ")) {
      sends.push([...parseTemplate(text.slice(2)), ...CRLF]);
    } else {
      throw new ScriptError("write > or >> and a space");
    }
  }

  #reply(text: string): void {
    const draft = this.#current();
    if (draft.end.kind !== "open") throw new ScriptError("nothing can follow here");
    const exit = /^<exit (\d+)$/.exec(text);
    if (exit !== null) {
      draft.end = { kind: "exit", code: Number(exit[1]) };
    } else if (text === "<none" || text === "<close") {
      draft.end = { kind: text === "<none" ? "none" : "close" };
    } else if (text.startsWith("<b ")) {
      draft.replies.push({ kind: "packet", template: parseResponse(text.slice(3)), text });
    } else if (text === "<b...") {
      draft.replies.push({ kind: "skip packets" });
    } else if (text === "<...") {
      if (draft.replies.at(-1)?.kind === "skip") throw new ScriptError("<... twice");
      draft.replies.push({ kind: "skip" });
    } else if (text.startsWith("<~ ")) {
      draft.replies.push({ kind: "pattern", source: text.slice(3), end: "\r\n" });
    } else if (text.startsWith("<~n ")) {
      draft.replies.push({ kind: "pattern", source: text.slice(4), end: "\n" });
    } else if (text.startsWith("<< ")) {
      draft.replies.push({ kind: "raw", template: parseTemplate(text.slice(3)) });
    } else if (text === "<" || text.startsWith("< ")) {
      draft.replies.push({ kind: "line", template: parseTemplate(text.slice(2)) });
    } else {
      throw new ScriptError(`unknown kind of reply: ${text}`);
    }
  }

  #counter(text: string): void {
    const draft = this.#current();
    draft.counters ??= [];
    if (text === "+ none") return;
    const match = /^\+ (\w+) (-?\d+|\*)$/.exec(text);
    if (match === null) throw new ScriptError("write + name delta, or + none");
    draft.counters.push({
      name: match[1]!,
      delta: match[2] === "*" ? undefined : BigInt(match[2]!),
    });
  }

  #directive(text: string, number: number): void {
    const [word = "", ...rest] = text.slice(1).split(" ");
    const target = this.#inHeader ? this.#header : this.#begin(number);
    const condition = conditionOf(word, rest);
    if (condition !== undefined) {
      target.condition = { ...target.condition, ...condition };
    } else if (word === "wait-second" && "waitSecond" in target) {
      target.waitSecond = true;
    } else if (word === "args" && "args" in target) {
      target.args = rest;
    } else if ((word === "alone" || word === "whole" || word === "own") && "own" in target) {
      target[word] = true;
    } else if (word === "unglued" && "unglued" in target) {
      target.unglued = rest.length > 0 ? rest.map(parseServerName) : ["memden", "memcached"];
    } else {
      throw new ScriptError(`@${word} is unknown here`);
    }
  }
}

function conditionOf(word: string, rest: readonly string[]): Condition | undefined {
  const [value = ""] = rest;
  if (word === "since") return { since: parseVersion(value) };
  if (word === "until") return { until: parseVersion(value) };
  if (word === "later") return { later: true };
  if (word === "over") return { over: rest.map(parseWay) };
  return word === "only" ? { only: parseServerName(value) } : undefined;
}

function parseWay(text: string): Over {
  const over = parseOver(text);
  if (over === undefined) throw new ScriptError(`"${text}" is no way in`);
  return over;
}

function parseServerName(text: string): ServerName {
  if (text === "memden" || text === "memcached") return text;
  throw new ScriptError(`memden or memcached, not "${text}"`);
}
