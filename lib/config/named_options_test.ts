import { assertEquals, assertThrows } from "@std/assert";
import { camelCase, type NamedOptions, rawValuesOf } from "./named_options.ts";
import { FLAGS, SUBOPTIONS } from "./options.ts";
import { parseCommandLine } from "./parse.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

function settingsOf(argv: readonly string[]): Settings {
  const commandLine = parseCommandLine(argv);
  if (commandLine.action !== "serve") throw new Error("Not a command line that serves");
  return settingsFrom(commandLine.raw, {});
}

const SAME: readonly (readonly [options: NamedOptions, argv: readonly string[]])[] = [
  [{}, []],
  [{ memoryLimit: 256, threads: 2, verbose: 2 }, ["-m", "256", "-t", "2", "-vv"]],
  [{ port: 11300, udpPort: 11300 }, ["-p", "11300", "-U", "11300"]],
  [{ port: 0, udpPort: 0 }, ["-p", "-1", "-U", "-1"]],
  [{ listen: ["127.0.0.1", "[::1]:1"] }, ["-l", "127.0.0.1", "-l", "[::1]:1"]],
  [{ listen: "127.0.0.1", protocol: "ascii" }, ["-l", "127.0.0.1", "-B", "ascii"]],
  [{ unixSocket: "/tmp/s", unixMask: 0o750 }, ["-s", "/tmp/s", "-a", "750"]],
  [{ maxItemSize: "2m" }, ["-I", "2m"]],
  [{ maxItemSize: 4096 * 1024 }, ["-I", "4m"]],
  [{ disableCas: true, disableEvictions: false }, ["-C"]],
  [{ lruCrawler: false, maxconnsFast: false }, ["-o", "no_lru_crawler,no_maxconns_fast"]],
  [{ lruCrawler: true, trackSizes: true, slabAutomove: 2 }, ["-o", "track_sizes,slab_automove=2"]],
  [{ slabGrowthFactor: 1.5, hotMaxFactor: 0.3 }, ["-f", "1.5", "-o", "hot_max_factor=0.3"]],
  [{ idleTimeout: undefined, noHashexpand: true, D: "/" }, ["-o", "no_hashexpand", "-D", "/"]],
];

for (const [options, argv] of SAME) {
  Deno.test(`rawValuesOf(${JSON.stringify(options)}) is ${argv.join(" ") || "no option"}`, () => {
    assertEquals(settingsFrom(rawValuesOf(options), {}), settingsOf(argv));
  });
}

const REFUSED: readonly (readonly [options: object, message: string])[] = [
  [{ memory: 1 }, "Cannot use memory: there is no such option"],
  [{ "memory-limit": 1 }, "Cannot use memory-limit: there is no such option"],
  [{ user: "nobody" }, "Cannot use user: there is no such option"],
  [{ modern: true }, "Cannot use modern: there is no such option"],
  [{ threads: "4" }, "Cannot use threads: it is a number"],
  [{ threads: NaN }, "Cannot use threads: it is a number"],
  [{ idleTimeout: 0.5 }, "Cannot use idleTimeout: it is a whole number"],
  [{ disableCas: 1 }, "Cannot use disableCas: it is true or false"],
  [{ authFile: "" }, "Cannot use authFile: it is a text, and not empty"],
  [{ listen: [1] }, "Cannot use listen: it is a text, and not empty"],
];

for (const [options, message] of REFUSED) {
  Deno.test(`rawValuesOf() refuses ${JSON.stringify(options)}`, () => {
    assertThrows(() => rawValuesOf(options), SettingsError, message);
  });
}

Deno.test("no two options have one name in camelCase", () => {
  const names = [...FLAGS, ...SUBOPTIONS].map(({ name }) => camelCase(name));
  assertEquals(new Set(names).size, names.length);
});
