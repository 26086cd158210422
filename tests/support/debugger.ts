// Whether a process listens on the port of the runtime's debugger, by what the kernel says.

/** The port, as /proc writes it. */
const PORT = Deno.build.os === "linux" ? (9229).toString(16).toUpperCase().padStart(4, "0") : "";
/** State of a listening socket. Source: linux/tcp_states.h. */
const LISTEN = "0A";

/** Inodes of the sockets that listen on that port, of any process. */
function listenersInodes(): string[] {
  return ["tcp", "tcp6"].flatMap((family) =>
    Deno.readTextFileSync(`/proc/net/${family}`).split("\n").slice(1).flatMap((line) => {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      return state === LISTEN && local.endsWith(`:${PORT}`) ? [inode] : [];
    })
  );
}

/** Whether the process `pid` has the port open; one that has ended has not. */
export function hasDebugger(pid: number): boolean {
  const inodes = listenersInodes();
  if (inodes.length === 0) return false;
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
      return inode !== undefined && inodes.includes(inode);
    });
  } catch {
    return false;
  }
}

/** Where a link leads; "" for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
