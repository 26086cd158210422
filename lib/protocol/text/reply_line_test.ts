import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { isReplyLine } from "./reply_line.ts";

const CASES: readonly (readonly [line: string, isReply: boolean])[] = [
  ["STORED\r", true],
  ["END", true],
  ["ERROR", true],
  ["CLIENT_ERROR bad command line format", true],
  ["SERVER_ERROR:", true],
  ["VALUE k 0 1", true],
  ["VA 1", true],
  ["HD", true],
  ["12", true],
  ["key=a exp=-1", true],
  // What begins as a word of a reply is a command of that name, were there one.
  ["CLIENT_ERRORx", false],
  ["SERVER_ERRORS", false],
  ["STOREDX", false],
  ["12a", false],
  ["kex=a", false],
  ["get k", false],
  ["zet k", false],
  ["GET k", false],
  [" END", false],
  ["", false],
];

for (const [line, isReply] of CASES) {
  Deno.test(`isReplyLine() ${JSON.stringify(line)}: ${isReply}`, () => {
    assertEquals(isReplyLine(ascii(line), 0, line.length), isReply);
  });
}

Deno.test("isReplyLine() looks at its range only", () => {
  const bytes = ascii("xENDx");
  assertEquals(isReplyLine(bytes, 1, 4), true);
  assertEquals(isReplyLine(bytes, 1, 2), false);
  assertEquals(isReplyLine(ascii("12x"), 0, 2), true);
});
