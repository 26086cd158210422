// The smoke test of a release, tried on this checkout and on programs that are no memden.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { programWords } from "../tests/support/server.ts";
import { smoke } from "./smoke.ts";

Deno.test("smoke() finds nothing wrong with this checkout", async () => {
  const checks = await smoke(programWords());
  assertEquals(checks.filter(({ problem }) => problem !== undefined), []);
  assertEquals(checks.at(-1)?.name, "shutdown");
  assert(checks.length > 5);
});

Deno.test("smoke() tells what is wrong with a program that does not serve", async () => {
  const checks = await smoke([Deno.execPath(), "eval", "console.error('no'); Deno.exit(3);"]);
  assertEquals(checks.map(({ name }) => name), ["-V", "start"]);
  assertMatch(checks[0]?.problem ?? "", /^"" is not /);
  assertMatch(checks[1]?.problem ?? "", /^it does not start: .*no\n$/);
});
