// Goal: options of file, environment and command line come together in the order that is promised,
// and an operator is told the place of a mistake.

import { assertEquals, assertThrows } from "@std/assert";
import { parseFile, readOptions } from "./option_sources.ts";
import type { Environment } from "./options.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

/** Debian's memcached.conf, its comments shortened. */
const DEBIAN = `# memcached default config file
-d

# Log memcached's output to /var/log/memcached
logfile /var/log/memcached.log
# -vv
-m 64
  -p 11211
-u memcache
-l 127.0.0.1
-P /var/run/memcached/memcached.pid
`;

const MIB = 2 ** 20;

function settingsOf(argv: readonly string[], env: Environment): Settings {
  const line = readOptions(argv, env);
  if (line.action !== "serve") throw new TypeError(`Expected no action, got ${line.action}`);
  return settingsFrom(line.raw, env);
}

/** Runs `act` with the path of a file that holds `text`. */
function withFile<T>(text: string | Uint8Array, act: (path: string) => T): T {
  const path = Deno.makeTempFileSync({ prefix: "memden-" });
  if (typeof text === "string") Deno.writeTextFileSync(path, text);
  else Deno.writeFileSync(path, text);
  const result = act(path);
  Deno.removeSync(path);
  return result;
}

Deno.test("parseFile() reads Debian's memcached.conf, and leaves -d to whoever starts it", () => {
  const settings = settingsFrom(parseFile(DEBIAN, "/etc/memcached.conf"), {});
  assertEquals(
    [settings.daemon, settings.logfile, settings.maxbytes, settings.port, settings.user],
    [false, "/var/log/memcached.log", 64 * MIB, 11211, "memcache"],
  );
  assertEquals([settings.inter, settings.pidfile, settings.verbosity], [
    "127.0.0.1",
    "/var/run/memcached/memcached.pid",
    0,
  ]);
});

Deno.test("parseFile() takes the lines as one command line: counts and lists grow", () => {
  const text = "-v\r\n-v -l 127.0.0.1\n-l ::1\n--daemon\n-o 'modern, idle_timeout=5'\n-o no_modern";
  const settings = settingsFrom(parseFile(text, "f"), {});
  assertEquals([settings.verbosity, settings.inter, settings.daemon], [2, "127.0.0.1,::1", true]);
  assertEquals([settings.idleTimeout, settings.slabReassign], [5, false]);
});

const ORDER: readonly (readonly [
  file: string,
  variable: string,
  argv: readonly string[],
  expected: Partial<Settings>,
])[] = [
  ["-m 10\n-t 3\n-c 7", "-m 20 -t 2", ["-m", "30"], {
    maxbytes: 30 * MIB,
    threads: 2,
    maxconns: 7,
  }],
  ["-l 127.0.0.1", "", ["-l", "::1"], { inter: "::1" }],
  ["-l 127.0.0.1", "-l ::1", [], { inter: "::1" }],
  ["-vv", "", ["-v"], { verbosity: 1 }],
  ["-o hashpower=20,idle_timeout=5", "-o idle_timeout=6", ["-o", "idle_timeout=7"], {
    hashpowerInit: 20,
    idleTimeout: 7,
  }],
  ["", `-Y "a file" -l '127.0.0.1'`, [], { authFile: "a file", inter: "127.0.0.1" }],
];

for (const [file, variable, argv, expected] of ORDER) {
  const name = [file, variable, argv.join(" ")].map((text) => JSON.stringify(text)).join(" < ");
  Deno.test(`readOptions() puts ${name}`, () => {
    withFile(file, (path) => {
      for (const config of [[`--config=${path}`], ["--config", path]]) {
        const settings = settingsOf([...config, ...argv], { MEMDEN_OPTS: variable });
        for (const [key, value] of Object.entries(expected)) {
          assertEquals(settings[key as keyof Settings], value, key);
        }
      }
    });
  });
}

Deno.test("readOptions() takes the name of the file from MEMDEN_OPTS, too", () => {
  withFile("-m 10", (path) => {
    assertEquals(settingsOf([], { MEMDEN_OPTS: `--config ${path}` }).maxbytes, 10 * MIB);
  });
});

const WRONG_LINES: readonly (readonly [text: string, message: string])[] = [
  ["-m 64\n\n-q", `:3: Illegal argument "?": unknown option -q`],
  ["-m", `:1: Illegal argument "?": -m needs a value`],
  ["# x\n-m 64000", ":2: Cannot use -m 64000: must be at least 0 and at most 32000"],
  ["-o bogus", `:1: Illegal suboption "bogus"`],
  ["user memcache", `:1: unknown word "user"`],
  ["-Y 'a", ":1: ' is not closed"],
  ["-V", ":1: --version is for the command line only"],
  ["-v\n--config=x", ":2: a file cannot name another one"],
  ["--config x", ":1: a file cannot name another one"],
];

for (const [text, message] of WRONG_LINES) {
  Deno.test(`readOptions() names file and line of ${JSON.stringify(text)}`, () => {
    withFile(text, (path) => {
      const error = assertThrows(() => readOptions(["--config", path], {}), SettingsError);
      assertEquals(error.message, `${path}${message}`);
    });
  });
}

Deno.test("readOptions() names MEMDEN_OPTS for what is wrong there", () => {
  for (const [variable, message] of [["-q", "Illegal argument"], ["'", "' is not closed"]]) {
    const error = assertThrows(
      () => readOptions([], { MEMDEN_OPTS: variable ?? "" }),
      SettingsError,
    );
    assertEquals(error.message.startsWith(`MEMDEN_OPTS: ${message}`), true, error.message);
  }
});

const UNREADABLE: readonly (readonly [path: string, reason: string])[] = [
  ["/nowhere/memcached.conf", "No such file or directory"],
  ["/dev/zero", "more than 65536 bytes"],
  ["/", "Is a directory"],
];

for (const [path, reason] of UNREADABLE) {
  Deno.test(`readOptions() refuses --config=${path}`, () => {
    const error = assertThrows(() => readOptions([`--config=${path}`], {}), SettingsError);
    assertEquals(error.message, `Cannot read --config=${path}: ${reason}`);
    assertEquals(error.exitCode, 64);
  });
}

Deno.test("readOptions() refuses a file that is no text", () => {
  withFile(new Uint8Array(10), (path) => {
    assertThrows(() => readOptions(["--config", path], {}), SettingsError, "not a text file");
  });
});

Deno.test("readOptions() answers -V without reading the other sources", () => {
  assertEquals(readOptions(["-V", "--config=/nowhere"], { MEMDEN_OPTS: "-q" }), {
    action: "version",
  });
});

const MISTYPED = ["topp", "-m 64 m", "-p abc", "-m 1x", "-D ab", "-o idle_timeout=5s", "-- x"];

for (const text of MISTYPED) {
  Deno.test(`readOptions() refuses ${text} wherever it stands`, () => {
    const argv = text.split(" ");
    const refusal = (read: () => unknown): string =>
      assertThrows(read, SettingsError, undefined, text).message;
    const message = refusal(() => settingsOf(argv, {}));
    const inVariable = refusal(() => settingsOf([], { MEMDEN_OPTS: text }));
    assertEquals(inVariable, `MEMDEN_OPTS: ${message}`);
    withFile(`-v\n${text}\n`, (path) => {
      const inFile = refusal(() => settingsOf([`--config=${path}`], {}));
      const isWord = !text.startsWith("-"); // Of a line the first word is a directive.
      assertEquals(inFile, `${path}:2: ${isWord ? `unknown word "${text}"` : message}`);
    });
  });
}
