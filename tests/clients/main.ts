// `deno task clients`: real memcached clients against a running memden.
//
// For each client starts a server, runs the client's tests as a process of their own, counts their
// TAP lines and stops the server. A client that cannot run here is skipped, and said so. With
// `--against memcached` Debian's memcached takes memden's place: the tests must pass there, too.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { ensurePackages } from "../support/packages.ts";
import { freePort, startMemcached, startMemden, type TestServer } from "../support/server.ts";
import { readTap, type TapResult } from "./read_tap.ts";

/** One client and how its tests are run. */
interface Client {
  readonly name: string;
  /** Program and arguments; host and port go before `options`. */
  readonly command: readonly string[];
  readonly options: readonly string[];
  /** Debian packages it needs. */
  readonly packages: readonly string[];
  /** It logs in by SASL, as {@linkcode LOGIN}. */
  readonly logsIn: boolean;
  /** Flags that the server needs for it. */
  readonly serverArgs: () => readonly string[];
}

const HERE = new URL(".", import.meta.url).pathname;
/** A client's tests that take longer are killed and count as failed, in milliseconds. */
const CLIENT_MS_MAX = 180_000;
/** How much of a process's last words a failure repeats. */
const DETAIL_CHARS_MAX = 800;

// Debian's packages are for Debian's own interpreters.
const PYTHON = ["/usr/bin/python3", "-B", "-u"];
const PERL = ["/usr/bin/perl"];
const RUBY = ["/usr/bin/ruby"];
// npm's memcached inherits by assigning `__proto__`, which Deno takes away.
const DENO = [Deno.execPath(), "run", "--allow-all", "--unstable-unsafe-proto"];

/** Name and password of the clients that log in. */
const LOGIN = ["client", "secret of clients"];

const CLIENTS: readonly Client[] = [
  client("npm-memcached", DENO, "npm_memcached.ts"),
  client("npm-memcache-client", DENO, "npm_memcache_client.ts"),
  client("npm-memcache", DENO, "npm_memcache.ts"),
  client("meta-raw", DENO, "meta_raw.ts"),
  client("udp", DENO, "udp.ts", { serverArgs: () => ["-U", String(freePort())] }),
  client("pymemcache", PYTHON, "pymemcache_client.py", { packages: ["python3-pymemcache"] }),
  client("pylibmc", PYTHON, "pylibmc_client.py", { packages: ["python3-pylibmc"] }),
  client("pylibmc-binary", PYTHON, "pylibmc_client.py", {
    packages: ["python3-pylibmc"],
    options: ["--binary"],
  }),
  client("pylibmc-sasl", PYTHON, "pylibmc_client.py", {
    packages: ["python3-pylibmc"],
    options: ["--binary", ...LOGIN],
    logsIn: true,
  }),
  client("npm-memjs", DENO, "npm_memjs.ts"),
  client("npm-memjs-sasl", DENO, "npm_memjs.ts", { options: LOGIN, logsIn: true }),
  client("dalli", RUBY, "dalli_client.rb", { packages: ["ruby", "ruby-dalli"] }),
  client("dalli-sasl", RUBY, "dalli_client.rb", {
    packages: ["ruby", "ruby-dalli"],
    options: LOGIN,
    logsIn: true,
  }),
  client("cache-memcached", PERL, "cache_memcached.pl", { packages: ["libcache-memcached-perl"] }),
  client("memccapable", DENO, "memccapable.ts", {
    packages: ["libmemcached-tools"],
    options: ["-a"],
  }),
  client("memccapable-binary", DENO, "memccapable.ts", {
    packages: ["libmemcached-tools"],
    options: ["-b"],
  }),
  client("memcached-tool", DENO, "memcached_tool.ts", { packages: ["memcached"] }),
  client("libmemcached-tools", DENO, "libmemcached_tools.ts", { packages: ["libmemcached-tools"] }),
];

