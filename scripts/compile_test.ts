// What compile.ts reads out of sources, deno.json, `deno info` and the output of `deno compile`.

import { assertEquals } from "@std/assert";
import {
  embeddedFiles,
  isEmbedded,
  placeOf,
  reachable,
  startFlagsOf,
  threadEntries,
} from "./compile.ts";

const PRINTED = `Check main.ts
Compile main.ts to build/memden

Embedded Files

memden
├── .deno_compile_node_modules/localhost/deno-std/1.4.0/* (1.36MB - 1.36MB unique)
├─┬ lib (640B)
│ ├── a.ts (184B)
│ ├─┬ admin (3KB)
│ │ ├─┬ dashboard (2KB)
│ │ │ ├── app.js (1KB)
│ │ │ └── style.css (1KB)
│ │ └── http.ts (1KB)
│ ├── deep/x/u.ts (118B)
│ └── server/* (338B)
└── main.ts (442B)

Files: 1.4MB
Metadata: 1.63KB
`;

Deno.test("embeddedFiles() reads the tree that deno compile prints", () => {
  assertEquals(embeddedFiles(PRINTED), [
    ".deno_compile_node_modules/localhost/deno-std/1.4.0/*",
    "lib/a.ts",
    "lib/admin/dashboard/app.js",
    "lib/admin/dashboard/style.css",
    "lib/admin/http.ts",
    "lib/deep/x/u.ts",
    "lib/server/*",
    "main.ts",
  ]);
  assertEquals(embeddedFiles("Check main.ts\n"), []);
});

Deno.test("isEmbedded() takes a directory with all its files at its word", () => {
  const files = embeddedFiles(PRINTED);
  const present = ["main.ts", "lib/a.ts", "lib/server/worker.ts", "lib/server/x/y.ts"];
  for (const path of present) assertEquals(isEmbedded(files, path), true, path);
  const absent = ["lib/b.ts", "lib/servers/a.ts", "server/worker.ts", "lib/deep/x/v.ts"];
  for (const path of absent) assertEquals(isEmbedded(files, path), false, path);
});

Deno.test("threadEntries() finds what a thread starts from, tests left out", () => {
  const line = (name: string) => `new Worker(new URL("./${name}.ts", import.meta.url), options);\n`;
  const sources = new Map([
    ["lib/server/server.ts", line("worker") + line("maintainer") + line("worker")],
    ["lib/server/server_test.ts", line("crash")],
    ["main.ts", 'import { a } from "./lib/server/server.ts";\n'],
  ]);
  assertEquals(threadEntries(sources), ["lib/server/maintainer.ts", "lib/server/worker.ts"]);
});

Deno.test("startFlagsOf() takes over the permissions and V8 flags of the start task", () => {
  const start = "deno run --allow-net --allow-read=/a,/b main.ts";
  assertEquals(startFlagsOf(start), ["--allow-net", "--allow-read=/a,/b"]);
});

Deno.test("reachable() follows code, not types, through redirects", () => {
  const code = (specifier: string) => ({ code: { specifier } });
  const graph = {
    roots: ["file:///r/main.ts"],
    redirects: { "npm:x@1/a.js": "npm:/x@1.0.0/a.js" },
    modules: [
      { specifier: "file:///r/main.ts", dependencies: [code("file:///r/a.ts"), {}] },
      { specifier: "file:///r/a.ts", dependencies: [code("npm:x@1/a.js")] },
      { specifier: "file:///r/types.ts" },
    ],
  };
  const expected = ["file:///r/a.ts", "file:///r/main.ts", "npm:/x@1.0.0/a.js"];
  assertEquals(reachable(graph), expected);
});

Deno.test("placeOf() says where a module is embedded", () => {
  assertEquals(placeOf("file:///r/lib/a.ts", "/r/"), "lib/a.ts");
  assertEquals(
    placeOf("npm:/@logtape/logtape@2.4.2", "/r/"),
    ".deno_compile_node_modules/localhost/@logtape/logtape/2.4.2/*",
  );
  assertEquals(placeOf("node:worker_threads", "/r/"), undefined);
  assertEquals(placeOf("file:///elsewhere/a.ts", "/r/"), "file:///elsewhere/a.ts");
});
