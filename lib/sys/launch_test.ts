import { assertEquals } from "@std/assert";
import { canCallLibc } from "./libc.ts";

Deno.test("launchWords() starts a program again, with its permissions", async () => {
  if (!canCallLibc) return;
  const module = new URL("launch.ts", import.meta.url).href;
  const text = `import { launchWords } from "${module}";
    console.log(JSON.stringify([launchWords(), Deno.args]));`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, text);
  const first = ["run", "--allow-ffi", "--allow-read", "--allow-sys", file];
  const run = async (words: readonly string[]): Promise<readonly [string[], string[]]> => {
    const { stdout } = await new Deno.Command(words[0]!, { args: words.slice(1) }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  const [words, args] = await run([Deno.execPath(), ...first, "-p", "1", ""]);
  assertEquals(words, [Deno.execPath(), ...first]);
  assertEquals(args, ["-p", "1", ""]);
  assertEquals(await run([...words, ...args]), [words, args]);
  await Deno.remove(file);
});
