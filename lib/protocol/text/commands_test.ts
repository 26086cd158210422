import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { COMMANDS, findCommand, Verb } from "./commands.ts";

Deno.test("COMMANDS has each verb once, and each name once", () => {
  const verbs = COMMANDS.map(({ verb }) => verb).sort((a, b) => a - b);
  const all = Object.values(Verb).filter((verb) => verb !== Verb.NONE).sort((a, b) => a - b);
  assertEquals(verbs, all);
  assertEquals(new Set(COMMANDS.map(({ text }) => text)).size, COMMANDS.length);
});

Deno.test("findCommand() finds every command by its whole name only", () => {
  for (const command of COMMANDS) {
    const { text } = command;
    assertEquals(findCommand(ascii(text), 0, text.length), command);
    for (const other of [`${text}x`, text.toUpperCase(), text.slice(1), ` ${text}`]) {
      assertEquals(findCommand(ascii(other), 0, other.length)?.text === text, false, other);
    }
  }
  assertEquals(findCommand(ascii(""), 0, 0), undefined);
});
