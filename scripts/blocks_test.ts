// Blocks are written in their places, and none is left out.

import { assertEquals, assertThrows } from "@std/assert";
import { withBlocks } from "./blocks.ts";

const PAGE =
  "Before.\n<!-- table: a -->\nold\n<!-- end -->\nBetween.\n<!-- list: b -->\n<!-- end -->";

Deno.test("withBlocks() writes each block and leaves the text around them", () => {
  const page = withBlocks(PAGE, { a: "| x |", b: "- y" });
  const expected = "Before.\n<!-- table: a -->\n\n| x |\n\n<!-- end -->\nBetween.\n" +
    "<!-- list: b -->\n\n- y\n\n<!-- end -->";
  assertEquals(page, expected);
  assertEquals(withBlocks(page, { a: "| x |", b: "- y" }), page);
});

Deno.test("withBlocks() refuses blocks and contents that do not match", () => {
  assertThrows(() => withBlocks(PAGE, { a: "" }), Error, "There is nothing for the block b");
  assertThrows(() => withBlocks(PAGE, { a: "", b: "", c: "" }), Error, "No block for c");
});
