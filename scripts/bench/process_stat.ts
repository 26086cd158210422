// What a running process has used so far: CPU time and resident memory, as /proc tells.
// Source: proc(5), /proc/pid/stat and /proc/pid/status.

/** User and system time in ticks out of the text of /proc/PID/stat. */
export function parseCpuTicks(stat: string): number {
  // The second field is the program's name in parentheses; it may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const user = Number(fields[14 - 3]);
  const system = Number(fields[15 - 3]);
  if (Number.isNaN(user + system)) throw new Error(`Cannot read CPU ticks from: ${stat}`);
  return user + system;
}

/** Resident bytes out of the text of /proc/PID/status. */
export function parseRssBytes(status: string): number {
  return parseField(status, "VmRSS");
}

/** Resident memory of a process by kind. */
export interface Resident {
  /** Heaps, stacks, private mappings. */
  readonly anonymousBytes: number;
  /** Shared mappings without a file. */
  readonly sharedBytes: number;
}

/** Resident bytes by kind out of the text of /proc/PID/status. */
export function parseResident(status: string): Resident {
  return {
    anonymousBytes: parseField(status, "RssAnon"),
    sharedBytes: parseField(status, "RssShmem"),
  };
}

/** Bytes of the field `name` of /proc/PID/status. */
function parseField(status: string, name: string): number {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kib === undefined) throw new Error(`Cannot find ${name} in: ${status}`);
  return Number(kib) * 1024;
}

let ticksPerSecond = 0;

/** CPU seconds, user and system of every thread, that `pid` has used since it started. */
export function cpuSeconds(pid: number): number {
  if (ticksPerSecond === 0) {
    const { stdout } = new Deno.Command("getconf", { args: ["CLK_TCK"] }).outputSync();
    ticksPerSecond = Number(new TextDecoder().decode(stdout));
  }
  return parseCpuTicks(Deno.readTextFileSync(`/proc/${pid}/stat`)) / ticksPerSecond;
}

/** Resident memory of `pid` in bytes. */
export function rssBytes(pid: number): number {
  return parseRssBytes(Deno.readTextFileSync(`/proc/${pid}/status`));
}

/** Resident memory of `pid` by kind. */
export function residentBytes(pid: number): Resident {
  return parseResident(Deno.readTextFileSync(`/proc/${pid}/status`));
}
