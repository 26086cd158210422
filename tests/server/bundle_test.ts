// Goal: a bundle needs its own files and deno, and nothing else.
// Method: make it outside of the checkout; run it in an empty directory with an empty cache and the
// start task's permissions, in each way that loads further files.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ASSETS } from "../../lib/admin/assets.ts";
import { makeBundle } from "../../scripts/bundle.ts";
import { DaemonProcess, runMemden } from "../support/daemon.ts";
import { firstContact } from "../support/first_contact.ts";
import { freePort, programWords, startMemden } from "../support/server.ts";
import type { Over } from "../support/ways.ts";
import { connectTo } from "../support/address.ts";

const decoder = new TextDecoder();
/** An id that no account of the tests has. */
const OTHER_USER = 64_738;

/** Sends `request` to `address` and returns all until the server closes. */
async function ask(address: Parameters<typeof connectTo>[0], request: string): Promise<string> {
  using conn = await connectTo(address);
  await conn.write(new TextEncoder().encode(request));
  let answer = "";
  const bytes = new Uint8Array(4096);
  for (let count = await conn.read(bytes); count !== null; count = await conn.read(bytes)) {
    answer += decoder.decode(bytes.subarray(0, count));
  }
  return answer;
}

Deno.test("a bundle runs from an empty directory with an empty cache", async (t) => {
  const home = await Deno.makeTempDir({ prefix: "memden-bundle-" });
  const { sizes } = await makeBundle(`${home}/bundle`);
  for (const name of ["main.js", "mod.js", "worker.js", "acceptor.js"]) assert(sizes.has(name));
  await Deno.mkdir(`${home}/cwd`);
  const env = { DENO_DIR: `${home}/cache`, NO_COLOR: "1" };
  const cwd = `${home}/cwd`;
  const program = `${home}/bundle/main.js`;

  const print = async (...flags: string[]): Promise<string> => {
    const [word = "", ...args] = programWords(program);
    const command = new Deno.Command(word, { args: [...args, ...flags], env, cwd });
    const { stdout } = await command.output();
    return decoder.decode(stdout);
  };
  await t.step("-h and -V", async () => {
    assertMatch(await print("-V"), /^memcached 1\.\S+\nmemden \S+\n$/);
    assertStringIncludes(await print("-h"), "--admin");
  });

  const ways: Over[] = ["tcp", "unix", "tls", "relay", "relay-tls", "no-ffi"];
  for (const over of ways) {
    await t.step(`over ${over}`, async () => {
      await using server = await startMemden(["-t", "2"], { over, program, env, cwd });
      const answer = await ask(server.address, "set k 0 0 3\r\nabc\r\nget k\r\nquit\r\n");
      assertEquals(answer, "STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\n");
      assertEquals(await server.stop(), 0, server.stderr());
    });
  }

  for (const over of ["tcp", "relay", "no-ffi"] as const) {
    await t.step({
      name: `as another user, whose the Unix socket is: ${over}`,
      ignore: Deno.uid() !== 0, // Only root can become somebody else.
      fn: async () => {
        // That user loads what the server loads late.
        for (const path of [home, `${home}/bundle`]) await Deno.chmod(path, 0o755);
        const socket = `${home}/socket`;
        const listen = { args: ["-s", socket, "-a", "660"], address: { path: socket } };
        const transport = over === "relay" ? ["--transport=relay"] : [];
        const args = ["-u", String(OTHER_USER), "-t", "1", ...transport];
        // The runtime by itself cannot give up supplementary groups.
        const launcher = ["setpriv", "--clear-groups"];
        const options = { listen, program, env, cwd, over, launcher };
        await using server = await startMemden(args, options);
        assertEquals(await ask(server.address, "mn\r\nquit\r\n"), "MN\r\n");
        // The relay's thread listens before the process becomes somebody else.
        const ids = new RegExp(`^Uid:(?:\\s+${OTHER_USER}){4}$`, "m");
        const status = () => Deno.readTextFileSync(`/proc/${server.pid}/status`);
        for (let tries = 0; tries < 1000 && !ids.test(status()); tries++) {
          await ask(server.address, "mn\r\nquit\r\n");
        }
        assertMatch(status(), ids);
        const { uid, gid, mode } = await Deno.stat(socket);
        assertEquals([uid, gid, (mode ?? 0) & 0o777], [OTHER_USER, OTHER_USER, 0o660]);
      },
    });
  }

  for (const transport of ["native", "relay"]) {
    await t.step(`complete when the first client is answered, ${transport}`, async () => {
      const port = freePort();
      const args = ["-l", "127.0.0.1", "-p", String(port), `--transport=${transport}`];
      const words = [...programWords(program), ...args, "-P", `${home}/first/pid`];
      await Deno.mkdir(`${home}/first`);
      const launch = { words, address: { hostname: "127.0.0.1", port }, cwd, env };
      const { reply, files } = await firstContact(launch, `${home}/first`);
      assertEquals([reply, Object.keys(files)], ["MN\r\n", ["pid"]]);
      await Deno.remove(`${home}/first`, { recursive: true });
    });
  }

  await t.step("-d starts the same bundle again, and a sub-command asks it", async () => {
    const port = String(freePort());
    const args = ["-d", "-P", `${home}/pid`, "-l", "127.0.0.1", "-p", port, "-t", "1"];
    const started = await runMemden(args, cwd, env, programWords(program));
    assertEquals(started.code, 0, started.stderr);
    await using _daemon = new DaemonProcess(`${home}/pid`);
    assertMatch(await print("ping", `127.0.0.1:${port}`), / is alive: VERSION 1\./);
  });

  await t.step("the admin server, with every file of its page", async () => {
    const port = freePort();
    const args = ["-t", "1", `--admin=127.0.0.1:${port}`];
    await using server = await startMemden(args, { program, env, cwd });
    // It is bound before the server listens.
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    assertStringIncludes(await response.text(), "memcached_up 1");
    for (const [path, { text }] of ASSETS) {
      const asset = await fetch(`http://127.0.0.1:${port}${path}`);
      assertEquals(await asset.text(), text, path);
    }
    assertEquals(await server.stop(), 0, server.stderr());
  });
  assertEquals([...Deno.readDirSync(cwd)], [], "nothing was left where it ran");

  const embed = async (): Promise<string> => {
    const [word = "", ...args] = programWords(`${home}/embedder.ts`);
    const { stdout, stderr } = await new Deno.Command(word, { args, env, cwd }).output();
    return decoder.decode(stdout) + decoder.decode(stderr);
  };
  await t.step("a program that embeds it ends by itself", async () => {
    await Deno.writeTextFile(
      `${home}/embedder.ts`,
      `import { startServer } from "./bundle/mod.js";
      const server = await startServer({ threads: 1 });
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await conn.write(new TextEncoder().encode("mn\\r\\n"));
      const bytes = new Uint8Array(16);
      const count = await conn.read(bytes);
      await server.stop();
      console.log(new TextDecoder().decode(bytes.subarray(0, count)), await server.ended);`,
    );
    assertEquals(await embed(), 'MN\r\n { cause: "asked" }\n');
  });
  await t.step("a file that is missing is named", async () => {
    await Deno.remove(`${home}/bundle/worker.js`);
    assertMatch(await embed(), /memden: a thread does not start: worker 1: .*worker\.js/);
  });
  await Deno.remove(home, { recursive: true });
});
