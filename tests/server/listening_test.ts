// Goal: the server listens where it is told to: several addresses, names, Unix sockets, sockets
// that systemd has opened. It writes down where, and its connections are set up as memcached's.
// Method: start either server with its own flags, connect, and look at the files it made.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "../support/address.ts";
import { runMemden } from "../support/daemon.ts";
import { programWords, startMemden, type StartOptions } from "../support/server.ts";
import { ask, dial, hear, readStats, say, type Start, testBoth, until } from "../support/talk.ts";
import { freePort } from "../support/ways.ts";

const HOST = "127.0.0.1";
const TESTS = new URL("./", import.meta.url).pathname;
/** What socket_options.py ends with where it cannot look. */
const CANNOT_LOOK = 77;

/** A directory of its own, removed afterwards. */
class Folder {
  readonly path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "memden-" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Own flags about where to listen; `address` is one of the places. */
function listening(address: Address, ...args: string[]): StartOptions {
  return { listen: { address, args } };
}

async function answers(address: Address): Promise<void> {
  using link = await dial(address);
  assertEquals(await ask(link, "mn"), "MN");
}

testBoth("-p 0 -s listens on a Unix socket alone, for the owner alone", async (start) => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  await using server = await start([], listening({ path }, "-p", "0", "-s", path));
  await answers(server.address);
  const { mode, isSocket } = await Deno.stat(path);
  assert(isSocket);
  assertEquals((mode ?? 0) & 0o777, 0o700);
});

for (const [mask, mode] of [["777", 0o777], ["0660", 0o660], ["600", 0o600]] as const) {
  testBoth(`-a ${mask} is the mode of the socket`, async (start) => {
    using folder = new Folder();
    const path = `${folder.path}/sock`;
    await using server = await start([], listening({ path }, "-s", path, "-a", mask));
    await answers(server.address);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, mode);
  });
}

testBoth("a socket left behind is replaced, and again after a stop", async (start) => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  {
    // Closing removes the name that it was opened by.
    using _listener = Deno.listen({ transport: "unix", path: `${path}-before` });
    await Deno.rename(`${path}-before`, path);
  }
  assert((await Deno.stat(path)).isSocket);
  for (let run = 0; run < 2; run++) {
    await using server = await start([], listening({ path }, "-s", path));
    await answers(server.address);
  }
});

/** Two servers at one path: memcached's second one takes it, memden's is refused. */
testBoth("a second server on the path of a Unix socket", async (start, name) => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  const options = listening({ path }, "-s", path);
  await using first = await start([], options);
  if (name === "memcached") {
    await using second = await start([], options);
    await until("the second has the socket", async () => await pidAt(path) === second.pid);
    return;
  }
  for (const transport of ["native", "relay"]) {
    const args = ["-s", path, `--transport=${transport}`];
    const { code, stderr } = await runMemden(args, folder.path);
    assertMatch(stderr, new RegExp(`failed to listen on UNIX socket: ${path}: Address already in`));
    assertEquals(code, 71);
    assertEquals(await pidAt(path), first.pid, "the first one is reached, and has not noticed");
  }
});

/** The pid of the server that answers at a Unix socket. */
async function pidAt(path: string): Promise<number> {
  using client = await dial({ path });
  return Number((await readStats(client)).get("pid"));
}

/** What makes the path of a socket another server's while the first one runs. */
async function replacing(start: Start, ...args: string[]): Promise<void> {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  const options = listening({ path }, "-s", path, ...args);
  const first = await start([], options);
  await Deno.remove(path);
  await using second = await start([], options);
  await until("the second has the socket", async () => await pidAt(path) === second.pid);
  assertEquals(await first.stop(), 0);
  await answers(second.address);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["sock"]);
}

testBoth("a server that ends leaves the socket of another at its path", (start) => {
  return replacing(start);
});

Deno.test("memden: so does a server with the relay transport", () =>
  replacing(startMemden, "--transport=relay"));

