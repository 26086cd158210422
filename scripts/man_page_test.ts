// Goal: every option and sub-command is in what is made from their tables.

import { assert, assertEquals } from "@std/assert";
import { FLAGS, isAvailable, SUBOPTIONS } from "../lib/config/options.ts";
import { SUB_COMMANDS } from "../lib/cli/command_line/sub_commands.ts";
import { bashCompletion } from "./completions/bash.ts";
import { fishCompletion } from "./completions/fish.ts";
import { zshCompletion } from "./completions/zsh.ts";
import { manPage, roff } from "./man_page.ts";

Deno.test("roff() lets no text become a request, and keeps hyphens", () => {
  assertEquals(roff(".SH x"), "\\&.SH x");
  assertEquals(roff("'a\\n -1"), "\\&'a\\en \\-1");
});

Deno.test("manPage() has lines of 80 characters at most, save requests and options", () => {
  for (const line of manPage().split("\n")) {
    assert(line.length <= 80 || line.startsWith(".") || line.startsWith("\\f"), line);
  }
});

Deno.test("the man page and the completions have every name that can be used", () => {
  const names = [...FLAGS, ...SUBOPTIONS].filter(isAvailable).map(({ name }) => name);
  const subNames = SUB_COMMANDS.flatMap((
    { name, options },
  ) => [name, ...options.map((it) => it.name)]);
  const page = manPage().replaceAll("\\-", "-");
  for (const text of [page, bashCompletion(), zshCompletion(), fishCompletion()]) {
    for (const name of [...names, ...subNames]) assert(text.includes(name), name);
  }
});

Deno.test("no completion offers an option that is refused", () => {
  const refused = FLAGS.filter((it) => !isAvailable(it)).map(({ name }) => name);
  for (const text of [bashCompletion(), zshCompletion(), fishCompletion()]) {
    for (const name of refused) {
      assertEquals(text.includes(`--${name}`) || text.includes(`-l ${name} `), false, name);
    }
  }
});
