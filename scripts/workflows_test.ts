// Holds the workflows of GitHub against what they name here: targets, versions, scripts and tasks.
// That they are well-formed is GitHub's to say; docs/decisions/0023 tells what they were tried
// with.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml/parse";
import { TARGETS } from "./compile.ts";
import { ROOT } from "./sources.ts";

/** A step of a job, as far as it matters here. */
interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

/** A workflow, likewise. */
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly env?: { readonly DENO_VERSION: string };
  readonly jobs: Readonly<
    Record<string, {
      /** Another workflow, in place of steps. */
      readonly uses?: string;
      readonly needs?: string | readonly string[];
      readonly steps?: readonly Step[];
      readonly permissions?: object;
      readonly strategy?: { readonly matrix: { readonly include: { program: string }[] } };
    }>
  >;
}

async function read(name: string): Promise<Workflow> {
  return parse(await Deno.readTextFile(`${ROOT}.github/workflows/${name}.yml`)) as Workflow;
}

const WORKFLOWS = { ci: await read("ci"), release: await read("release") };
const STEPS = Object.values(WORKFLOWS).flatMap(({ jobs }) =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps)
);
const COMMANDS = STEPS.flatMap(({ run }) => run ?? []).join("\n");

Deno.test("every action is pinned to a major version at least", () => {
  const uses = STEPS.flatMap((step) => step.uses ?? []);
  assert(uses.length > 0);
  for (const action of uses) assertMatch(action, /^[\w-]+\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/);
});

Deno.test("every script and task that a workflow runs is there", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const [, task = ""] of COMMANDS.matchAll(/\bdeno task (\S+)/g)) assert(task in tasks, task);
  const scripts = [...COMMANDS.matchAll(/\b(scripts\/\w+\.ts|\.ci\/run)\b/g)].map(([path]) => path);
  assert(scripts.length > 3, scripts.join(" "));
  for (const path of scripts) assert((await Deno.stat(ROOT + path)).isFile, path);
});

Deno.test("a release tries every target, and publishes each", () => {
  const { smoke, publish } = WORKFLOWS.release.jobs;
  const tried = smoke?.strategy?.matrix.include.map(({ program }) => program) ?? [];
  const named = [...TARGETS.keys()].map((name) =>
    `memden-${name}${name.startsWith("windows") ? ".exe" : ""}`
  );
  assertEquals(tried.toSorted(), ["bundle/main.js", ...named].toSorted());
  const commands = publish?.steps?.map(({ run }) => run ?? "").join("\n") ?? "";
  for (const name of TARGETS.keys()) assert(commands.includes(name), name);
});

Deno.test("a release is made with the deno that everything is tested with", async () => {
  const script = await Deno.readTextFile(`${ROOT}.ci/run`);
  const version = /^readonly DENO_VERSION=(\S+)$/m.exec(script)?.[1];
  assertEquals(WORKFLOWS.release.env?.DENO_VERSION, version);
});

Deno.test("nothing is published before all that must hold of the tagged commit holds", () => {
  const { ci, publish } = WORKFLOWS.release.jobs;
  assertEquals([ci?.uses, publish?.needs], ["./.github/workflows/ci.yml", ["ci", "smoke"]]);
  assert("workflow_call" in WORKFLOWS.ci.on);
});

for (const [tag, isPrerelease] of [["v1.0.0", false], ["v1.0.0-rc.1", true]] as const) {
  Deno.test(`${tag} is published as ${isPrerelease ? "a pre-release" : "a release"}`, async () => {
    const steps = WORKFLOWS.release.jobs.publish?.steps ?? [];
    const script = steps.find(({ name }) => name === "Release")?.run ?? "";
    const { stdout } = await new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", `gh() { printf '%s\\n' "$@"; }\n${script}`],
      env: { GITHUB_REF_NAME: tag },
    }).output();
    const told = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(told.slice(0, 3), ["release", "create", tag]);
    assertEquals(told.includes("--prerelease"), isPrerelease);
    assert(told.includes("--verify-tag"), told.join(" "));
  });
}