testBoth("a file that is no socket is not replaced", async (start) => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  await Deno.writeTextFile(path, "precious");
  const error = await assertRejects(() => start([], listening({ path }, "-s", path)), Error);
  assertMatch(error.message, /did not start: [^]*(in use|socket)/i);
  assertEquals(await Deno.readTextFile(path), "precious");
});

Deno.test("memden: -s with -l and -p listens on both", async () => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  const port = freePort();
  const args = ["-s", path, "-l", HOST, "-p", String(port)];
  await using server = await startMemden([], listening({ hostname: HOST, port }, ...args));
  using tcp = await dial(server.address);
  await say(tcp, "set both 0 0 1\r\nx\r\n");
  assertEquals(await hear(tcp), "STORED");
  await until("the socket is there", async () => {
    return await Deno.stat(path).then(({ isSocket }) => isSocket === true, () => false);
  });
  using unix = await dial({ path });
  assertEquals(await ask(unix, "get both"), "VALUE both 0 1");
});

testBoth("several addresses, given together or one by one", async (start) => {
  const [a, b, c] = [freePort(), freePort(), freePort()];
  const args = ["-l", `${HOST}:${a},127.0.0.2:${b}`, "-l", `[::1]:${c}`];
  await using server = await start([], listening({ hostname: HOST, port: a }, ...args));
  await answers(server.address);
  await answers({ hostname: "127.0.0.2", port: b });
  await answers({ hostname: "::1", port: c });
});

/** Where a server listens that is to take every address of this machine. */
const EVERYWHERE: readonly (readonly string[])[] = [
  [],
  ["-l", "*"],
  ["-l", "0.0.0.0,::"],
  ["-l", "::", "-l", "0.0.0.0"],
  ["-l", "0.0.0.0,[::]:PORT"],
];

for (const args of EVERYWHERE) {
  const given = args.join(" ") || "no -l";
  const test = async (start: Start, ...more: string[]): Promise<void> => {
    using folder = new Folder();
    const port = freePort();
    const own = args.map((arg) => arg.replace("PORT", String(port)));
    const words = ["-p", String(port), ...own, ...more];
    const file = `${folder.path}/ports`;
    const env = { MEMCACHED_PORT_FILENAME: file };
    await using server = await start([], { ...listening({ hostname: HOST, port }, ...words), env });
    await answers({ hostname: "::1", port });
    using link = await dial(server.address);
    // memcached joins several -l with a comma behind each.
    const inter = (await readStats(link, "stats settings")).get("inter");
    const expected = own.filter((word) => word !== "-l").join(",") || "NULL";
    assert([expected, `${expected},`].includes(inter ?? ""), inter);
    const conns = [...await readStats(link, "stats conns")];
    const places = conns.filter(([, value]) =>
      value.includes(`:${port}`) && value.startsWith("tcp")
    )
      .filter(([name]) =>
        conns.some(([other, state]) =>
          other === name.replace(/addr$/, "state") && state === "conn_listening"
        )
      ).map(([, value]) => value);
    assertEquals(places.sort(), [`tcp6:[::]:${port}`, `tcp:0.0.0.0:${port}`]);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").sort();
    assertEquals(lines, [`TCP INET6: ${port}`, `TCP INET: ${port}`]);
  };
  testBoth(`${given}: every address, of both families`, (start) => test(start));
  Deno.test(`memden: ${given}: the same with the relay transport`, () => {
    return test(startMemden, "--transport=relay");
  });
}

testBoth("-U listens on every address, of both families", async (start) => {
  using folder = new Folder();
  const port = freePort();
  const file = `${folder.path}/ports`;
  const words = ["-p", String(port), "-U", String(port)];
  const env = { MEMCACHED_PORT_FILENAME: file };
  await using _server = await start([], { ...listening({ hostname: HOST, port }, ...words), env });
  const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").sort();
  assertEquals(
    lines,
    ["TCP INET6", "TCP INET", "UDP INET6", "UDP INET"].map((at) => {
      return `${at}: ${port}`;
    }),
  );
});

