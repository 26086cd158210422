// libmemcached's command-line tools: files into the server and out again, by both protocols.
//
// Debian names them memccp, memccat …; upstream memcp, memcat …

import { run } from "./command.ts";
import { ALL_BYTES, largeText, TOO_LARGE_BYTES, TRICKY, TWO_SECONDS_GONE_MS } from "./samples.ts";
import { serverFromArgs, sleep, Tap } from "./tap.ts";

const { host, port } = serverFromArgs();
const servers = `--servers=${host}:${port}`;
const tap = new Tap();
const folder = await Deno.makeTempDir({ prefix: "memcp" });

const encoder = new TextEncoder();
const FILES: readonly (readonly [name: string, content: Uint8Array])[] = [
  ["text", encoder.encode("one line\n")],
  ["empty", new Uint8Array(0)],
  ["every-byte", ALL_BYTES],
  ["like-the-protocol", encoder.encode(TRICKY)],
  ["large", encoder.encode(largeText(500_000))],
  ["ключ", encoder.encode("unicode file name")],
];

/** Exit code of `mem<name>`, under whichever name it is installed. */
async function code(name: string, ...args: string[]): Promise<number> {
  return (await tool(name, ...args)).code;
}

async function tool(name: string, ...args: string[]): ReturnType<typeof run> {
  try {
    return await run(`memc${name}`, [servers, ...args], { cwd: folder });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await run(`mem${name}`, [servers, ...args], { cwd: folder });
  }
}

for (const [name, content] of FILES) await Deno.writeFile(`${folder}/${name}`, content);
await Deno.writeFile(`${folder}/too-large`, new Uint8Array(TOO_LARGE_BYTES));

for (const protocol of [[], ["--binary"]]) {
  const suffix = protocol.length === 0 ? "text" : "binary";

  await tap.group(`files, ${suffix} protocol`, async () => {
    const names = FILES.map(([name]) => name);
    tap.equal("memcp", await code("cp", ...protocol, "--set", ...names), 0);
    for (const [name, content] of FILES) {
      const copy = `${folder}/copy`;
      tap.equal(`memcat ${name}`, await code("cat", ...protocol, `--file=${copy}`, name), 0);
      const got = await Deno.readFile(copy);
      const same = got.length === content.length && got.every((byte, at) => byte === content[at]);
      tap.ok(`${name} is the same file`, same, `${got.length} bytes of ${content.length}`);
    }
    const { stdout } = await tool("cat", ...protocol, "text");
    tap.equal("memcat to standard output", stdout, "one line\n\n");
    tap.equal("memcp of 1 MiB", await code("cp", ...protocol, "too-large"), 1);
  });

  await tap.group(`keys, ${suffix} protocol`, async () => {
    tap.equal("memexist of a key", await code("exist", ...protocol, "text"), 0);
    tap.equal("memexist of an unknown key", await code("exist", ...protocol, "none"), 1);
    tap.equal("memcat of an unknown key", await code("cat", ...protocol, "none"), 1);
    tap.equal("memcp --add of a present key", await code("cp", ...protocol, "--add", "text"), 1);
    tap.equal("memrm", await code("rm", ...protocol, "text"), 0);
    tap.equal("memrm again", await code("rm", ...protocol, "text"), 1);
    tap.equal("memexist after it", await code("exist", ...protocol, "text"), 1);
    const replace = await code("cp", ...protocol, "--replace", "text");
    tap.equal("memcp --replace of a missing key", replace, 1);
    tap.equal("memcp --add of a missing key", await code("cp", ...protocol, "--add", "text"), 0);
    await code("cp", ...protocol, "--flags=42", "text");
    const { stdout } = await tool("cat", ...protocol, "--flags", "text");
    tap.ok("memcat --flags", stdout.startsWith("42\n"), stdout);
  });

  await tap.group(`expiry, ${suffix} protocol`, async () => {
    await code("cp", ...protocol, "--expire=2", "text");
    await code("cp", ...protocol, "--expire=100", "empty", "every-byte");
    tap.equal("memtouch", await code("touch", ...protocol, "--expire=1", "empty"), 0);
    tap.equal("memtouch of a missing key", await code("touch", ...protocol, "none"), 1);
    await sleep(TWO_SECONDS_GONE_MS);
    tap.equal("memcp --expire", await code("exist", ...protocol, "text"), 1);
    tap.equal("memtouch --expire", await code("exist", ...protocol, "empty"), 1);
    tap.equal("a longer time", await code("exist", ...protocol, "every-byte"), 0);
  });

  await tap.group(`server, ${suffix} protocol`, async () => {
    const { stdout } = await tool("stat", ...protocol);
    tap.ok("memstat", /^\s+version: \d+\.\d+\.\d+/m.test(stdout), stdout);
    tap.ok("memstat counts", /^\s+cmd_set: [1-9]\d*$/m.test(stdout), stdout);
    const { stdout: settings } = await tool("stat", ...protocol, "settings");
    tap.ok("memstat settings", settings.includes(`tcpport: ${port}`), settings);
    const digits = /^\s+version: (\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
    const { stderr: version } = await tool("stat", ...protocol, "--server-version");
    tap.ok("memstat --server-version", version.trim().endsWith(` ${digits}`), version);
    tap.equal("memflush", await code("flush", ...protocol), 0);
    tap.equal("flushes everything", await code("exist", ...protocol, "every-byte"), 1);
  });
}

await tap.group("others", async () => {
  tap.equal("memping", await code("ping"), 0);
  const { code: analyzed, stdout } = await tool("stat", "--analyze");
  tap.ok("memstat --analyze", analyzed === 0 && stdout.includes("Servers Analyzed"), stdout);
  tap.equal("memdump", await code("dump"), 0);
});

await Deno.remove(folder, { recursive: true });
tap.end();
