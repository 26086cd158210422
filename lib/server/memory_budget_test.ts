// Goal: a container that is too small for -m is told so, with numbers that can be checked.
// Method: files of both versions of control groups below a directory that stands in for /.

import { assert, assertEquals } from "@std/assert";
import { defaultSettings } from "../config/settings.ts";
import { planStore } from "../store/plan.ts";
import { canCallLibc } from "../sys/libc.ts";
import { memoryLimit } from "./process/cgroup.ts";
import { budgetWarning, memoryParts } from "./memory_budget.ts";
import { shapeOf } from "./server_memory.ts";

const MIB = 2 ** 20;
const V1_NO_LIMIT = "9223372036854771712\n";

/** Files below the root, and the limit that they make. */
const GROUPS: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  limit: number,
])[] = [
  ["nothing at all", {}, Infinity],
  ["version 2, a container's own group as the root", {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": "134217728\n",
  }, 128 * MIB],
  ["version 2, no limit", {
    "proc/self/cgroup": "0::/a\n",
    "sys/fs/cgroup/a/memory.max": "max\n",
  }, Infinity],
  ["version 2, the lowest of the groups around it", {
    "proc/self/cgroup": "0::/pod/c\n",
    "sys/fs/cgroup/pod/memory.max": "1000\n",
    "sys/fs/cgroup/pod/c/memory.max": "2000\n",
  }, 1000],
  ["version 1, among other controllers", {
    "proc/self/cgroup": "9:cpu,cpuacct:/x\n8:hugetlb,memory:/docker/c\n0::/docker/c\n",
    "sys/fs/cgroup/memory/docker/c/memory.limit_in_bytes": "67108864\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": V1_NO_LIMIT,
  }, 64 * MIB],
  ["version 1, a container that sees its own group only", {
    "proc/self/cgroup": "4:memory:/docker/c\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864\n",
  }, 64 * MIB],
  ["version 1, no limit", {
    "proc/self/cgroup": "4:memory:/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": V1_NO_LIMIT,
  }, Number(V1_NO_LIMIT)],
  ["a group that is not readable as a number", {
    "proc/self/cgroup": "0::/../../a\nnoise",
    "sys/fs/cgroup/memory.max": "-5 x\n",
  }, Infinity],
];

for (const [what, files, limit] of GROUPS) {
  Deno.test({
    name: `memoryLimit() with ${what}`,
    ignore: !canCallLibc,
    fn: async () => {
      const root = await Deno.makeTempDir({ prefix: "memden-cgroup-" });
      for (const [path, text] of Object.entries(files)) {
        await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
        await Deno.writeTextFile(`${root}/${path}`, text);
      }
      assertEquals(memoryLimit(root), limit);
      await Deno.remove(root, { recursive: true });
    },
  });
}

function partsOf(megabytes: number, threads: number) {
  const settings = { ...defaultSettings(), maxbytes: megabytes * MIB, threads };
  return memoryParts(settings, planStore(shapeOf(settings, 1024)));
}

Deno.test("budgetWarning() adds up what the server may need", () => {
  const parts = partsOf(64, 4);
  const need = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  assertEquals(budgetWarning(parts, need), undefined);
  assertEquals(budgetWarning(parts, Infinity), undefined);
  const warning = budgetWarning(parts, need - 1) ?? "";
  assert(warning.includes(" 64 items (-m) + "), warning);
  assert(warning.includes(" 64 workers (-t)"), warning);
});

Deno.test("memoryParts() stay below what charts of memcached allow: 1.2 of -m and 100 MiB", () => {
  for (const [megabytes, threads] of [[64, 4], [1024, 4], [8192, 4], [1024, 8]] as const) {
    const limit = (1.2 * megabytes + 100) * MIB;
    assertEquals(budgetWarning(partsOf(megabytes, threads), limit), undefined);
  }
});
