// Links of Markdown pages: which lead somewhere, and which are reported.

import { assert, assertEquals } from "@std/assert";
import { anchorsOf, brokenLinks, checkLinks } from "./check_links.ts";
import { ROOT } from "./sources.ts";

const FILES = new Set(["README.md", "docs/", "docs/a.md", "docs/x.png"]);

/** The messages about `text` as the page docs/a.md. */
function messagesFor(text: string): string[] {
  const pages = new Map([["docs/a.md", text], ["README.md", "# Top\n\n## How fast?\n"]]);
  return brokenLinks(pages, FILES).map(({ line, message }) => `${line}: ${message}`);
}

Deno.test("anchorsOf() makes GitHub's anchors", () => {
  const text =
    "# A `-d` & b\n\n## Same\n\n```sh\n# no heading\n```\n\n## Same\n\n## [x](y.md), z\n";
  assertEquals([...anchorsOf(text)], ["a--d--b", "same", "same-1", "x-z"]);
});

Deno.test("brokenLinks() accepts what leads somewhere", () => {
  for (
    const text of [
      "[a](../README.md)",
      "[a](../README.md#how-fast)",
      "# Here\n\n[a](#here)",
      "[folder](../docs)",
      "![picture](x.png)",
      "[site](https://example.com/none.md#x)",
      "`[a](none.md)`",
      "```\n[a](none.md)\n```",
    ]
  ) assertEquals(messagesFor(text), [], text);
});

Deno.test("brokenLinks() reports what leads nowhere, by its line", () => {
  assertEquals(messagesFor("\n[a](none.md)"), ["2: none.md: leads to no file"]);
  assertEquals(messagesFor("[a](../README.md#none)"), [
    "1: ../README.md#none: no such heading there",
  ]);
  assertEquals(messagesFor("[a](#none)"), ["1: #none: no such heading there"]);
});

Deno.test("every link of the repository's pages leads somewhere", async () => {
  assertEquals(await checkLinks(), []);
});

Deno.test("each walk of ARCHITECTURE.md visits no file twice", async () => {
  const text = await Deno.readTextFile(`${ROOT}ARCHITECTURE.md`);
  const walks = text.split("\n## ").filter((section) => section.startsWith("Walk: "));
  assertEquals(walks.length, 3);
  for (const walk of walks) {
    const files = [...walk.matchAll(/^\| `(.*?\.ts)`/gm)].map(([, file]) => file);
    assert(files.length > 5, walk);
    assertEquals([...new Set(files)], files);
  }
});
