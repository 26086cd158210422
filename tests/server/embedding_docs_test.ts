// Goal: the examples of docs/embedding.md do what they say.
// Method: take them out of the page and run them, with the checkout's own name for the module.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { programWords } from "../support/server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BLOCK = /^```ts\n(.*?)^```$/gms;

Deno.test("the examples of docs/embedding.md run", async (t) => {
  const page = await Deno.readTextFile(`${ROOT}docs/embedding.md`);
  const blocks = [...page.matchAll(BLOCK)].map(([, code = ""]) => code);
  assertEquals(blocks.length, 2);
  await Deno.mkdir(`${ROOT}build`, { recursive: true });
  const dir = await Deno.makeTempDir({ dir: `${ROOT}build`, prefix: "examples-" });
  const run = async (words: readonly string[]): Promise<string> => {
    const [word = "", ...args] = words;
    const command = new Deno.Command(word, { args, cwd: ROOT, env: { NO_COLOR: "1" } });
    const { success, stdout, stderr } = await command.output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };

  await t.step("a program with a server, under the start task's permissions", async () => {
    await Deno.writeTextFile(`${dir}/program.ts`, blocks[0]!);
    const words = programWords().slice(0, -1);
    const printed = await run([...words, `${dir}/program.ts`]);
    assertMatch(printed, /^memcached:\/\/127\.0\.0\.1:\d+\nVERSION 1\.[\d.]+\n$/);
  });
  await t.step("a test with a server", async () => {
    await Deno.writeTextFile(`${dir}/example_test.ts`, blocks[1]!);
    const words = [Deno.execPath(), "test", "--no-check", "--allow-all", `${dir}/example_test.ts`];
    assertMatch(await run(words), /1 passed \| 0 failed/);
  });
  await Deno.remove(dir, { recursive: true });
});
