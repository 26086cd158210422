import { assertEquals, assertRejects } from "@std/assert";
import { ClosedError, LinkError, NoAnswerError } from "./server_link.ts";
import { scriptedLink } from "./server_link_fixture.ts";

const STATS = "STAT pid 7\r\nSTAT empty \r\nSTAT name with blanks\r\nEND\r\n";

Deno.test("ServerLink.stats() reads lines however they are cut", async () => {
  for (let chunkBytes = 1; chunkBytes <= STATS.length; chunkBytes++) {
    const link = scriptedLink(() => STATS, chunkBytes);
    const expected = [["pid", "7"], ["empty", ""], ["name", "with blanks"]];
    for (let round = 0; round < 2; round++) {
      const answer = await link.stats("");
      assertEquals(typeof answer === "string" ? answer : [...answer], expected);
    }
    assertEquals([link.sentBytes, link.receivedBytes], [14, 2 * STATS.length]);
    link.close();
  }
});

Deno.test("ServerLink.stats() asks for what it is told, and makes answers printable", async () => {
  const asked: string[] = [];
  const link = scriptedLink((line) => {
    asked.push(line);
    return line === "stats items"
      ? "STAT a\x1b[2J \x07\xff\nEND\n"
      : "CLIENT_ERROR \x1b]0;x\x07\r\n";
  });
  const items = await link.stats("items");
  assertEquals(typeof items === "string" ? items : [...items], [["a?[2J", "??"]]);
  assertEquals(await link.stats("slabs"), "CLIENT_ERROR ?]0;x?");
  assertEquals(asked, ["stats items", "stats slabs"]);
  link.close();
});

Deno.test("a link that is closed, silent or without end is a LinkError", async () => {
  await assertRejects(() => scriptedLink(() => null).stats(""), ClosedError);
  await assertRejects(() => scriptedLink(() => "STAT a 1\r\n").stats(""), NoAnswerError);
  for (const text of ["x".repeat(100_000), "STAT a 1\r\n".repeat(300_000)]) {
    const endless = scriptedLink(() => text, Infinity, 5000);
    await assertRejects(() => endless.stats(""), LinkError, "no end");
  }
});

Deno.test("a link gives a whole answer the time of one, however it drips", async () => {
  const drops = "STAT a 1\r\n".repeat(300) + "END\r\n";
  const dripping = scriptedLink(() => drops, 10, 100, 5);
  await assertRejects(() => dripping.stats(""), NoAnswerError, "no answer within 0.1 s");
  await assertRejects(() => scriptedLink(() => drops, 1, 20, 5).ask("x\r\n"), NoAnswerError);
});
