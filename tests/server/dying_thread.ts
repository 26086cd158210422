// Starts a server in this process, takes the acceptor's epoll instance away behind its back, and
// prints how the server ended. That this process then ends by itself shows that nothing is left of
// the server. Run by process_test.ts as a process of its own.
// deno-lint-ignore-file no-console

import { startServer } from "../../lib/mod.ts";
import { listeningAddress } from "../../lib/sys/socket.ts";
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

/** Whether the epoll instance `epoll` watches `fd`. Source: proc(5), /proc/pid/fdinfo. */
function watches(epoll: number, fd: number): boolean {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${epoll}`);
  return new RegExp(`^tfd:\\s+${fd} `, "m").test(info);
}

const before = new Set(epolls());
const server = await startServer({ threads: 1 });
{
  // Once one is served the acceptor watches.
  using first = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await first.write(new TextEncoder().encode("mn\r\n"));
  await first.read(new Uint8Array(16));
}
// Only ours: each thread has one of the runtime's own, too, and without it the process panics.
const { port } = server;
const isOurs = (fd: number): boolean => {
  const bound = listeningAddress(fd);
  return bound?.family === "tcp" && bound.port === port;
};
const listening = Array.from({ length: 256 }, (_, fd) => fd).find(isOurs);
if (listening === undefined) throw new Error("No listening socket found");
const ours = epolls().filter((fd) => !before.has(fd) && watches(fd, listening));
if (ours.length !== 1) throw new Error(`${ours.length} epoll instances watch the listening socket`);
for (const fd of ours) libc.close(fd);

const client = await Deno.connect({ hostname: "127.0.0.1", port });
await client.write(new TextEncoder().encode("version\r\n"));
console.log(JSON.stringify(await server.ended));
client.close();
