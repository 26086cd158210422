// A process that has loaded the tests of a suite once, and runs single tests with any change made.
//
// It is started with the test files as arguments, by suite_process.ts. The tests are registered by
// a Deno.test of its own. It reads a Request per line, and writes a Reply to each, behind a mark
// that no test prints; the first, after loading, is to no request.
// deno-lint-ignore-file no-console

import { begin, FIRST, NONE, progress } from "./switch.ts";
import { readLinesOf } from "./stream_lines.ts";

/** One test to run. */
export interface Request {
  /** The change to make; {@linkcode NONE} for none. */
  readonly active: number;
  /** Which test, in order of registration. */
  readonly test: number;
  /** After how many calls of isOn() it does not end; null for no limit. */
  readonly stepsMax: number | null;
}

/** What came of it. */
export interface Reply {
  readonly ok: boolean;
  readonly ms: number;
  readonly steps: number;
  /** The changes that it reached; only without a change. */
  readonly reached: readonly number[];
  /** Why it failed. */
  readonly message: string;
  /** Memory of the process, in bytes. */
  readonly rss: number;
}

/** The first line: what was loaded. */
export interface Loaded {
  /** The tests, by number. */
  readonly tests: readonly { readonly file: string; readonly name: string }[];
  /** The changes that are reached while a file and its modules load, by file. */
  readonly reached: Readonly<Record<string, readonly number[]>>;
}

/** Begins each line that is an answer. */
export const MARK = "\u0001";

type Body = (context: Context) => void | Promise<void>;

/** As much of Deno.TestContext as the tests use. */
interface Context {
  readonly name: string;
  step(name: string, body: Body): Promise<boolean>;
}

interface Registered {
  readonly file: string;
  readonly name: string;
  readonly body: Body;
}

/** Arguments of Deno.test in all of its forms. */
type Part = string | Body | { name?: string; fn?: Body; ignore?: boolean } | undefined;

/** Replaces Deno.test. @returns The tests that are registered from now on. */
function collectTests(file: () => string): Registered[] {
  const tests: Registered[] = [];
  const register = (...parts: Part[]): void => {
    let [name, body, ignore] = ["", undefined as Body | undefined, false];
    for (const part of parts) {
      if (typeof part === "string") name = part;
      else if (typeof part === "function") body = part;
      else if (part !== undefined) {
        name ||= part.name ?? "";
        body ??= part.fn;
        ignore ||= part.ignore ?? false;
      }
    }
    if (body !== undefined && !ignore) tests.push({ file: file(), name: name || body.name, body });
  };
  Object.defineProperty(Deno, "test", { value: Object.assign(register, { ignore: () => {} }) });
  return tests;
}

function contextOf(name: string): Context {
  return {
    name,
    step: async (inner, body) => {
      await body(contextOf(inner));
      return true;
    },
  };
}

function write(answer: Loaded | Reply): void {
  const bytes = new TextEncoder().encode(`\n${MARK}${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** What nobody waited for and has failed since the last test began. */
let stray: unknown;

async function run({ name, body }: Registered, request: Request): Promise<Reply> {
  stray = undefined;
  begin(request.active, request.stepsMax ?? Infinity);
  const start = performance.now();
  let failure: unknown;
  try {
    await body(contextOf(name));
  } catch (error) {
    failure = error ?? "nothing was thrown";
  }
  failure ??= stray;
  const { steps, reached } = progress();
  begin(NONE, Infinity);
  return {
    ok: failure === undefined,
    ms: performance.now() - start,
    steps,
    reached: request.active === NONE ? reached : [],
    message: String(failure),
    rss: Deno.memoryUsage().rss,
  };
}

async function main(files: readonly string[]): Promise<void> {
  for (const name of ["log", "info", "warn", "error", "debug"] as const) console[name] = () => {};
  for (const event of ["unhandledrejection", "error"]) {
    globalThis.addEventListener(event, (failed) => {
      failed.preventDefault();
      stray ??= failed;
    });
  }
  let file = "";
  const tests = collectTests(() => file);
  const reached: Record<string, readonly number[]> = {};
  for (file of files) {
    begin(FIRST, Infinity);
    await import(new URL(file, `file://${Deno.cwd()}/`).href);
    reached[file] = progress().reached;
  }
  write({ tests: tests.map(({ file, name }) => ({ file, name })), reached });
  for await (const line of readLinesOf(Deno.stdin.readable)) {
    const request: Request = JSON.parse(line);
    write(await run(tests[request.test]!, request));
  }
}

if (import.meta.main) await main(Deno.args);
