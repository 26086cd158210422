// Which names in a text are files, which of them are there, and what is a citation of nothing.

import { assertEquals } from "@std/assert";
import { citesUnknownDocument, unknownFiles } from "./references.ts";

const PATHS = new Set([
  "main.ts",
  "lib/net/conn.ts",
  "lib/server/thread/worker.ts",
  "lib/server/relay/relay_frames.ts",
  "lib/admin/page/link.js",
]);

Deno.test("unknownFiles() accepts the end of a path, a pattern, and a file of the bundle", () => {
  for (
    const name of [
      "main.ts",
      "conn.ts",
      "net/conn.ts",
      "lib/net/conn.ts",
      "relay_*.ts",
      "server/*/relay_*.ts",
      "page/link.js",
      "memden/worker.js",
      "build/bundle/main.js",
    ]
  ) assertEquals(unknownFiles(`It is (\`${name}\`), as ever.`, PATHS), [], name);
});

Deno.test("unknownFiles() reports what is not there", () => {
  for (const name of ["cone.ts", "onn.ts", "net/worker.ts", "lib/server/*.ts", "gone.js"]) {
    assertEquals(unknownFiles(`See ${name}, or not.`, PATHS), [name]);
  }
  assertEquals(unknownFiles("a.ts main.ts b.ts", PATHS), ["a.ts", "b.ts"]);
});

Deno.test("unknownFiles() leaves alone what is no file", () => {
  for (
    const text of ["https://x.org/gone.js", "@std/gone.js", "Chart.js", "u.tsv", "node:gone.js"]
  ) {
    assertEquals(unknownFiles(text, PATHS), [], text);
  }
});

Deno.test("citesUnknownDocument() knows sections without a document", () => {
  const cited = [`${"sp" + "ec"} 2.4`, `Sp${"ec"} 3.1 to 3.3`, `(${"append" + "ix"} C, 3)`];
  for (const text of cited) assertEquals(citesUnknownDocument(text), true, text);
  for (const text of ["protocol.txt", "specific 1", "appendix", "RFC 5952, section 4.2"]) {
    assertEquals(citesUnknownDocument(text), false, text);
  }
});
