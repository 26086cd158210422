// What of CHANGELOG.md goes with a release, and which tags are refused.

import { assertEquals } from "@std/assert";
import { sectionOf, tagProblem } from "./release_notes.ts";

const CHANGELOG = `# Changelog

## Unreleased

## 0.2.0 – 2026-12-01

### Features

- Two.

## 0.1.0

- One.
`;

Deno.test("sectionOf() finds the section of a version, and nothing else", () => {
  assertEquals(sectionOf(CHANGELOG, "0.2.0"), "### Features\n\n- Two.");
  assertEquals(sectionOf(CHANGELOG, "0.1.0"), "- One.");
  assertEquals(sectionOf(CHANGELOG, "0.1"), undefined);
  assertEquals(sectionOf(CHANGELOG, "Unreleased"), undefined);
});

Deno.test("tagProblem() holds the tag against every place that tells the version", () => {
  const versions = { "deno.json": "0.1.0", "version.ts": "0.1.0" };
  assertEquals(tagProblem("v0.1.0", versions), undefined);
  assertEquals(tagProblem("0.1.0", versions), "0.1.0 is no tag of a release");
  const other = { ...versions, "version.ts": "0.2.0" };
  assertEquals(tagProblem("v0.1.0", other), "v0.1.0 is not the version in version.ts, 0.2.0");
});
