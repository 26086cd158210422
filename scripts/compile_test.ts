// What compile.ts reads out of deno.json and the output of `deno compile`.

import { assertEquals, assertThrows } from "@std/assert";
import { embeddedFiles, isEmbedded, parseTargets, startFlagsOf, TARGETS } from "./compile.ts";

const PRINTED = `Compile build/bundle/main.js to build/memden

Embedded Files

memden
├─┬ build/bundle (640B)
│ ├── acceptor.js (184B)
│ ├─┬ deep (3KB)
│ │ ├─┬ deeper (2KB)
│ │ │ ├── a.js (1KB)
│ │ │ └── b.js (1KB)
│ │ └── c.js (1KB)
│ ├── x/u.js (118B)
│ └── whole/* (338B)
└── deno.json (442B)

Files: 1.4MB
Metadata: 1.63KB
`;

Deno.test("embeddedFiles() reads the tree that deno compile prints", () => {
  assertEquals(embeddedFiles(PRINTED), [
    "build/bundle/acceptor.js",
    "build/bundle/deep/deeper/a.js",
    "build/bundle/deep/deeper/b.js",
    "build/bundle/deep/c.js",
    "build/bundle/x/u.js",
    "build/bundle/whole/*",
    "deno.json",
  ]);
  assertEquals(embeddedFiles("Check main.ts\n"), []);
});

Deno.test("isEmbedded() takes a directory with all its files at its word", () => {
  const files = embeddedFiles(PRINTED);
  const present = ["build/bundle/acceptor.js", "build/bundle/whole/a.js", "deno.json"];
  for (const path of present) assertEquals(isEmbedded(files, path), true, path);
  const absent = ["build/bundle/b.js", "build/bundle/wholes/a.js", "bundle/whole/a.js"];
  for (const path of absent) assertEquals(isEmbedded(files, path), false, path);
});

Deno.test("startFlagsOf() takes over the permissions and V8 flags of the start task", () => {
  const start = "deno run --v8-flags=--a=1,--b=2 --allow-net --allow-read=/a,/b main.ts";
  assertEquals(startFlagsOf(start), [
    "--v8-flags=--a=1,--b=2",
    "--allow-net",
    "--allow-read=/a,/b",
  ]);
});

Deno.test("parseTargets() knows every target by name, and all of them", () => {
  assertEquals(parseTargets("linux-arm64,windows-x64"), ["linux-arm64", "windows-x64"]);
  assertEquals(parseTargets("all"), [...TARGETS.keys()]);
  assertThrows(() => parseTargets("linux-x64,amiga"), RangeError, "No target amiga: there are all");
});