const FLAGS = {
  against: { type: "string", default: "memden" },
  only: { type: "string" },
  args: { type: "string", default: "" },
  verbose: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const USAGE = `usage: deno task clients [options]
  --against NAME   memden (default) or memcached
  --only NAME,…    some clients: ${CLIENTS.map((client) => client.name).join(" ")}
  --args="ARGS"    further flags for the server
  --verbose        print what passed, too`;

function client(
  name: string,
  interpreter: readonly string[],
  file: string,
  rest: Partial<Pick<Client, "packages" | "options" | "logsIn" | "serverArgs">> = {},
): Client {
  const { packages = [], options = [], logsIn = false, serverArgs = () => [] } = rest;
  const command = [...interpreter, HERE + file];
  return { name, command, options, packages, logsIn, serverArgs };
}

/** Why `client` cannot run here; undefined when it can. */
async function obstacle(client: Client): Promise<string | undefined> {
  if (!(await ensurePackages(client.packages))) {
    return `cannot install ${client.packages.join(" ")}`;
  }
  const file = client.command.at(-1) ?? "";
  if (!file.endsWith(".ts")) return undefined;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", file],
  }).output();
  return success ? undefined : `cannot fetch its npm package: ${new TextDecoder().decode(stderr)}`;
}

type Start = (args: readonly string[]) => Promise<TestServer>;

/** Starts memden with the login of those clients that log in. */
async function startWithLogin(args: readonly string[]): Promise<TestServer> {
  const path = await Deno.makeTempFile({ prefix: "sasl-pwdb" });
  await Deno.writeTextFile(path, `${LOGIN.join(":")}:\n`);
  return await startMemden(["-S", ...args], { env: { MEMCACHED_SASL_PWDB: path } });
}

/** Runs `client` against a server of its own; that this lives and ends well is one more test. */
async function runClient(client: Client, start: Start, args: string[]): Promise<TapResult> {
  const server = await start([...client.serverArgs(), ...args]);
  let died = false;
  server.exited.then(() => died = true);
  const [program = "", ...rest] = client.command;
  const { code, signal, stdout, stderr } = await new Deno.Command(program, {
    args: [...rest, "127.0.0.1", String(server.port), ...client.options],
    signal: AbortSignal.timeout(CLIENT_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  const words = decoder.decode(stderr).slice(-DETAIL_CHARS_MAX);
  const end = `${signal ?? `exit code ${code}`}: ${words}`;
  const { passed, failures, text } = readTap(decoder.decode(stdout), code === 0, end);

  const lived = !died;
  const serverCode = await server.stop();
  if (lived && serverCode === 0) return { passed: passed + 1, failures, text };
  const when = lived ? "was asked to end" : "died under the client";
  const last = server.stderr().slice(-DETAIL_CHARS_MAX);
  const failure = `not ok - the server ${when}, exit code ${serverCode}: ${last}`;
  return { passed, failures: [...failures, failure], text: `${text}${failure}\n` };
}

function print(client: Client, result: TapResult, verbose: boolean): void {
  console.log(`${client.name}: ${result.passed} passed, ${result.failures.length} failed`);
  if (verbose) console.log(result.text.trimEnd());
  else for (const failure of result.failures) console.log(`  ${failure.replaceAll("\n", "\n  ")}`);
}

function parse() {
  try {
    return parseArgs({ args: Deno.args, options: FLAGS }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(problem?: string): never {
  if (problem !== undefined) console.error(problem);
  console.error(USAGE);
  Deno.exit(2);
}

async function main(): Promise<void> {
  const options = parse();
  const names = options.only?.split(",") ?? CLIENTS.map((client) => client.name);
  const chosen = CLIENTS.filter((client) => names.includes(client.name));
  const known = ["memden", "memcached"].includes(options.against) && chosen.length === names.length;
  if (options.help || !known) usage();
  const start = options.against === "memden" ? startMemden : startMemcached;
  if (start === startMemcached && !(await ensurePackages(["memcached"]))) {
    throw new Error("memcached is not installed and cannot be");
  }

  const args = options.args.split(" ").filter((arg) => arg !== "");
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const client of chosen) {
    // Debian's memcached reads no such file of logins.
    const reason = client.logsIn && start === startMemcached
      ? "needs memden's logins"
      : await obstacle(client);
    if (reason !== undefined) {
      total.skipped++;
      console.log(`SKIPPED ${client.name}: ${reason}`);
      continue;
    }
    const result = await runClient(client, client.logsIn ? startWithLogin : start, args);
    total.passed += result.passed;
    total.failed += result.failures.length;
    print(client, result, options.verbose);
  }
  const skipped = total.skipped === 0 ? "" : `, ${total.skipped} skipped`;
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
}

if (import.meta.main) await main();
