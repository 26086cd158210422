// Goal: a sub-command's options are read by its rows, and never ignored; its texts fit a terminal.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SettingsError } from "../../config/settings_error.ts";
import { parseSubCommand, subCommandHelp, subCommandsText } from "./sub_command_line.ts";
import { findSubCommand, SUB_COMMANDS } from "./sub_commands.ts";

const parse = (line: string) => {
  const argv = line.split(" ");
  const command = findSubCommand(argv);
  if (command === undefined) throw new Error(`No sub-command: ${line}`);
  return parseSubCommand(command, argv.slice(1));
};

Deno.test("findSubCommand() looks at the first argument only", () => {
  assertEquals(findSubCommand(["top", "-b"])?.name, "top");
  assertEquals(findSubCommand(["-v", "top"]), undefined);
  assertEquals(findSubCommand([]), undefined);
});

Deno.test("parseSubCommand() completes what was given by defaults", () => {
  const given = parse("top");
  assertEquals([given.operand, given.number("delay"), given.number("count", 7)], ["", 1, 7]);
  assertEquals([given.has("batch"), given.text("auth-file")], [false, undefined]);
  assertEquals(parse("ping").number("timeout"), 2);
});

Deno.test("parseSubCommand() takes options in every form and at every place", () => {
  for (const line of ["top -d .5 -n3 -b 11211", "top 11211 --delay=0.5 --count 3 --batch"]) {
    const given = parse(line);
    assertEquals([given.operand, given.number("delay"), given.number("count")], ["11211", 0.5, 3]);
    assert(given.has("batch"));
  }
  assertEquals(parse("top -n 3 -n 4").number("count"), 4);
  assertEquals(parse("ping -- -x").operand, "-x");
});

Deno.test("parseSubCommand() refuses what it does not know", () => {
  const lines: readonly (readonly [line: string, problem: string])[] = [
    ["ping --delay=1", "unknown option --delay=1"],
    ["top -x", "unknown option -x"],
    ["top --delay", "--delay needs a value"],
    ["top -d -b", "--delay needs a value"],
    ["top -d 0", "cannot use --delay=0"],
    ["top -d 1e3", "cannot use --delay=1e3"],
    ["top -n 1.5", "cannot use --count=1.5"],
    ["top -bd2", "--batch takes no value"],
    ["ping a b", "one address at most"],
  ];
  for (const [line, problem] of lines) {
    assertThrows(() => parse(line), SettingsError, problem, line);
  }
});

Deno.test("subCommandHelp() lists every option and key within 100 columns", () => {
  for (const command of SUB_COMMANDS) {
    const help = subCommandHelp(command);
    for (const line of help.split("\n")) assert(line.length <= 100, line);
    for (const { name } of command.options) assert(help.includes(`--${name}`), name);
    for (const [key] of command.keys) assert(help.includes(`\n${key} `), key);
  }
});

Deno.test("subCommandsText() names each, and none of the words that suites look for", () => {
  for (const { name } of SUB_COMMANDS) assert(subCommandsText().includes(`\nmemden ${name} `));
  for (const line of subCommandsText().split("\n")) assert(line.length <= 100, line);
  const words = /sasl|enable-ssl|unix-socket|ext_path|proxy_config|drop_privileges/i;
  assertEquals(words.test(subCommandsText()), false);
});
