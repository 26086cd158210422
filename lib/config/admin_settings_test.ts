// Goal: the operator is told what an open admin port shows, and where --admin-keys does nothing.

import { assertEquals, assertMatch } from "@std/assert";
import { parseCommandLine } from "./parse.ts";
import { settingsFrom, warningsFor } from "./settings.ts";

/** What an admin port that others reach is said to show; what else is said of it. */
const ADMIN_WARNINGS: readonly (readonly [argv: string, ...warnings: RegExp[]])[] = [
  ["--admin=9150"],
  ["--admin=9150 --admin-keys"],
  ["--admin=*:9150", /anyone can read statistics, settings and warnings, no keys, there/],
  [
    "--admin=*:9150 --admin-keys",
    /settings, warnings and the keys asked for most \(--admin-keys\)/,
  ],
  ["--admin=*:9150 --admin-keys -X", /no keys/, /^Warning: --admin-keys shows nothing with -X$/],
  ["--admin-keys", /^Warning: --admin-keys shows nothing without --admin$/],
  ["-X"],
];

Deno.test("warningsFor() says what an open admin port shows, and where it shows no keys", () => {
  for (const [argv, ...expected] of ADMIN_WARNINGS) {
    const line = parseCommandLine(argv.split(" "));
    const warnings = line.action === "serve" ? warningsFor(settingsFrom(line.raw, {})) : [];
    assertEquals(warnings.length, expected.length, argv);
    for (const [index, pattern] of expected.entries()) assertMatch(warnings[index] ?? "", pattern);
  }
});
