// Goal: the runner passes what is right, fails what is wrong, and its cuts find what whole lines
// hide.
// Method: scripts of canary/ against a small server in this process, right and with faults.

import { assert, assertEquals } from "@std/assert";
import { Bed } from "./bed.ts";
import type { Cuts } from "./cuts.ts";
import { FakeServer, type Fault } from "./fake_server.ts";
import { type Report, runScripts } from "./runner.ts";
import { parseScript, type Script } from "./script.ts";

const RIGHT = await read("right.txt");
const WRONG = await read("wrong.txt");
/** Silence of this length is a failure here. */
const WAIT_MS_MAX = 200;

async function read(name: string): Promise<Script> {
  const text = await Deno.readTextFile(new URL(`./canary/${name}`, import.meta.url));
  return parseScript(name, text);
}

async function run(script: Script, fault: Fault, cuts: Cuts): Promise<Report> {
  using server = new FakeServer(fault);
  const address = { hostname: "127.0.0.1", port: server.port };
  const bed = new Bed({ kind: "running", address, name: "memcached" }, WAIT_MS_MAX);
  try {
    const [report] = await runScripts([script], bed, { seed: 1, jobs: 8, cuts });
    if (report === undefined) throw new Error("No report");
    return report;
  } finally {
    await bed.close();
  }
}

Deno.test("runScripts() passes a right script, whole and cut", async () => {
  const report = await run(RIGHT, "none", "all");
  assertEquals(report.failures, []);
  assertEquals([report.passed, report.skipped], [9, 2]);
  assert(report.plays > 50, `only ${report.plays} plays`);
});

Deno.test("runScripts() fails every conversation of the canary", async () => {
  const { failures } = await run(WRONG, "none", "none");
  const failed = new Set(failures.map(({ conversation }) => conversation.title));
  assertEquals(WRONG.conversations.map(({ title }) => title).filter((t) => !failed.has(t)), []);
});

Deno.test("runScripts() goes on after a failed step", async () => {
  const script = parseScript("x", "== x\n> mn\n< NM\n> mn\n< MN\n");
  const report = await run(script, "none", "all");
  assertEquals([report.passed, report.failures.length], [1, 1]);
  assertEquals(report.failures[0]?.message, 'expected "NM\\r\\n", got "MN\\r\\n"');
});

Deno.test("runScripts() finds by its cuts a server that needs whole lines", async () => {
  assertEquals((await run(RIGHT, "needs-whole-lines", "none")).failures, []);
  const { failures } = await run(RIGHT, "needs-whole-lines", "all");
  const manners = new Set(failures.map(({ manner }) => manner.kind));
  assert(manners.has("cut") || manners.has("dribbled"));
});

Deno.test("runScripts() finds by glued steps a server that takes one line a read", async () => {
  const script = parseScript("x", "== x\n> mn\n< MN\n> get $a\n< END\n");
  assertEquals((await run(script, "one-line-a-read", "none")).failures, []);
  const { failures } = await run(script, "one-line-a-read", "all");
  assertEquals(failures.map(({ manner }) => manner.kind), ["glued"]);
});
