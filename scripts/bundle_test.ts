// What bundle.ts finds in sources and in bundled files, and what it relies on in deno. That a
// bundle runs is tested in tests/server/bundle_test.ts.

import { assert, assertEquals } from "@std/assert";
import { bundledName, loadedBy, placesMissing, SPLIT_FLAGS, threadEntries } from "./bundle.ts";

Deno.test("threadEntries() finds what a thread starts from, tests left out", () => {
  const line = (name: string) =>
    `new Worker(new URL("./thread/${name}.ts", import.meta.url), options);\n`;
  const sources = new Map([
    ["lib/server/server.ts", ["worker", "maintenance_thread", "worker"].map(line).join("")],
    ["lib/server/server_test.ts", line("crash")],
    ["main.ts", 'import { a } from "./lib/server/server.ts";\n'],
  ]);
  assertEquals(threadEntries(sources), [
    "lib/server/thread/maintenance_thread.ts",
    "lib/server/thread/worker.ts",
  ]);
  assertEquals(bundledName("lib/server/thread/worker.ts"), "worker.js");
});

Deno.test("loadedBy() tells files of the bundle, the runtime and what is missing apart", () => {
  const graph = {
    modules: [
      { specifier: "file:///b/main.js" },
      { specifier: "file:///b/chunk-A.js" },
      { specifier: "node:util" },
      { specifier: "file:///b/gone.js", error: "Module not found" },
      { specifier: "file:///elsewhere/a.js" },
      { specifier: "npm:left-pad@1" },
    ],
  };
  assertEquals(loadedBy(graph, "file:///b/"), {
    names: ["chunk-A.js", "main.js"],
    missing: ["gone.js", "file:///elsewhere/a.js", "npm:left-pad@1"],
  });
});

Deno.test("placesMissing() lets entries of threads pass that are there", () => {
  const text = `new URL("./worker.ts", import.meta.url); new URL("./page.html", import.meta.url);
    new URL("../worker.ts", import.meta.url); new URL(request.url); new URL(
      "./gone.ts", import.meta.url)`;
  const missing = ["./page.html", "../worker.ts", "./gone.ts"];
  assertEquals(placesMissing(text, ["worker.js", "page.html", "main.js"]), missing);
});

Deno.test("deno bundle takes in text, and loads late what is loaded late", async () => {
  const home = await Deno.makeTempDir();
  await Deno.writeTextFile(`${home}/page.html`, '<script>import "./app.js"</script>\n');
  const imported = 'import page from "./page.html" with { type: "text" };\n';
  await Deno.writeTextFile(`${home}/late.ts`, `${imported}export const text: string = page;\n`);
  await Deno.writeTextFile(`${home}/a.ts`, 'console.log((await import("./late.ts")).text);\n');
  const run = async (args: string[]): Promise<string> => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: "/" }).output();
    return new TextDecoder().decode(stdout);
  };
  await run(["bundle", ...SPLIT_FLAGS, "--outdir", `${home}/out`, `${home}/a.ts`]);
  const graph = JSON.parse(await run(["info", "--json", `${home}/out/a.js`]));
  const { names, missing } = loadedBy(graph, `file://${home}/out/`);
  assertEquals(missing, []);
  assert(names.length > 1, "the late module is a file of its own");
  await Deno.remove(`${home}/page.html`);
  assertEquals(await run(["run", `${home}/out/a.js`]), '<script>import "./app.js"</script>\n\n');
  await Deno.remove(home, { recursive: true });
});
