// libmemcached's memccapable: what a server must answer to every command, byte by byte.
//
// Arguments: HOST PORT, then -a for the text protocol or -b for the binary one. Flushes the server.

import { run } from "./command.ts";
import { serverFromArgs, Tap } from "./tap.ts";

/** Seconds that one reply may take. */
const REPLY_SECONDS_MAX = "5";
/** For the whole run, in milliseconds: each of its tests may wait for a reply in vain. */
const RUN_MS_MAX = 150_000;
/** Fewer than this many results would mean that their form has changed. */
const RESULTS_MIN = 20;

const { host, port } = serverFromArgs();
const tap = new Tap();

await tap.group("memccapable", async () => {
  const protocol = Deno.args[2] ?? "-a";
  const where = ["-h", host, "-p", String(port), "-t", REPLY_SECONDS_MAX];
  // Names and passes go to standard output, failures to the other one: unbuffered and joined they
  // make lines.
  const { code, stdout } = await run(
    "sh",
    ["-c", 'exec stdbuf -o0 memccapable "$@" 2>&1', "sh", ...where, protocol],
    { msMax: RUN_MS_MAX },
  );
  const results = [...stdout.matchAll(/^(\S.*?)\s+\[(\w+)\]$/gm)];
  for (const [, name = "", result = ""] of results) {
    tap.ok(name, result === "pass", `memccapable says [${result}]`);
  }
  tap.ok("tests everything", results.length >= RESULTS_MIN, stdout);
  tap.ok(
    "says that all passed",
    code === 0 && /^All tests passed$/m.test(stdout),
    stdout.slice(-200),
  );
}, RUN_MS_MAX + 1000);

tap.end();
