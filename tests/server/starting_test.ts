// Goal: the port opens when the server can serve. Whoever is connected first is answered by a
// server that has read all its files, started all its threads and said where it is; a start that is
// refused never had a port, and leaves no file.
// Method: connect again and again from before the start, and look at what is there when the first
// connection is answered. How long that takes counts as a part of the start itself.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import dgram from "node:dgram";
import { Buffer } from "node:buffer";
import { DaemonProcess, runMemden } from "../support/daemon.ts";
import { type FirstContact, firstContact, neverContact } from "../support/first_contact.ts";
import { freePort, programWords } from "../support/server.ts";
import { ask, dial, until } from "../support/talk.ts";
import { type Over, prepareWay } from "../support/ways.ts";

const TESTS = new URL("./", import.meta.url).pathname;
const HOST = "127.0.0.1";

/** A directory of its own, removed afterwards. */
class Folder {
  readonly path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "memden-" });

  get names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Most that the first answer may take of the time that the start took: far more than it does. */
const WAITED_MAX = 0.5;

/** That a server had said who and where it is when it gave the first answer, and gave it soon. */
function assertComplete({ reply, files, waited }: FirstContact, port: number): void {
  assertEquals(reply, "MN\r\n");
  assert(waited < WAITED_MAX, `it waited for ${waited} of the time of the start`);
  assertEquals(Object.keys(files), ["pid", "ports"]);
  assertMatch(files.pid ?? "", /^\d+\n$/);
  assertEquals(files.ports, port === 0 ? "" : `TCP INET: ${port}\n`);
}

const WAYS: readonly Over[] = ["tcp", "unix", "relay", "no-ffi"];

for (const over of WAYS) {
  Deno.test(`memden is complete when the first client is connected, over ${over}`, async () => {
    using folder = new Folder();
    const { args, address, remove } = await prepareWay(over);
    const files = ["-P", `${folder.path}/pid`, "-t", "3"];
    const env = { MEMCACHED_PORT_FILENAME: `${folder.path}/ports` };
    const words = [...programWords(undefined, over), ...args, ...files];
    const seen = await firstContact({ words, address, cwd: folder.path, env }, folder.path);
    assertComplete(seen, "port" in address ? address.port : 0);
    await remove();
  });
}

Deno.test("memden -d is complete when the first client is connected", async () => {
  using folder = new Folder();
  const port = freePort();
  const args = ["-d", "-l", HOST, "-p", String(port), "-P", `${folder.path}/pid`, "-t", "1"];
  const env = { MEMCACHED_PORT_FILENAME: `${folder.path}/ports` };
  const words = [...programWords(), ...args];
  const address = { hostname: HOST, port };
  const seen = await firstContact({ words, address, cwd: folder.path, env }, folder.path);
  await using _daemon = new DaemonProcess(`${folder.path}/pid`);
  assertComplete(seen, port);
});

Deno.test("memden answers who has connected to systemd's socket once it is complete", async () => {
  using folder = new Folder();
  using place = new Folder();
  const port = freePort();
  const launcher = ["python3", `${TESTS}inherit.py`, String(port), `${place.path}/sock`, "--"];
  const words = [...launcher, ...programWords(), "-p", "0", "-t", "1", "-P", `${folder.path}/pid`];
  const env = { MEMCACHED_PORT_FILENAME: `${folder.path}/ports` };
  const address = { hostname: HOST, port };
  const seen = await firstContact({ words, address, cwd: folder.path, env }, folder.path);
  // That it waits is what systemd's sockets are for.
  assertComplete({ ...seen, waited: 0 }, port);
});

Deno.test("memden answers every datagram from the first on, and is complete by then", async () => {
  using folder = new Folder();
  const port = freePort();
  const socket = dgram.createSocket("udp4");
  const answered = new Set<number>();
  let filesAtFirst: string[] | undefined;
  socket.on("error", () => {}); // Nobody is there yet.
  socket.on("message", (datagram: Buffer) => {
    filesAtFirst ??= folder.names;
    answered.add(datagram.readUInt16BE(0));
  });
  let sent = 0;
  const askNext = (): void => {
    sent++;
    const header = Buffer.from([sent >> 8, sent & 255, 0, 0, 0, 1, 0, 0]);
    socket.send(Buffer.concat([header, Buffer.from("mn\r\n")]), port, HOST, () => {});
  };
  const args = ["-l", HOST, "-p", String(port), "-U", String(port), "-t", "2"];
  const started = runServer([...args, "-P", `${folder.path}/pid`], folder.path);
  await until("the first datagram is answered", () => {
    askNext();
    return Promise.resolve(answered.size > 0);
  });
  assertEquals(filesAtFirst, ["pid"]);
  // One that came when the port was bound was kept for the workers.
  const first = Math.min(...answered);
  const all = Array.from({ length: sent - first + 1 }, (_, index) => first + index);
  await until("all since then are", () => Promise.resolve(all.every((id) => answered.has(id))));
  socket.close();
  started.kill("SIGTERM");
  assertEquals((await started.status).code, 0);
});

