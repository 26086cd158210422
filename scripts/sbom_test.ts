// The bill of materials: that its parts name each other, and what is known of each.

import { assertEquals, assertThrows } from "@std/assert";
import { bomOf } from "./sbom.ts";
import { noticesText } from "./notices.ts";

const PACKAGES = [
  { name: "@a/log", version: "2.4.2", sha512: "AAH/", needs: ["b@1.0.0"] },
  { name: "b", version: "1.0.0", sha512: "AA==", needs: [] },
];
const SOURCE = {
  version: "0.1.0",
  denoVersion: "2.9.6",
  packages: PACKAGES,
  licenses: new Map([["@a/log@2.4.2", "MIT"], ["b@1.0.0", "Apache-2.0"]]),
  time: 86_400,
};

Deno.test("bomOf() names every component, its license, hash and place", () => {
  const { metadata, components } = bomOf(SOURCE);
  assertEquals(metadata.timestamp, "1970-01-02T00:00:00.000Z");
  assertEquals(metadata.component.purl, "pkg:generic/memden@0.1.0");
  assertEquals(components[1], {
    type: "library",
    "bom-ref": "@a/log@2.4.2",
    group: "@a",
    name: "log",
    version: "2.4.2",
    purl: "pkg:npm/%40a/log@2.4.2",
    hashes: [{ alg: "SHA-512", content: "0001ff" }],
    licenses: [{ license: { id: "MIT" } }],
  });
  assertEquals(components[2]?.purl, "pkg:npm/b@1.0.0");
});

Deno.test("bomOf() says who needs whom, by references that are there", () => {
  const { components, dependencies, metadata } = bomOf(SOURCE);
  assertEquals(dependencies.map(({ ref, dependsOn }) => [ref, ...dependsOn]), [
    ["memden@0.1.0", "deno@2.9.6", "@a/log@2.4.2"],
    ["deno@2.9.6"],
    ["@a/log@2.4.2", "b@1.0.0"],
    ["b@1.0.0"],
  ]);
  const known = [metadata.component, ...components].map((it) => it["bom-ref"]).sort();
  assertEquals(dependencies.map(({ ref }) => ref).sort(), known);
});

Deno.test("bomOf() is the same for the same commit, and refuses what has no license", () => {
  assertEquals(JSON.stringify(bomOf(SOURCE)), JSON.stringify(bomOf(SOURCE)));
  assertEquals(bomOf({ ...SOURCE, time: undefined }).metadata.timestamp, undefined);
  const licenses = new Map([["b@1.0.0", "MIT"]]);
  assertThrows(() => bomOf({ ...SOURCE, licenses }), Error, "@a/log@2.4.2 names no license");
});

Deno.test("noticesText() has each package's license and texts", () => {
  const text = noticesText([{ id: "b@1.0.0", license: "MIT", texts: ["Be kind.\n\n"] }], "2.9.6");
  assertEquals(text.split("-".repeat(80))[1], "\nb@1.0.0 (MIT)\n\nBe kind.\n");
});
