// Goal: a number of any option is read whole, in the one sense that it has, or refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FLAGS, isAvailable, labelOf, type Option, SUBOPTIONS } from "./options.ts";
import { parseCommandLine } from "./parse.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

function settingsOf(argv: readonly string[]): Settings {
  const line = parseCommandLine(argv);
  if (line.action !== "serve") throw new TypeError(`Expected no action, got ${line.action}`);
  return settingsFrom(line.raw, {});
}

const REFUSED: readonly (readonly [argv: string, exitCode: number, message: string])[] = [
  ["-m 32g", 64, "Cannot use -m 32g: must be at least 0 and at most 32000"],
  ["-m abc", 64, "Cannot use -m abc: must be a whole number of MB, or with k, m or g behind it"],
  ["-m 1000k", 64, "-m 1000k"],
  ["--memory-limit=", 64, 'Cannot use -m "": must be a whole number'],
  ["-I 2g", 64, "Cannot use -I 2g: must be at least 0 and at most"],
  ["-I abc", 64, "Cannot use -I abc: must be a whole number of bytes, or with k, m or g behind it"],
  ["-p abc", 64, "Cannot use -p abc: must be a whole number, at least -1 and at most 65535"],
  ["--port=34203=5", 64, "Cannot use -p 34203=5"],
  ["-U abc", 64, "-U abc"],
  ["-D ab", 1, "Cannot use -D ab: must be one character of ASCII"],
  ["-D \u00e9", 1, "-D \u00e9"],
  ["-a abc", 1, "Cannot use -a abc: must be an octal number up to 777"],
  ["-a 1777", 1, "Cannot use -a 1777: must be an octal number up to 777"],
  ["-a 0x1ff", 1, "-a 0x1ff"],
  ["--verbose=high", 1, "Cannot use --verbose=high: must be a whole number"],
  ["--verbose=-1", 1, "--verbose=-1"],
  ["-o slab_sizes=abc", 64, "-o slab_sizes=abc: must be whole numbers"],
  ["-o slab_sizes=100-2OO", 64, "-o slab_sizes=100-2OO"],
  ["-o slab_sizes=100--200", 64, "-o slab_sizes=100--200"],
  ["-t 4.5", 1, "Cannot use -t 4.5: must be a whole number"],
  ["-t 4.", 1, "-t 4."],
  ["-m 0.5g", 64, "-m 0.5g"],
  ["-m 64b", 64, "-m 64b"],
  ["-m 64mib", 64, "-m 64mib"],
  ["-m 64bm", 64, "-m 64bm"],
  ["-t 4kb", 1, "-t 4kb"],
  ["-a 700.0", 1, "-a 700.0"],
];

const MIB = 2 ** 20;

const READ: readonly (readonly [argv: string, name: keyof Settings, value: number])[] = [
  ["-m 512.0", "maxbytes", 512 * MIB],
  ["-t 4.0", "threads", 4],
  ["-c 77.00", "maxconns", 77],
  ["-m 64MB", "maxbytes", 64 * MIB],
  ["-m 64Mb", "maxbytes", 64 * MIB],
  ["-m 2gb", "maxbytes", 2048 * MIB],
  ["-m 2.0GB", "maxbytes", 2048 * MIB],
  ["-m 65536kb", "maxbytes", 64 * MIB],
  ["-I 2mB", "itemSizeMax", 2 * MIB],
  ["-I 512KB", "itemSizeMax", MIB / 2],
];

for (const [argv, name, value] of READ) {
  Deno.test(`settingsFrom() reads ${argv}`, () => {
    assertEquals(settingsOf(argv.split(" "))[name], value);
  });
}

for (const [argv, exitCode, message] of REFUSED) {
  Deno.test(`settingsFrom() refuses ${argv} with ${exitCode}`, () => {
    const error = assertThrows(() => settingsOf(argv.split(" ")), SettingsError, message);
    assertEquals(error.exitCode, exitCode);
  });
}

/** What is behind a number that is read whole, and in its place. */
const JUNK = ["x", "=5", ",", ".5", ".0.0", "e3", " 1", "mib", "kk", "\u0663"];
const NO_NUMBERS = [
  "",
  " ",
  "-",
  "+",
  "abc",
  "0x40",
  "1e3",
  "1_000",
  "--1",
  "NaN",
  "Infinity",
  "on",
];
const NUMERIC: readonly Option["kind"][] = ["int", "port", "size", "octal", "level", "decimal"];

for (const option of [...FLAGS, ...SUBOPTIONS]) {
  if (!NUMERIC.includes(option.kind) || !isAvailable(option)) continue;
  Deno.test(`settingsFrom() never misreads a number of ${labelOf(option)}`, () => {
    const typed = option.fallback === "" ? "61" : option.fallback;
    const good = option.name === "hashpower" || option.name === "tail_repair_time" ? "12" : typed;
    const isDecimal = option.kind === "decimal";
    const texts = [
      ...JUNK.filter((junk) => !isDecimal || !/^(?:e3|[.]5)$/.test(junk)).map((it) => good + it),
      ...NO_NUMBERS.filter((text) => option.kind !== "level" || text.trim() !== "")
        .filter((text) => !isDecimal || text !== "1e3"),
      "9".repeat(20),
      `-${"9".repeat(20)}`,
    ];
    // Of what is no size of memory nobody knows whether k is 1000 or 1024, or m a minute.
    const isSize = /^(?:MB|KB|bytes)$/.test(option.value) || option.kind === "size";
    if (!isSize) texts.push("1k", "1m", "1g", "1kb", "1MB", "1Gb");
    for (const text of texts) {
      if (option.letter === "" && text.includes(",")) continue; // The next sub-option.
      const flag = FLAGS.includes(option) ? `--${option.name}=${text}` : `${option.name}=${text}`;
      const argv = FLAGS.includes(option) ? [flag] : ["-o", flag];
      const error = assertThrows(() => settingsOf(argv), SettingsError, undefined, flag);
      assert(/^Cannot use .*: must be [^\n]+$/.test(error.message), `${flag}: ${error.message}`);
    }
  });
}
