// Goal: every conversation gets the replies it must, also where no server can be started, and the
// store is whole afterwards.
// Method: plays the scripts to a memden in this process (process_server.ts): each conversation
// whole, with counters, and with as many steps as possible in one write. The cuts between are the
// business of `deno task conformance`.

import { assert, assertEquals } from "@std/assert";
import { Bed } from "./bed.ts";
import { readScripts } from "./main.ts";
import { ProcessServer } from "./process_server.ts";
import { describeManner, runScripts } from "./runner.ts";

/** Silence of this length is a failure: nothing is on its way in this process. */
const WAIT_MS_MAX = 5;
const cuts = Deno.env.has("MEMDEN_FEW_CUTS") ? "none" : "glued";
/** The file that scripts/mutate.ts has changed: conversations of the same name come first. */
const changed = Deno.env.get("MEMDEN_CHANGED")?.split("/").at(-1) ?? "";

/** How many characters `a` and `b` have in common at their beginning. */
function sharedStart(a: string, b: string): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
}

const SCRIPTS = (await readScripts(new URL("./", import.meta.url)))
  .sort((a, b) => sharedStart(b.name, changed) - sharedStart(a.name, changed));

const servers: ProcessServer[] = [];

async function start(args: readonly string[]): Promise<ProcessServer> {
  const server = await ProcessServer.start(args);
  servers.push(server);
  return server;
}

const bed = new Bed({ kind: "memden", over: "tcp", start }, WAIT_MS_MAX);

/** Steps that passed. */
let passed = 0;

for (const { name, conversations } of SCRIPTS) {
  for (const conversation of conversations) {
    Deno.test(`a server in this process answers ${name}: ${conversation.title}`, async () => {
      const script = { name, conversations: [conversation] };
      const [report] = await runScripts([script], bed, { seed: 1, jobs: 1, cuts });
      const failures = report?.failures.map(({ step, manner, message }) =>
        `${name}:${step.line}, ${describeManner(manner)}: ${message}`
      );
      assertEquals(failures, []);
      passed += report?.passed ?? 0;
    });
  }
}

Deno.test("the stores of the servers in this process are whole afterwards", async () => {
  await bed.close();
  assertEquals(servers.flatMap(({ problems }) => problems), []);
  assert(passed > 0, "something was played");
});
