// The configurations of deploy/: twemproxy's are read by nutcracker itself; mcrouter, which Debian
// does not have, is not run, so of its only the form is checked, and that every pool that is named
// is there.

import type { Checks } from "../load/checks.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;

/**
 * Checks all of them.
 *
 * @param nutcracker The program; undefined where it is not installed.
 */
export async function checkConfigurations(
  checks: Checks,
  nutcracker: string | undefined,
): Promise<void> {
  if (nutcracker !== undefined) {
    for (const path of await filesOf(`${DEPLOY}twemproxy`, ".yml")) {
      const { code, stderr } = await new Deno.Command(nutcracker, {
        args: ["-t", "-c", path],
      }).output();
      const said = new TextDecoder().decode(stderr).trim().replaceAll(DEPLOY, "deploy/");
      checks.check(code === 0, "nutcracker -t", said);
    }
  }
  for (const path of await filesOf(`${DEPLOY}mcrouter`, ".json")) {
    const problem = problemOf(await Deno.readTextFile(path));
    checks.check(problem === undefined, `form of ${path.replace(DEPLOY, "deploy/")}`, problem);
  }
}

async function filesOf(folder: string, end: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(end)) paths.push(`${folder}/${name}`);
  }
  if (paths.length === 0) throw new Error(`${folder} has no ${end}`);
  return paths.sort();
}

/** What is wrong with a configuration of mcrouter, as far as that shows without mcrouter. */
function problemOf(text: string): string | undefined {
  const { pools, route } = JSON.parse(text);
  for (const [name, pool] of Object.entries<{ servers: string[]; protocol: string }>(pools)) {
    const wrong = pool.servers.find((server) => !/^[\d.]+:\d+$/.test(server));
    if (wrong !== undefined) return `server ${wrong} of pool ${name}`;
    if (pool.protocol !== "ascii") return `protocol ${pool.protocol} of pool ${name}`;
  }
  const named = [...JSON.stringify(route).matchAll(/"PoolRoute\|(\w+)"/g)].map(([, name = ""]) =>
    name
  );
  const unknown = named.find((name) => !(name in pools));
  if (unknown !== undefined) return `no pool ${unknown}`;
  const unused = Object.keys(pools).find((name) => !named.includes(name));
  return unused === undefined ? undefined : `pool ${unused} is not used`;
}
