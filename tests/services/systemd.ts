// deploy/systemd: systemd takes the units, they are as tight as they can be, and memden works with
// what they allow. There is no systemd to run them here; its tools read them, and the system calls
// of a server are held against the unit's filter.

import { connectTo } from "../support/address.ts";
import { freePort, START_COMMAND, startMemden } from "../support/server.ts";
import { askWhenUp } from "./ask.ts";
import { type Report, run } from "./report.ts";
import { checkWords } from "./unit_words.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const UNITS = `${ROOT}deploy/systemd`;
/** `systemd-analyze security`, times ten. A unit without any restriction has 96. */
const EXPOSURE_MAX = 18;
/**
 * Calls that the filter refuses, and that are tried for something better: V8 asks for a protection
 * key, and uses the other one only where it gets one.
 */
const REFUSED = ["pkey_alloc", "pkey_mprotect"];
const STAND_IN = "/bin/true";

/** Checks the units. */
export async function checkSystemd(directory: string, report: Report): Promise<void> {
  await Deno.mkdir(`${directory}/memden.service.d`);
  for (const name of ["memden.service", "memden@.service", "memden.socket"]) {
    const text = await Deno.readTextFile(`${UNITS}/${name}`);
    // The executable that a unit names must be there.
    await Deno.writeTextFile(`${directory}/${name}`, text.replace("/usr/bin/memden", STAND_IN));
  }
  const instance = `${directory}/memden@11212.service`;
  for (const unit of ["memden.service", "memden@11212.service", "memden.socket"]) {
    await verify(`${directory}/${unit}`, unit, report);
  }
  await checkExposure(`${directory}/memden.service`, report);
  await checkExposure(instance, report);
  for (const name of ["config.conf", "warm.conf"]) {
    const dropIn = `memden.service.d/${name}`;
    const text = await Deno.readTextFile(`${UNITS}/${dropIn}`);
    const started = text.replace("=/usr/bin/memden", `=${STAND_IN}`);
    await Deno.writeTextFile(`${directory}/${dropIn}`, started);
    await verify(`${directory}/memden.service`, `memden.service with ${name}`, report);
    await Deno.remove(`${directory}/${dropIn}`);
  }
  await checkSettings(report);
  await checkWords(directory, report);
  await checkCalls(directory, report);
  await checkActivation(directory, report);
}

async function verify(path: string, what: string, report: Report): Promise<void> {
  const { code, stderr, stdout } = await run(["systemd-analyze", "verify", "--man=no", path]);
  // It finds fault without failing: what it says about these files counts.
  const isFine = code === 0 && !/memden/.test(stderr + stdout);
  report.check(`systemd-analyze verify ${what}`, isFine, stderr + stdout);
}

async function checkExposure(path: string, report: Report): Promise<void> {
  const args = ["security", "--offline=true", "--no-pager", `--threshold=${EXPOSURE_MAX}`, path];
  const { code, stdout, stderr } = await run(["systemd-analyze", ...args]);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  report.check(`exposure of ${path.split("/").at(-1)}`, code === 0, last + stderr);
}

/** What no tool knows. */
async function checkSettings(report: Report): Promise<void> {
  const read = async (name: string): Promise<string[]> =>
    (await Deno.readTextFile(`${UNITS}/${name}`)).split("\n").filter((line) => /^\w+=/.test(line));
  const plain = await read("memden.service");
  const template = await read("memden@.service");
  const isJit = plain.every((line) => !line.startsWith("MemoryDenyWriteExecute="));
  report.check("memden.service leaves V8 its machine code", isJit);
  const own = /^(Description|Environment|EnvironmentFile|ExecStart|RuntimeDirectory)=/;
  const rest = (lines: readonly string[]) => lines.filter((line) => !own.test(line));
  report.equal("memden@.service is memden.service for the rest", rest(template), rest(plain));
}

