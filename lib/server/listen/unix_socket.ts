// The path of a Unix socket: whose it is, and who removes it.
//
// A socket that nobody listens on is left from a server that has ended, and is replaced. One that
// somebody listens on stays: memcached would take the path away from a server that then serves
// nobody new, and knows nothing of it (docs/decisions/0034-bind-early-listen-last.md).
// The end of a server removes its own socket only: by then the path may lead to another's.

import { tryCall } from "./try_call.ts";

/** What the system says of an address that another server has. */
export const IN_USE = "Address already in use";

/**
 * What says that nobody does, or that the runtime may not ask: then the path is taken, as memcached
 * takes it. Any other error, such as a queue that is full, comes from somebody.
 */
const NOBODY: readonly string[] = ["ConnectionRefused", "NotFound", "NotCapable"];

/** Whether somebody listens on the socket at `path`. */
export async function isServed(path: string): Promise<boolean> {
  if (!isSocket(path)) return false;
  return await Deno.connect({ transport: "unix", path }).then((conn) => {
    conn.close();
    return true;
  }, (error: Error) => {
    return !NOBODY.some((name) => error.name === name);
  });
}

/** Removes the socket at `path` that nobody listens on. A file of another kind stays. */
export function removeStale(path: string): void {
  if (isSocket(path)) tryCall(() => Deno.removeSync(path));
}

/** Calls `bind`, which makes a Unix socket, so that the socket has the access mode `mode`. */
export function withMode<T>(mode: number, bind: () => T): T {
  using undo = new DisposableStack();
  undo.adopt(Deno.umask(~mode & 0o777), Deno.umask);
  return bind();
}

/** The files that this thread has made, and not removed yet. */
const MADE = new Set<SocketFile>();

/** Removes the files of all Unix sockets of this thread: for a process that exits at once. */
export function removeSocketFiles(): void {
  for (const file of MADE) file.remove();
}

/** The file that was made for a Unix socket. */
export class SocketFile {
  readonly path: string;
  readonly #inode: number | undefined;

  /** @param path Where a socket has just been bound. */
  constructor(path: string) {
    this.path = path;
    this.#inode = inodeOf(path);
    MADE.add(this);
  }

  /** Whether the path does not lead to it any more. */
  get isLost(): boolean {
    // Where the runtime may not look, as in /dev without --allow-all, all is taken to be well.
    return this.#inode !== undefined && inodeOf(this.path) !== this.#inode;
  }

  /** Whether the path leads to something else by now. */
  get isReplaced(): boolean {
    const now = inodeOf(this.path);
    return now !== undefined && now !== this.#inode;
  }

  /** Removes it, if it is there. */
  remove(): void {
    MADE.delete(this);
    if (!this.isLost) tryCall(() => Deno.removeSync(this.path));
  }
}

/** The inode at `path`; undefined when nothing is there. */
export function inodeOf(path: string): number | undefined {
  const found = tryCall(() => Deno.lstatSync(path));
  return found instanceof Error ? undefined : found.ino ?? undefined;
}

function isSocket(path: string): boolean {
  const found = tryCall(() => Deno.lstatSync(path));
  return !(found instanceof Error) && found.isSocket === true;
}
