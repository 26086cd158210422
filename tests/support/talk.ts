// What black-box tests of a server have in common: which servers there are, one question and its
// line, `stats` by name, and waiting for what must come true in the end.

import { Link } from "../conformance/link.ts";
import type { Address } from "./address.ts";
import { startMemcached, startMemden } from "./server.ts";

/** How long a server may take over anything, in milliseconds: far more than it ever needs. */
const WAIT_MS_MAX = 60_000;
const POLL_MS = 25;

/** Both servers by name, each with what starts it. */
export const SERVERS = [["memden", startMemden], ["memcached", startMemcached]] as const;

/** Name of one of {@linkcode SERVERS}. */
export type ServerName = typeof SERVERS[number][0];

/** What starts one of {@linkcode SERVERS}. */
export type Start = typeof startMemden;

/** Tests of memcached are ignored where it is not installed. */
export const IGNORED: Readonly<Record<ServerName, boolean>> = {
  memden: false,
  memcached: !(Deno.env.get("PATH") ?? "").split(":").some(hasMemcached),
};

/** Registers `test` once for each server; `name: ` comes in front of the title. */
export function testBoth(
  title: string,
  test: (start: Start, name: ServerName) => Promise<void>,
): void {
  for (const [name, start] of SERVERS) {
    Deno.test({ name: `${name}: ${title}`, ignore: IGNORED[name], fn: () => test(start, name) });
  }
}

/** Connects; nothing is sent yet. */
export function dial(address: Address): Promise<Link> {
  return Link.open(address, WAIT_MS_MAX);
}

/** Sends `text`; no line end is added. */
export function say(link: Link, text: string): Promise<void> {
  return link.send(new TextEncoder().encode(text));
}

/** The next line without its end; undefined when the connection ended. */
export async function hear(link: Link): Promise<string | undefined> {
  const line = await link.line();
  return line === undefined ? undefined : new TextDecoder().decode(line).replace(/\r?\n$/, "");
}

/** Sends a line and returns the first line of the answer. */
export async function ask(link: Link, line: string): Promise<string | undefined> {
  await say(link, `${line}\r\n`);
  return await hear(link);
}

/** What `stats` answers, or another command with answers of that form, by name, in order. */
export async function readStats(link: Link, command = "stats"): Promise<Map<string, string>> {
  await say(link, `${command}\r\n`);
  const stats = new Map<string, string>();
  while (true) {
    const line = await hear(link);
    if (line === undefined) throw new Error(`${command}: the connection is ${link.ended}`);
    if (line === "END") return stats;
    const [, name = "", value = ""] = /^STAT (\S+) (.*)$/.exec(line) ?? [];
    stats.set(name, value);
  }
}

/** Asks until `isTrue`; fails with `what` when it does not come true. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`It does not come true that ${what}`);
    await pause(POLL_MS);
  }
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function hasMemcached(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/memcached`).isFile;
  } catch {
    return false;
  }
}