/** Runs a server under strace, and holds its calls against the filter. */
async function checkCalls(directory: string, report: Report): Promise<void> {
  const trace = `${directory}/trace`;
  const launcher = ["strace", "-f", "-qq", "-o", trace];
  const port = freePort();
  const listen = {
    args: ["-l", "127.0.0.1", "-p", String(port), "-U", String(port)],
    address: { hostname: "127.0.0.1", port },
  };
  const args = ["-t", "2", "-k", "-r", "--admin=0", "-P", `${directory}/pid`];
  const server = await startMemden(args, { launcher, listen }).catch((error: Error) => error);
  if (server instanceof Error) return report.skip("calls of a server", server.message);
  const conn = await connectTo(server.address);
  await conn.write(new TextEncoder().encode("set a 0 0 1\r\nb\r\nget a\r\nstats\r\n"));
  await conn.read(new Uint8Array(4096));
  conn.close();
  // The signal is meant for the server, which strace has started.
  Deno.kill(await pidIn(`${directory}/pid`), "SIGTERM");
  report.equal("memden under strace ends with 0", await server.exited, 0);

  const text = await Deno.readTextFile(trace);
  const calls = new Set([...text.matchAll(/^\d+ +([a-z_0-9]+)\(/gm)].map(([, name = ""]) => name));
  const allowed = await filterCalls("@system-service");
  const denied = [...calls].filter((name) => !allowed.has(name));
  report.check("strace saw what a server does", calls.has("epoll_wait") && calls.has("accept4"));
  report.equal(
    "SystemCallFilter= allows what memden calls",
    denied.filter((name) => !REFUSED.includes(name)),
    [],
  );
  const families = new Set([...text.matchAll(/ socket\((AF_\w+)/g)].map(([, name = ""]) => name));
  const unit = await Deno.readTextFile(`${UNITS}/memden.service`);
  const listed = /^RestrictAddressFamilies=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  const others = [...families].filter((family) => !listed.includes(family));
  report.equal("RestrictAddressFamilies= has what memden asks for", others, []);
}

/** The pid that a server writes down once it is up. */
async function pidIn(path: string): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const pid = Number(await Deno.readTextFile(path).catch(() => "0"));
    if (pid > 1) return pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} has no pid`);
}

/** The calls of a set of systemd's, and of the sets that it names. */
async function filterCalls(name: string): Promise<Set<string>> {
  const { stdout } = await run(["systemd-analyze", "syscall-filter", "--no-pager"]);
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of stdout.split("\n")) {
    if (line.startsWith("@")) sets.set(line.trim(), current = []);
    else if (/^ +[@a-z_]/.test(line)) current.push(line.trim());
  }
  const members = (set: string): string[] =>
    (sets.get(set) ?? []).flatMap((it) => it.startsWith("@") ? members(it) : [it]);
  return new Set(members(name));
}

/** Starts the service's command line as memden.socket would, with no capability. */
async function checkActivation(directory: string, report: Report): Promise<void> {
  const port = freePort();
  const socket = ["systemd-socket-activate", "-l", `127.0.0.1:${port}`];
  const passed = ["DENO_DIR", "HOME", "PATH"].flatMap((name) => ["-E", name]);
  // Only root has capabilities to lose, and the right to drop them.
  const bare = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
  const pidfile = `${directory}/activated.pid`;
  const options = ["-p", "1", "-t", "1", "-P", pidfile];
  const command = [...socket, ...passed, ...bare, ...START_COMMAND, ...options];
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "null", stderr: "null" }).spawn();
  const answer = await askWhenUp({ hostname: "127.0.0.1", port }, "mn\r\n");
  report.equal("a socket of systemd starts memden and is served", answer, "MN\r\n");
  const status = await Deno.readTextFile(`/proc/${await pidIn(pidfile)}/status`);
  report.check("it needs no capability", /^CapEff:\s+0+$/m.test(status), status);
  child.kill("SIGTERM"); // memden has taken the place of the program that listened.
  report.equal("memden started by a socket ends with 0", (await child.status).code, 0);
}
