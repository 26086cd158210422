// Goal: versions are one sequence of 64-bit numbers, also where the low word turns, and also when a
// thread is interrupted between reading the two words.
// Method: the words are preset; an interruption is what the shared words hold when it is over, put
// between the two reads of one takeCas().

import { assertEquals } from "@std/assert";
import { U64 } from "../../base/u64.ts";
import { type Control, Global } from "../../memory/regions.ts";
import { makeControl } from "../../memory/control_fixture.ts";
import { lastCas, takeCas } from "./cas.ts";
import { toBigInt } from "../../../tests/support/store_client.ts";

const HALF = 2n ** 31n;

/** Control memory in which `last` was the version taken last. */
function controlAfter(last: bigint): Control {
  const control = makeControl();
  control.u32[Global.CAS_LOW] = Number(last & 0xffffffffn);
  control.u32[Global.CAS_EPOCH] = Number(last >> 31n);
  return control;
}

function take(control: Control): bigint {
  const cas = new U64();
  takeCas(control, cas);
  return toBigInt(cas);
}

Deno.test("takeCas() starts at 1", () => {
  const control = controlAfter(0n);
  assertEquals([take(control), take(control), take(control)], [1n, 2n, 3n]);
});

const LASTS: readonly bigint[] = [1, 2, 3, 4, 5, 1000, 2 ** 32 - 2].map((n) => BigInt(n) * HALF);

for (const turn of LASTS) {
  Deno.test(`takeCas() counts on where the version becomes ${turn}`, () => {
    const control = controlAfter(turn - 3n);
    for (let next = turn - 2n; next < turn + 3n; next++) {
      assertEquals(take(control), next);
      const last = new U64();
      lastCas(control, last);
      assertEquals(toBigInt(last), next);
    }
  });
}

/** Words whose CAS_EPOCH is `late` for the next reader only, and CAS_LOW what it should be. */
function interrupted(last: bigint, epochSeen: bigint): Control {
  const control = controlAfter(last);
  control.u32[Global.CAS_EPOCH] = Number(epochSeen);
  return control;
}

// The thread that takes the first version of a half-turn counts it with a second instruction. Until
// it does so, others see the old count.
for (const turn of LASTS) {
  for (const ahead of [1n, 2n, 1_000_000n, HALF / 2n - 1n]) {
    Deno.test(`takeCas() knows a count that is late: ${ahead} past ${turn}`, () => {
      const control = interrupted(turn + ahead - 1n, (turn - 1n) >> 31n);
      assertEquals(take(control), turn + ahead);
    });
  }
}

// A thread took its low word, slept, and then sees the count of the half-turn that came since.
for (const turn of LASTS) {
  for (const behind of [1n, 2n, 1_000_000n, HALF / 2n - 1n]) {
    Deno.test(`takeCas() knows a count that is early: ${behind} before ${turn}`, () => {
      const control = interrupted(turn - behind - 1n, turn >> 31n);
      assertEquals(take(control), turn - behind);
    });
  }
}
