// Goal: the process is a service as memcached's is: in the background, with a pid file, a name, a
// user, core files; and options that come from a file mean the same there.
// Method: run it, and look at what the kernel says about it.

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { DaemonProcess, runMemden } from "../support/daemon.ts";
import { freePort, START_COMMAND, startMemden } from "../support/server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Runs `act` with a directory of its own, that anybody may write to. */
async function inDirectory(act: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "memden-" });
  await Deno.chmod(directory, 0o777);
  await act(directory);
  await Deno.remove(directory, { recursive: true });
}

const listenAt = (port: number) => ["-l", "127.0.0.1", "-p", String(port), "-t", "1"];

/** Sends `text` and returns the first answer. */
async function ask(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encoder.encode(text));
  const bytes = new Uint8Array(1024);
  return decoder.decode(bytes.subarray(0, await conn.read(bytes) ?? 0));
}

Deno.test("memden -d serves in a session of its own once the command has returned", async () => {
  await inDirectory(async (directory) => {
    const port = freePort();
    const args = ["-d", ...listenAt(port), "-P", "pid", "-u", "root"];
    const { code, stderr } = await runMemden(args, directory, { MEMDEN_NAME: "memcached" });
    assertEquals(code, 0);
    await using daemon = new DaemonProcess(`${directory}/pid`);
    assertEquals(stderr, "");
    assertEquals(await ask(port, "mn\r\n"), "MN\r\n");
    const [, , , , session] = daemon.proc("stat").replace(/\(.*\)/, "").split(/ +/);
    assertEquals(Number(session), daemon.pid, "leader of a session");
    assertEquals([daemon.proc("comm"), daemon.link("cwd")], ["memcached", "/"]);
    for (const fd of [0, 1, 2]) assertEquals(daemon.link(`fd/${fd}`), "/dev/null");
    await daemon.end();
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assertEquals(left, [], "the pid file is removed");
  });
});

Deno.test("memden -d says what is wrong, with the exit code of a server in front", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await inDirectory(async (directory) => {
    const args = ["-d", ...listenAt(listener.addr.port), "-P", "pid"];
    const { code, stderr } = await runMemden(args, directory);
    assertEquals(code, 71);
    assertMatch(stderr, /failed to listen on TCP port \d+: Address already in use/);
    assertEquals([...Deno.readDirSync(directory)], []);
  });
});

Deno.test("memden -d finds its files again, and writes its log where it was told to", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/logins`, "app:first\n");
    const port = freePort();
    await Deno.writeTextFile(
      `${directory}/memcached.conf`,
      `# As Debian has it\n-d\nlogfile log\n-v\n-Y logins\n${listenAt(port).join(" ")}\n`,
    );
    const args = ["--config=memcached.conf", "-d", "-P", "pid"];
    const { code, stderr } = await runMemden(args, directory);
    assertEquals(code, 0);
    assertMatch(stderr, /^options were read from memcached\.conf\n/, "until it has started");
    await using daemon = new DaemonProcess(`${directory}/pid`);
    await Deno.writeTextFile(`${directory}/logins`, "app:second\n");
    Deno.kill(daemon.pid, "SIGHUP");
    const login = "set k 0 0 10\r\napp second\r\n";
    while (await ask(port, login) !== "STORED\r\n") assert(daemon.isRunning());
    assertMatch(await Deno.readTextFile(`${directory}/log`), /logins/);
    assertEquals(daemon.link("fd/1"), `${directory}/log`);
  });
});

Deno.test("memden says that --logfile does nothing without -d", async () => {
  await inDirectory(async (directory) => {
    await using server = await startMemden(["-t", "1", `--logfile=${directory}/log`]);
    const line = `--logfile=${directory}/log does nothing without -d: the log stays on stderr\n`;
    assertStringIncludes(server.stderr(), line);
    assertEquals([...Deno.readDirSync(directory)], []);
  });
});

Deno.test("memden -r raises the limit on core files, and with -d stays where it is", async () => {
  await inDirectory(async (directory) => {
    const args = ["-dr", ...listenAt(freePort()), "-P", "pid"];
    assertEquals((await runMemden(args, directory)).code, 0);
    await using daemon = new DaemonProcess(`${directory}/pid`);
    assertEquals(daemon.link("cwd"), await Deno.realPath(directory));
    const line = /^Max core file size +(\S+) +(\S+)/m.exec(daemon.proc("limits"));
    assertEquals(line?.[1], line?.[2]);
    assertNotEquals(line?.[1], "0");
  });
});

const NAMES: readonly (readonly [what: string, env: Record<string, string>, name: string])[] = [
  ["by itself", {}, "memden"],
  ["as it is called: exec -a memcached", { CALLED: "memcached" }, "memcached"],
  ["by MEMDEN_NAME", { MEMDEN_NAME: "cache-of-sessions" }, "cache-of-sessio"],
];

for (const [what, env, name] of NAMES) {
  Deno.test(`memden has the name ${name} ${what}`, async () => {
    const launcher = ["bash", "-c", 'exec -a "${CALLED:-deno}" "$@"', "-"];
    await using server = await startMemden(["-t", "1"], { env, launcher });
    assertEquals(await Deno.readTextFile(`/proc/${server.pid}/comm`), `${name}\n`);
  });
}

Deno.test("memden stops in order when its terminal is gone", async () => {
  const port = freePort();
  const script = [new URL("hung_up.py", import.meta.url).pathname, String(port), "SIGTERM"];
  const command = ["python3", ...script, ...START_COMMAND];
  assertEquals(await runMemden([...listenAt(port), "-vv"], ROOT, {}, command), {
    code: 0,
    stderr: "",
  });
});

Deno.test("memden takes options from MEMDEN_OPTS, and those given after them", async () => {
  const env = { MEMDEN_OPTS: "-m 100 -c '77'" };
  await using server = await startMemden(["-t", "1", "-m", "200"], { env });
  const answer = await ask(server.port, "stats settings\r\n");
  assertMatch(answer, /STAT maxbytes 209715200\r\nSTAT maxconns 77\r\n/);
});

Deno.test("memden names file and line of an option that cannot be used", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/conf`, "-m 64\n-t none\n");
    const { code, stderr } = await runMemden(["--config", "conf"], directory);
    assertEquals(
      stderr,
      "conf:2: Cannot use -t none: must be a whole number, at least 1 and at most 2147483647\n",
    );
    assertEquals(code, 1);
  });
});

for (const args of [["-d"], ["-r"]]) {
  Deno.test(`memden ${args} says that it needs the C library`, async () => {
    const command = START_COMMAND.filter((word) => word !== "--allow-ffi");
    const { code, stderr } = await runMemden(args, ROOT, {}, command);
    assertMatch(stderr, /cannot use -[dr] \([a-z-]+\): it needs Linux on .*--allow-ffi/);
    assertEquals(code, 71);
  });
}
