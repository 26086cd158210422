// Goal: a line has the pieces it was made of, keys encoded as the dumps encode them.

import { assertEquals } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { encodeUri } from "../base/uri.ts";
import { LineText } from "./line_text.ts";

Deno.test("LineText puts text, numbers and bytes together", () => {
  const line = new LineText(100);
  line.text("ttl=");
  line.text(-1);
  line.raw(ascii("..raw.."), 1, 6);
  assertEquals(latin1(line.end()), "ttl=-1.raw.\n");
  line.clear();
  line.text(4294967295);
  assertEquals(latin1(line.end()), "4294967295\n");
});

Deno.test("LineText encodes every byte of a key as encodeUri() does", () => {
  const line = new LineText(1000);
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  line.uri(bytes, 0, 256);
  assertEquals(latin1(line.end()), `${encodeUri(latin1(bytes))}\n`);
});
