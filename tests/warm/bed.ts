// Where servers with a memory file are started, and how they end.

import { startMemden, type TestServer } from "../support/server.ts";
import { Wire } from "./wire.ts";

/** A place where files are memory, and one where they are not. */
const MEMORY = "/dev/shm";
const DISK = "/tmp";
/** What the tests need of the former, in bytes; containers often have less. */
const ROOM_BYTES = 700e6;
const WAIT_MS_MAX = 20_000;

/** Bytes free where `path` is, or all that there are. */
export async function roomAt(path: string, which: "avail" | "size" = "avail"): Promise<number> {
  const command = new Deno.Command("df", { args: ["-B1", `--output=${which}`, path] });
  const { stdout, success } = await command.output();
  return success ? Number(new TextDecoder().decode(stdout).split("\n")[1]) : 0;
}

/** A directory of its own for a memory file, removed in the end. */
export class Bed {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes one in memory if there is room; or on the disk. */
  static async make(where: "memory" | "disk" = "memory"): Promise<Bed> {
    const isRoomy = where === "memory" && await roomAt(MEMORY) > ROOM_BYTES;
    const dir = isRoomy ? MEMORY : DISK;
    return new Bed(await Deno.makeTempDir({ dir, prefix: "memden-warm-" }));
  }

  /** The memory file. */
  get file(): string {
    return `${this.folder}/items`;
  }

  /** The metadata that a server leaves behind. */
  get meta(): string {
    return `${this.file}.meta`;
  }

  /** Whether there is metadata. */
  hasMeta(): boolean {
    return [...Deno.readDirSync(this.folder)].some(({ name }) => name === "items.meta");
  }

  /** Starts a server on the file, and waits until it listens, which it does before it serves. */
  listen(...args: readonly string[]): Promise<TestServer> {
    return startMemden(["-e", this.file, "-v", ...args]);
  }

  /** Starts a server on the file, and waits until it serves. */
  async start(...args: readonly string[]): Promise<TestServer> {
    const server = await this.listen(...args);
    using wire = await Wire.open(server.port);
    await wire.send("mn\r\n");
    await wire.line();
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Ends a server by SIGUSR1; returns its exit code. */
export async function stopGracefully(server: TestServer): Promise<number> {
  Deno.kill(server.pid, "SIGUSR1");
  return await server.exited;
}

/** Has the server check every rule of its store; returns the line that it writes. */
export async function checkRules(server: TestServer): Promise<string> {
  Deno.kill(server.pid, "SIGUSR2");
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const line = /store (checked|not checked|check:).*/.exec(server.stderr())?.[0];
    if (line !== undefined) return line;
    if (Date.now() > deadline) throw new Error("The store was not checked");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
