// The path of a Unix socket: which server has it, and who removes it.
//
// memden replaces a socket on which nobody listens: it is left from a server that has ended. It
// does not replace one on which somebody listens. memcached would take the path away from a server
// that then gets no new clients, and does not notice
// (docs/decisions/0034-bind-early-listen-last.md). A server that ends removes its own socket only:
// by then the path may lead to another one.
// Source: memcached.c, server_socket_unix.

/** What the system says of an address that another server has. */
export const IN_USE = "Address already in use";

/**
 * Errors of connect(2) that mean that nobody listens, or that the runtime may not connect: then the
 * path is taken, as in memcached. Any other error, such as a full queue, means that somebody does.
 */
const NOBODY: readonly string[] = ["ConnectionRefused", "NotFound", "NotCapable"];

/** Whether somebody listens on the socket at `path`. */
export async function isServed(path: string): Promise<boolean> {
  if (!isSocket(path)) return false;
  try {
    using _conn = await Deno.connect({ transport: "unix", path });
    return true;
  } catch (error) {
    return !NOBODY.includes((error as Error).name);
  }
}

/** Removes the socket at `path`, on which nobody listens. A file of another kind stays. */
export function removeStale(path: string): void {
  if (isSocket(path)) removeIfAllowed(path);
}

/** Calls `bind`, which makes a Unix socket, with a umask that gives the socket the mode `mode`. */
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

  /** Whether the path no longer leads to it. */
  get isLost(): boolean {
    // Without an inode the runtime may not look, as in /dev without --allow-all.
    return this.#inode !== undefined && inodeOf(this.path) !== this.#inode;
  }

  /** Whether the path leads to another file now. */
  get isReplaced(): boolean {
    const now = inodeOf(this.path);
    return now !== undefined && now !== this.#inode;
  }

  /** Removes it, if the path still leads to it. */
  remove(): void {
    MADE.delete(this);
    if (!this.isLost) removeIfAllowed(this.path);
  }
}

/** The inode at `path`; undefined when nothing is there, or the runtime may not look. */
export function inodeOf(path: string): number | undefined {
  return lstat(path)?.ino ?? undefined;
}

function isSocket(path: string): boolean {
  return lstat(path)?.isSocket === true;
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Removes the file at `path`. One that cannot be removed stays: the next bind(2) says why. */
export function removeIfAllowed(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    return;
  }
}
