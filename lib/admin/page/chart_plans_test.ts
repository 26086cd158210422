import { assertEquals } from "@std/assert";
import { CHART_PLANS, isEmpty } from "./chart_plans.js";

// deno-fmt-ignore
const CHARTS: readonly (readonly [id: string, values: (number | null)[], wanted: boolean])[] = [
  ["chart-hits",     [],        true],
  ["chart-hits",     [null],    true],
  ["chart-hits",     [null, 0], false],
  ["chart-commands", [null, 0], true],
  ["chart-commands", [0, 2],    false],
];

for (const [id, values, wanted] of CHARTS) {
  Deno.test(`isEmpty() of ${id} with [${values.map(String)}] is ${wanted}`, () => {
    const [nothing, column] = [[null], values];
    assertEquals(isEmpty(CHART_PLANS[id]!, [nothing, column]), wanted);
  });
}
