// Starts a server in this process, takes a thread's epoll instance away behind its back, and prints
// how the server ended. Run by process_test.ts as a process of its own.
// deno-lint-ignore-file no-console

import { settingsFrom } from "../../lib/config/settings.ts";
import { parseCommandLine } from "../../lib/config/parse.ts";
import { openLog } from "../../lib/server/log.ts";
import { Server } from "../../lib/server/server.ts";
import { libc } from "../../lib/sys/libc.ts";

/** Descriptors of this process that are epoll instances. */
function epolls(): number[] {
  return [...Deno.readDirSync("/proc/self/fd")]
    .map(({ name }) => Number(name))
    .filter((fd) => linkOf(fd) === "anon_inode:[eventpoll]");
}

function linkOf(fd: number): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // The directory's own descriptor, gone by now.
  }
}

const commandLine = parseCommandLine(["-l", "127.0.0.1", "-p", "-1", "-t", "1"]);
if (commandLine.action !== "serve") throw new Error("Not a command line that serves");
const before = new Set(epolls());
const server = await Server.start(settingsFrom(commandLine.raw, {}), openLog(0));
for (const fd of epolls()) if (!before.has(fd)) libc.close(fd);

const port = server.listening[0]!.address.port;
const client = await Deno.connect({ hostname: "127.0.0.1", port });
await client.write(new TextEncoder().encode("version\r\n"));
console.log(JSON.stringify(await server.ended));
Deno.exit(0);
