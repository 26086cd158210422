// Which packages are taken for shipped, by sources, deno.json and deno.lock.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { closureIn, idOf, packagesLoaded, shippedPackages } from "./shipped_packages.ts";

const IMPORTS = {
  "@std/assert": "npm:deno-std@1.4.0/assert/mod.js",
  "@a/log": "npm:@a/log@2.4.2",
  "chart/": "npm:/chart@1.6.32/",
};

Deno.test("packagesLoaded() leaves out types, tests and the runtime's own modules", () => {
  const sources = new Map([
    ["main.ts", 'import type { A } from "never";\nimport { B } from "@a/log";\n'],
    ["lib/a.ts", 'import "node:tls";\nimport css from "chart/a.css" with { type: "text" };\n'],
    ["lib/a_test.ts", 'import { assert } from "@std/assert";\n'],
  ]);
  assertEquals(packagesLoaded(sources, IMPORTS), ["@a/log@2.4.2", "chart@1.6.32"]);
  const unknown = new Map([["main.ts", 'import "left-pad";\n']]);
  assertThrows(() => packagesLoaded(unknown, IMPORTS), Error, "main.ts: left-pad");
});

Deno.test("closureIn() follows what packages need, to the version that is locked", () => {
  const npm = {
    "@a/log@2.4.2": { integrity: "sha512-AA==", dependencies: ["b", "c@1.0.0"] },
    "b@3.0.0": { integrity: "sha512-BB==", dependencies: ["c@2.0.0"] },
    "c@1.0.0": { integrity: "sha512-CC==" },
    "c@2.0.0": { integrity: "sha512-DD==" },
    "unused@1.0.0": { integrity: "sha512-EE==" },
  };
  const packages = closureIn({ npm }, ["@a/log@2.4.2"]);
  assertEquals(packages.map(idOf), ["@a/log@2.4.2", "b@3.0.0", "c@1.0.0", "c@2.0.0"]);
  const needs = ["b@3.0.0", "c@1.0.0"];
  assertEquals(packages[0], { name: "@a/log", version: "2.4.2", sha512: "AA==", needs });
  assertThrows(() => closureIn({ npm }, ["d@1.0.0"]), Error, "d@1.0.0 is not in deno.lock");
});

Deno.test("shippedPackages() has those of this checkout, and no test's", async () => {
  const names = (await shippedPackages()).map(({ name }) => name);
  for (const name of ["@logtape/logtape", "deno-std", "prom-client", "tdigest", "bintrees"]) {
    assert(names.includes(name), name);
  }
  assert(!names.includes("memjs"));
});
