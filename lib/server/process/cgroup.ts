// The memory that the control group of this process may use: in a container, that of the container.

import { readKernelFile } from "../../sys/process.ts";

const FILE_BYTES_MAX = 65_536;
/** Most nested groups that it reads. */
const LEVELS_MAX = 64;

/** Where a group has its limit, in both versions. Source: cgroup-v2.rst, cgroup-v1/memory.rst. */
const VERSIONS = [
  // line of /proc/self/cgroup, groups, file
  [/^0::(\/.*)$/m, "/sys/fs/cgroup", "memory.max"],
  [/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m, "/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
] as const;

/**
 * Reads the limit: the lowest of the process's own group and of those that it is in.
 *
 * @param root In front of every path; for tests.
 * @returns Bytes; Infinity where there is no limit, or none can be read.
 */
export function memoryLimit(root = ""): number {
  const own = readText(`${root}/proc/self/cgroup`);
  const limits = VERSIONS.flatMap(([line, groups, file]) => {
    const path = line.exec(own)?.[1];
    if (path === undefined) return [];
    return pathsUp(path).map((group) => readLimit(`${root}${groups}${group}/${file}`));
  });
  return Math.min(Infinity, ...limits);
}

/**
 * A group and all that it is in, as paths below the root, which is "". A container may see its own
 * group as the root, though its path is that of the machine.
 */
function pathsUp(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "").slice(0, LEVELS_MAX);
  return [...names.keys(), names.length].map((count) =>
    names.slice(0, count).map((name) => `/${name}`).join("")
  );
}

/** A number; Infinity for `max`, and where there is no such file. */
function readLimit(path: string): number {
  const text = readText(path).trim();
  return /^\d+$/.test(text) ? Number(text) : Infinity;
}

function readText(path: string): string {
  return new TextDecoder().decode(readKernelFile(path, FILE_BYTES_MAX));
}
