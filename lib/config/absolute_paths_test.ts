// Goal: a daemon, which changes to /, finds every file where the command line meant it.

import { assertEquals } from "@std/assert";
import { withAbsolutePaths } from "./absolute_paths.ts";
import { FLAGS, isAvailable, type OptionName, SUBOPTIONS } from "./options.ts";
import { defaultSettings, type Settings, settingsFrom } from "./settings.ts";

/** Used before the directory changes, and never again. */
const ONLY_AT_START = ["socketPath", "configFile"];

Deno.test("withAbsolutePaths() misses no file that an option names", () => {
  const isFile = (option: { value: string }) => option.value === "file";
  const flags = FLAGS.filter(isAvailable).filter(isFile);
  const raw = {
    flags: new Map<OptionName, string[]>(flags.map(({ name }) => [name, [`rel-${name}`]])),
    suboptions: SUBOPTIONS.filter(isAvailable).filter(isFile)
      .map(({ name }) => [name, `rel-${name}`] as const),
  };
  raw.flags.set("port", ["11211"]); // The Unix socket alone would not allow everything.
  const env = { MEMCACHED_SASL_PWDB: "rel-sasl", MEMCACHED_PORT_FILENAME: "rel-port" };
  const settings = withAbsolutePaths(settingsFrom(raw, env), "/from/here");
  const relative = Object.entries(settings).filter(([, value]) => /^rel-/.test(String(value)));
  assertEquals(relative.map(([name]) => name).sort(), [...ONLY_AT_START].sort());
  const absolute = Object.values(settings).filter((it) => String(it).startsWith("/from/here/rel-"));
  assertEquals(absolute.length, raw.flags.size - 3 + raw.suboptions.length + 2);
});

Deno.test("withAbsolutePaths() leaves absolute and empty paths alone", () => {
  const settings: Settings = {
    ...defaultSettings(),
    pidfile: "/run/p",
    authFile: "",
    logfile: "l",
  };
  const { pidfile, authFile, logfile } = withAbsolutePaths(settings, "/");
  assertEquals([pidfile, authFile, logfile], ["/run/p", "", "/l"]);
});
