import { assertEquals } from "@std/assert";
import { FORM, formOf, threadModule } from "./program.ts";

Deno.test("formOf() tells the forms apart by the module's ending and the runtime", () => {
  assertEquals(formOf("file:///m/lib/base/program.ts", false), "source");
  assertEquals(formOf("file:///m/chunk-ABC.js", false), "bundle");
  assertEquals(formOf("file:///tmp/deno-compile-memden/main.js", true), "compiled");
  assertEquals(formOf("file:///tmp/deno-compile-app/lib/base/program.ts", true), "compiled");
  assertEquals(FORM, "source");
});

Deno.test("threadModule() names the source, or the file beside a bundled module", () => {
  const source = new URL("file:///m/worker.ts");
  const moduleFrom = (from: string): string => threadModule(source, from).href;
  assertEquals(moduleFrom("file:///m/program.ts"), "file:///m/worker.ts");
  assertEquals(moduleFrom("file:///m/chunk-ABC.js"), "file:///m/worker.js");
  assertEquals(threadModule(source), source);
});
