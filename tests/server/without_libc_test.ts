// Goal: where the C library must not be called no option is dropped in silence: each works, or is
// refused, or memden says that it does nothing.
// Method: a table that has every flag of the options' table, and the variables of the environment.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FLAGS } from "../../lib/config/options.ts";
import { runMemden } from "../support/daemon.ts";
import { freePort, programWords, startMemden } from "../support/server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NO_FFI = programWords(undefined, "no-ffi");
const RELAY = [...programWords(), "--transport=relay"];

/** What is to come of an option. */
type Outcome =
  /** A line of `stats settings` says that it has been heeded, or another test looks at it. */
  | { readonly works: RegExp | "elsewhere" }
  | { readonly warned: RegExp }
  | { readonly refused: RegExp; readonly code: number };

type Row = readonly [flag: string, args: readonly string[], outcome: Outcome];

const NATIVE = /^memden: cannot use -\S+ .*: it needs the native transport: .*--allow-ffi$/;
const elsewhere: Outcome = { works: "elsewhere" };
const shown = (line: string): Outcome => ({ works: new RegExp(`^STAT ${line}\r$`, "m") });

const ROWS: readonly Row[] = [
  ["port", [], elsewhere],
  ["listen", [], elsewhere],
  ["transport", [], elsewhere],
  ["admin", [], elsewhere],
  ["admin-keys", [], elsewhere],
  ["config", [], elsewhere],
  ["logfile", [], elsewhere], // Of -d alone.
  ["extended", ["-o", "idle_timeout=77"], shown("idle_timeout 77")],
  ["unix-socket", [], elsewhere],
  ["unix-mask", ["-a", "750"], shown("umask 750")],
  ["enable-shutdown", ["-A"], shown("shutdown_command yes")],
  ["udp-port", ["-U", "0"], shown("udpport 0")],
  ["udp-port", ["-U", "11211"], { refused: NATIVE, code: 71 }],
  ["daemon", ["-d"], { refused: /^memden: cannot use -d .*--allow-ffi$/, code: 71 }],
  ["enable-coredumps", ["-r"], { refused: /^memden: cannot use -r .*--allow-ffi$/, code: 71 }],
  ["user", ["-u", "no-such-user"], { refused: /^can't find the user no-such-user/, code: 67 }],
  ["memory-limit", ["-m", "65"], shown("maxbytes 68157440")],
  ["disable-evictions", ["-M"], shown("evictions off")],
  ["conn-limit", ["-c", "77"], shown("maxconns 77")],
  ["conn-limit", ["-c", "5000"], { warned: /^-c 5000: .* needs the C library/m }],
  ["lock-memory", ["-k"], { warned: /^-k does nothing: it needs the C library$/m }],
  ["enable-largepages", ["-L"], { warned: /^-L does nothing: it needs the C library$/m }],
  ["verbose", ["-v"], shown("verbosity 1")],
  ["help", [], elsewhere],
  ["license", [], elsewhere],
  ["version", [], elsewhere],
  ["pidfile", [], elsewhere],
  ["slab-growth-factor", ["-f", "2"], shown("growth_factor 2.00")],
  ["slab-min-size", ["-n", "96"], shown("chunk_size 96")],
  ["D", ["-D", "/"], shown("stat_key_prefix /")],
  ["threads", ["-t", "1"], shown("num_threads 1")],
  ["max-reqs-per-event", ["-R", "7"], shown("reqs_per_event 7")],
  ["disable-cas", ["-C"], shown("cas_enabled no")],
  ["listen-backlog", ["-b", "77"], shown("tcp_backlog 77")],
  ["protocol", ["--protocol=ascii"], shown("binding_protocol ascii")],
  ["max-item-size", ["-I", "2m"], shown("item_size_max 2097152")],
  ["enable-sasl", [], elsewhere],
  ["disable-flush-all", ["-F"], shown("flush_enabled no")],
  ["disable-dumping", ["-X"], shown("dump_enabled no")],
  ["disable-watch", ["-W"], elsewhere],
  ["auth-file", ["-Y", "/no/such/file"], { refused: /\/no\/such\/file/, code: 1 }],
  ["memory-file", ["-e", "/tmp/items"], { refused: NATIVE, code: 71 }],
  ["enable-ssl", [], elsewhere],
  ["napi_ids", ["-N", "1"], shown("num_napi_ids 1")],
];

Deno.test("the table has every flag", () => {
  const names = new Set(ROWS.map(([name]) => name));
  const missing = FLAGS.map(({ name }): string => name).filter((name) => !names.has(name));
  assertEquals(missing, []);
});

const place = () => ["-l", "127.0.0.1", "-p", String(freePort())];

for (const [name, args, outcome] of ROWS) {
  if (!("refused" in outcome)) continue;
  Deno.test(`without the C library --${name} is refused: ${args.join(" ")}`, async () => {
    const { code, stderr } = await runMemden([...place(), ...args], ROOT, {}, NO_FFI);
    const lines = stderr.trimEnd().split("\n")
      .filter((line) => !/^(running as root|using the relay)/.test(line));
    assertEquals([code, lines.length], [outcome.code, 1], stderr);
    assertMatch(lines[0] ?? "", outcome.refused);
  });
}

Deno.test("without the C library memden says what it leaves undone", async () => {
  const warned = ROWS.flatMap(([, args, it]) => "warned" in it ? [{ args, line: it.warned }] : []);
  const args = [...warned.flatMap((row) => row.args), "-t", "1"];
  const env = { MEMDEN_NAME: "memcached" };
  await using server = await startMemden(args, { over: "no-ffi", env });
  await server.stop();
  for (const { line } of warned) assertMatch(server.stderr(), line);
  assertMatch(server.stderr(), /^MEMDEN_NAME does nothing: it needs the C library$/m);
});

for (const over of ["no-ffi", "relay"] as const) {
  Deno.test(`all other options work: ${over}`, async () => {
    const works = ROWS.flatMap(([, args, it]) => "works" in it ? [{ args, line: it.works }] : []);
    await using server = await startMemden(works.flatMap(({ args }) => args), { over });
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(new TextEncoder().encode("stats settings\r\nquit\r\n"));
    const settings = await new Response(conn.readable).text();
    for (const { line } of works) if (line !== "elsewhere") assertMatch(settings, line);
  });
}

const isRoot = Deno.uid() === 0;
/** An id that no account of the tests has. */
const OTHER = "64738";

for (const [what, words] of [["no FFI", NO_FFI], ["relay", RELAY]] as const) {
  Deno.test({
    name: `an unknown user is refused: ${what}`,
    ignore: !isRoot,
    async fn() {
      const args = [...place(), "-u", "no-such-user"];
      const { code, stderr } = await runMemden(args, ROOT, {}, words);
      assertEquals(code, 67, stderr);
      assertMatch(stderr, /^can't find the user no-such-user to switch to$/m);
    },
  });
}

Deno.test({
  name: "without the C library -u is refused while groups would stay",
  ignore: !isRoot,
  async fn() {
    const command = ["setpriv", "--groups", "4", ...NO_FFI];
    const { code, stderr } = await runMemden([...place(), "-u", OTHER], ROOT, {}, command);
    assertEquals(code, 71, stderr);
    assertMatch(stderr, /^cannot become 64738: supplementary groups cannot be given up: /m);
  },
});

Deno.test("without the permission to know who runs it memden refuses -u", async () => {
  const command = NO_FFI.filter((word) => word !== "--allow-sys");
  const { code, stderr } = await runMemden([...place(), "-u", "root"], ROOT, {}, command);
  assertEquals(code, 71, stderr);
  assertMatch(stderr, /^cannot become root: /m);
  assert(!stderr.includes("    at "), stderr);
});