function runServer(args: readonly string[], cwd: string): Deno.ChildProcess {
  const [program = "", ...words] = [...programWords(), ...args];
  const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
  return new Deno.Command(program, { args: words, cwd, ...io }).spawn();
}

/** Arguments of a start that is refused, in a folder of its own, and what it says. */
type Refused = readonly [what: string, args: readonly string[], code: number, says: RegExp];

const REFUSED: readonly Refused[] = [
  ["-Y names no file", ["-Y", "none"], 1, /Could not open authfile/],
  ["-Y is empty", ["-Y", "empty"], 1, /is empty/],
  ["-Y has a line without a colon", ["-Y", "bad"], 1, /malformed entry.*\(line 2\)/],
  ["-Y has a line without a name", ["-Y", "nameless"], 1, /no name or no password.*\(line 2\)/],
  ["-Y has a line without a password", ["-Y", "open"], 1, /no name or no password.*\(line 1\)/],
  ["-Z has no certificate", ["-Z", "-o", "ssl_chain_cert=none,ssl_key=none"], 64, /TLS/],
  ["-e is in no folder", ["-e", "none/items"], 71, /cannot use -e/],
  ["-e has no place for its end", ["-e", "items"], 71, /cannot use -e.*items.meta/],
  ["-e with a bad -Y", ["-e", "items", "-Y", "bad"], 1, /malformed entry/],
];
/** Options that the relay transport does not have. */
const NATIVE_ONLY = new Set(["-e"]);

for (const [what, args, code, says] of REFUSED) {
  for (const transport of ["native", "relay"]) {
    const isNever = transport === "relay" && args.some((arg) => NATIVE_ONLY.has(arg));
    const name = `memden never opens a port when ${what}, ${transport}`;
    Deno.test({ name, ignore: isNever }, async () => {
      using folder = new Folder();
      const files = { empty: "", bad: "a:b\nnonsense\n", nameless: "a:b\n:c\n", open: "a:\n" };
      for (const [name, text] of Object.entries(files)) {
        Deno.writeTextFileSync(`${folder.path}/${name}`, text);
      }
      Deno.mkdirSync(`${folder.path}/items.meta.new`); // Where a file would be written.
      const before = folder.names;
      const port = freePort();
      const own = ["-l", HOST, "-p", String(port), "-P", "pid", `--transport=${transport}`];
      const env = { MEMCACHED_PORT_FILENAME: `${folder.path}/ports` };
      const words = [...programWords(), ...own, ...args];
      const address = { hostname: HOST, port };
      const ended = await neverContact({ words, address, cwd: folder.path, env });
      assertMatch(ended.stderr, says);
      assert(!/^\s+at /m.test(ended.stderr), ended.stderr);
      assertEquals(ended.code, code);
      assertEquals(folder.names, before, "no file is left");
    });
  }
}

for (const transport of ["native", "relay"]) {
  Deno.test(`memden makes nothing when a port is in use, ${transport}`, async () => {
    using folder = new Folder();
    using taken = Deno.listen({ hostname: HOST, port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const own = ["-l", HOST, "-p", String(port), `--transport=${transport}`, "-P", "pid", "-vv"];
    const { code, stderr } = await runMemden(own, folder.path);
    assertEquals(code, 71);
    assertStringIncludes(stderr, `failed to listen on TCP port ${port}: Address already in use\n`);
    assert(!stderr.includes("slab class"), "nothing was made yet");
    assertEquals(folder.names, []);
  });
}

for (const where of ["port", "unix"]) {
  Deno.test(`of two memdens started at one time for one ${where} one serves`, async () => {
    using folder = new Folder();
    const path = `${folder.path}/sock`;
    const port = freePort();
    const at = where === "unix" ? ["-s", path] : ["-l", HOST, "-p", String(port)];
    const address = where === "unix" ? { path } : { hostname: HOST, port };
    const servers = [1, 2].map(() => runServer([...at, "-t", "1"], folder.path));
    // Both can have bound: then the second one to listen is refused.
    const ended = servers.map(async (child, index) => ({ index, code: (await child.status).code }));
    const { index, code } = await Promise.race(ended);
    assertEquals(code, 71);
    await until("the other one serves", async () => {
      using link = await dial(address).catch(() => undefined);
      return link !== undefined && await ask(link, "mn") === "MN";
    });
    servers[1 - index]!.kill("SIGTERM");
    assertEquals((await ended[1 - index]!).code, 0);
  });
}
