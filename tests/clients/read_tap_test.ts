import { assertEquals } from "@std/assert";
import { readTap } from "./read_tap.ts";

const CASES: readonly (readonly [
  name: string,
  text: string,
  exitedWell: boolean,
  passed: number,
  failures: string[],
])[] = [
  ["counts what passed", "ok 1 - a\nok 2 - b\n1..2\n", true, 2, []],
  [
    "keeps the details of a failure",
    "ok 1 - a\n# note\nnot ok 2 - b\n#   got 1\n#   expected 2\nok 3 - c\n# note\n1..3\n",
    false,
    2,
    ["not ok 2 - b\n#   got 1\n#   expected 2"],
  ],
  ["fails without a plan", "ok 1 - a\n", true, 1, ["not ok - ended before its plan, END"]],
  ["fails without output", "", false, 0, ["not ok - ended before its plan, END"]],
  ["fails when results are missing", "ok 1 - a\n1..2\n", true, 1, [
    "not ok - printed 1 results of 2",
  ]],
  ["fails when nothing is tested", "1..0\n", true, 0, ["not ok - tested nothing"]],
  ["fails on a bad end after good results", "ok 1\n1..1\n", false, 1, [
    "not ok - ended badly, END",
  ]],
  ["ignores other lines", "okay\nnot okay\nok 1 - a\n1..1\n", true, 1, []],
];

for (const [name, text, exitedWell, passed, failures] of CASES) {
  Deno.test(`readTap() ${name}`, () => {
    const result = readTap(text, exitedWell, "END");
    assertEquals(result.passed, passed);
    assertEquals(result.failures, failures);
  });
}
