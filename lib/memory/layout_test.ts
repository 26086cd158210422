// Goal: a table of fields is laid out as it says, or refused when the module loads.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { type FieldRow, layout } from "./layout.ts";

Deno.test("layout() counts each field's position in its own width", () => {
  const record = layout("Record", 24, [
    ["whole", 8, "bytes 0 to 7"],
    ["word", 4, "bytes 8 to 11"],
    ["half", 2, "bytes 12 and 13"],
    ["byte", 1, "byte 14"],
    ["last", 1, "byte 15"],
    ["other", 4, "bytes 16 to 19"],
    ["pad", 4, "bytes 20 to 23"],
  ]);
  assertEquals(record.index, { whole: 0, word: 2, half: 6, byte: 14, last: 15, other: 4, pad: 5 });
  assertEquals([record.name, record.bytes, record.rows.length], ["Record", 24, 7]);
});

const WRONG: readonly (readonly [rows: readonly FieldRow[], bytes: number, message: string])[] = [
  [[["a", 1, ""], ["b", 2, ""]], 3, "Cannot lay out R.b: byte 1 is not a multiple of 2"],
  [[["a", 2, ""], ["b", 4, ""]], 6, "Cannot lay out R.b: byte 2 is not a multiple of 4"],
  [[["a", 4, ""], ["b", 8, ""]], 12, "Cannot lay out R.b: byte 4 is not a multiple of 8"],
  [[["a", 4, ""]], 8, "Cannot lay out R: rows take 4 bytes, expected 8"],
  [[["a", 4, ""], ["b", 4, ""]], 4, "Cannot lay out R: rows take 8 bytes, expected 4"],
  [[], 4, "Cannot lay out R: rows take 0 bytes, expected 4"],
];

for (const [rows, bytes, message] of WRONG) {
  Deno.test(`layout() refuses: ${message}`, () => {
    assertThrows(() => layout("R", bytes, rows), InvariantError, message);
  });
}
