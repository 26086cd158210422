// Goal: the values of -l are read as a list in which places may be empty, but not all of them.

import { assertEquals, assertThrows } from "@std/assert";
import { parseListen } from "./listen_address.ts";
import { SettingsError } from "./settings_error.ts";

const PLAIN = { tls: "none", protocol: "auto", tag: "" } as const;

const LISTS: readonly (readonly [values: readonly string[], places: string])[] = [
  [["a,"], "a 1"],
  [[",;a;,,b"], "a 1, b 1"],
  [["a", "", "b:2"], "a 1, b 2"],
  [["a, ,b"], "a 1, b 1"],
  [["0.0.0.0,::"], "0.0.0.0 1, :: 1"],
  [["0.0.0.0,[::]:2"], "0.0.0.0 1, :: 2"],
];

for (const [values, places] of LISTS) {
  Deno.test(`parseListen() reads ${JSON.stringify(values)}`, () => {
    const found = parseListen(values, 1, PLAIN).map(({ host, port }) => `${host} ${port}`);
    assertEquals(found.join(", "), places);
  });
}

for (const values of [[""], [",;"], [" ", ","]]) {
  Deno.test(`parseListen() refuses ${JSON.stringify(values)}, which has no place`, () => {
    assertThrows(() => parseListen(values, 1, PLAIN), SettingsError, "Invalid address");
  });
}
