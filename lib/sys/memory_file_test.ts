// Goal: a memory file is one process's, all zero when new, and has room; small files are put in
// place whole, and read or refused whatever stands there.

import { assert, assertEquals } from "@std/assert";
import { NO_FILE, readWhole, removeDurably, writeDurably } from "./durable_file.ts";
import { MemoryFile } from "./memory_file.ts";
import { mapFile, syncMemory, viewMemory } from "./mmap.ts";

const MIB = 2 ** 20;

/** Calls `use` with a directory that is there for as long. */
function inFolder(use: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "memden-file-" });
  try {
    use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function open(path: string): MemoryFile {
  const file = MemoryFile.open(path);
  if (typeof file === "string") throw new Error(file);
  return file;
}

Deno.test("MemoryFile.open() takes a file for one holder alone", () => {
  inFolder((folder) => {
    const file = open(`${folder}/items`);
    assertEquals(file.bytes, 0);
    assertEquals(MemoryFile.open(`${folder}/items`), "another server uses it");
    file.keep();
    file.close();
    open(`${folder}/items`).close();
    assertEquals((Deno.statSync(`${folder}/items`).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("MemoryFile.close() removes a file that was made and never kept, and no other", () => {
  inFolder((folder) => {
    const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    open(`${folder}/made`).close();
    assertEquals(names(), []);
    Deno.writeTextFileSync(`${folder}/there`, "");
    open(`${folder}/there`).close();
    assertEquals(names(), ["there"]);
    const moved = open(`${folder}/moved`);
    Deno.renameSync(`${folder}/moved`, `${folder}/elsewhere`);
    Deno.writeTextFileSync(`${folder}/moved`, "of somebody else");
    moved.close();
    assertEquals(names(), ["elsewhere", "moved", "there"]);
  });
});

Deno.test("MemoryFile.open() says why there is none", () => {
  inFolder((folder) => {
    assertEquals(MemoryFile.open(folder), "Is a directory");
    assertEquals(MemoryFile.open(`${folder}/a/b`), "No such file or directory");
  });
});

Deno.test("MemoryFile maps memory that is in the file, and forgets it", () => {
  inFolder((folder) => {
    const path = `${folder}/items`;
    Deno.writeFileSync(path, new Uint8Array(9).fill(1));
    const file = open(path);
    assertEquals(file.clear(2 * MIB), undefined);
    assertEquals(file.takenBytes, 0, "nothing is in it yet");
    assertEquals(file.reserve(2 * MIB), undefined);
    assert(file.takenBytes >= 2 * MIB);
    assertEquals(file.clear(2 * MIB), undefined);
    assertEquals(file.reserve(2 * MIB), undefined);
    assert(file.roomWithin(Infinity) > 0);
    assert((Deno.statSync(path).blocks ?? 0) * 512 >= 2 * MIB, "all of it has its place");
    const address = mapFile(file.fd, MIB, MIB);
    const view = new Uint8Array(viewMemory(address, MIB));
    assertEquals(view[0], 0);
    view[0] = 7;
    assert(syncMemory(address, MIB) && file.sync());
    assertEquals(Deno.readFileSync(path)[MIB], 7);
    assertEquals(file.clear(2 * MIB), undefined);
    assertEquals(view[0], 0);
    file.close();
  });
});

Deno.test("writeDurably() puts a file in place, and follows no link", () => {
  inFolder((folder) => {
    const path = `${folder}/meta`;
    Deno.writeTextFileSync(`${folder}/victim`, "victim");
    Deno.symlinkSync(`${folder}/victim`, `${path}.new`);
    const bytes = new Uint8Array(200_000).map((_, at) => at * 7);
    assertEquals(writeDurably(path, bytes), undefined);
    assertEquals(readWhole(path, MIB), bytes);
    assertEquals(writeDurably(path, bytes.slice(0, 5)), undefined);
    assertEquals(readWhole(path, MIB), bytes.slice(0, 5));
    assertEquals(Deno.readTextFileSync(`${folder}/victim`), "victim");
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  });
});

Deno.test("readWhole() says why a file cannot be read, and waits for nothing", () => {
  inFolder((folder) => {
    assertEquals(readWhole(`${folder}/none`, 9), NO_FILE);
    assertEquals(readWhole(folder, 9), "Is a directory");
    Deno.writeFileSync(`${folder}/long`, new Uint8Array(10));
    assertEquals(readWhole(`${folder}/long`, 9), "it is too long");
    assertEquals(readWhole(`${folder}/long`, 10), new Uint8Array(10));
    new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).outputSync();
    assertEquals(readWhole(`${folder}/pipe`, 9), new Uint8Array(0));
  });
});

Deno.test("removeDurably() removes a file, and says why it cannot", () => {
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/meta`, "");
    assertEquals(removeDurably(`${folder}/meta`), undefined);
    assertEquals(removeDurably(`${folder}/meta`), undefined);
    Deno.mkdirSync(`${folder}/meta`);
    assertEquals(removeDurably(`${folder}/meta`), "Is a directory");
    assertEquals(typeof writeDurably(`${folder}/meta`, new Uint8Array(1)), "string");
    assertEquals(typeof writeDurably(`${folder}/a/b`, new Uint8Array(1)), "string");
  });
});