testBoth("-p -1 without -l writes a line for each family", async (_start, name) => {
  using folder = new Folder();
  const file = `${folder.path}/ports`;
  // Nobody knows the port before it is written.
  const words = name === "memcached" ? ["memcached", "-u", "root"] : programWords();
  const [program = "", ...args] = [...words, "-p", "-1"];
  const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const env = { MEMCACHED_PORT_FILENAME: file };
  const child = new Deno.Command(program, { args, env, ...io }).spawn();
  let text = "";
  await until("the file is written", async () => {
    text = await Deno.readTextFile(file).catch(() => "");
    return text !== "";
  });
  const [, v4, v6] = /^TCP INET: (\d+)\nTCP INET6: (\d+)\n$/.exec(text) ?? [];
  await answers({ hostname: HOST, port: Number(v4) });
  await answers({ hostname: "::1", port: Number(v6) });
  child.kill("SIGTERM");
  await child.status;
});

for (const list of [`${HOST},`, `,${HOST};;`, `${HOST},,`]) {
  testBoth(`-l ${list} has places with nothing in them`, async (start) => {
    const port = freePort();
    const args = ["-l", list, "-p", String(port)];
    await using server = await start([], listening({ hostname: HOST, port }, ...args));
    await answers(server.address);
  });
}

testBoth("-l takes the name of a host", async (start) => {
  const port = freePort();
  const args = ["-l", "localhost", "-p", String(port)];
  await using server = await start([], listening({ hostname: HOST, port }, ...args));
  await answers(server.address);
});

testBoth("-p -1 takes any port and writes every one down", async (start) => {
  using folder = new Folder();
  const file = `${folder.path}/ports`;
  const port = freePort();
  const args = ["-p", "-1", "-l", `${HOST}:${port},${HOST},[::1]`];
  const options = listening({ hostname: HOST, port }, ...args);
  await using _server = await start([], { ...options, env: { MEMCACHED_PORT_FILENAME: file } });
  let text = "";
  await until("the file is written", async () => {
    text = await Deno.readTextFile(file).catch(() => "");
    return text.split("\n").length > 3;
  });
  assertMatch(text, /^TCP INET: \d+\nTCP INET: \d+\nTCP INET6: \d+\n$/);
  const [first = 0, second = 0, third = 0] = [...text.matchAll(/\d+$/gm)].map(Number);
  assertEquals(first, port);
  await answers({ hostname: HOST, port: second });
  await answers({ hostname: "::1", port: third });
});

Deno.test("memden: takes over the sockets that systemd has opened", async () => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  const port = freePort();
  const launcher = ["python3", `${TESTS}inherit.py`, String(port), path, "--"];
  // -p 0: whatever is answered comes from the sockets that were handed over.
  const options = { ...listening({ hostname: HOST, port }, "-p", "0"), launcher };
  await using server = await startMemden(["-t", "1"], options);
  await answers(server.address);
  await answers({ path });
});

testBoth("connections have keepalive and no delay", async (start) => {
  await using server = await start(["-t", "1"]);
  using link = await dial(server.address);
  assertEquals(await ask(link, "mn"), "MN");
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [`${TESTS}socket_options.py`, String(server.pid), String(server.port)],
  }).output();
  if (code === CANNOT_LOOK) {
    // deno-lint-ignore no-console -- A test cannot be ignored once it runs.
    console.error("SKIPPED: socket options of another process cannot be read here");
    return;
  }
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const found = JSON.parse(new TextDecoder().decode(stdout)) as { peer: number }[];
  assertEquals(found.filter(({ peer }) => peer === link.localPort), [
    { peer: link.localPort, keepAlive: true, noDelay: true },
  ]);
});

testBoth("stats settings names the Unix socket and its mode", async (start) => {
  using folder = new Folder();
  const path = `${folder.path}/sock`;
  await using server = await start([], listening({ path }, "-s", path, "-a", "750"));
  using link = await dial(server.address);
  const settings = await readStats(link, "stats settings");
  assertEquals(settings.get("domain_socket"), path);
  assertEquals(settings.get("umask"), "750");
});
