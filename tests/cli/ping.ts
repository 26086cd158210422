// `memden ping` against servers of every kind, and against what is none.

import { run } from "../clients/command.ts";
import { type Address, connectTo } from "../support/address.ts";
import { freePort, startMemcached, startMemden } from "../support/server.ts";
import { check, type Counts } from "./counts.ts";

/** What answers instead of a server: on which occasion, and what. */
type Imposter = readonly [what: string, answer: string | undefined, problem: RegExp];

const IMPOSTERS: readonly Imposter[] = [
  ["silence", undefined, /: no answer within 0\.3 s\n$/],
  ["a connection that is closed", "", /: the server closed the connection\n$/],
  ["a web server", "HTTP/1.1 400 Bad Request\r\n", /: no memcached: it says "HTTP\/1.1 400/],
  ["escape sequences", "\x1b]0;owned\x07\n", /: no memcached: it says "\?]0;owned\?"\n$/],
];

/** What is called, and the results. */
class Caller {
  readonly #memden: readonly string[];
  readonly #counts: Counts;

  constructor(memden: readonly string[], counts: Counts) {
    this.#memden = memden;
    this.#counts = counts;
  }

  /** Expects one line and exit code 0. */
  async alive(what: string, args: readonly string[], answer: RegExp): Promise<void> {
    // A busy machine takes its time, also for the start of the server.
    const { code, stdout, stderr } = await this.#call(["--timeout=9", ...args]);
    const isLine = /^[ -~]+ is alive: [ -~]+ \(\d+\.\d ms\)\n$/.test(stdout);
    const claim = code === 0 && stderr === "" && isLine && answer.test(stdout);
    check(this.#counts, claim, `ping: ${what} is alive`, `${code} ${stdout}${stderr}`);
  }

  /** Expects one line on stderr and exit code 1. */
  async dead(what: string, args: readonly string[], problem: RegExp): Promise<void> {
    const { code, stdout, stderr } = await this.#call(args);
    const claim = code === 1 && stdout === "" && /^[ -~]+\n$/.test(stderr) && problem.test(stderr);
    check(this.#counts, claim, `ping: ${what} is told`, `${code} ${stdout}${stderr}`);
  }

  /** What cannot be printed is said in one line, without a stack trace. */
  async fullDisk(): Promise<void> {
    await using server = await startMemden(["-t", "1"]);
    for (const words of [["ping"], ["top", "-b", "-n", "1"], ["ping", "-h"]]) {
      const line = [...this.#memden, ...words, `127.0.0.1:${server.port}`].join(" ");
      const { code, stderr } = await run("sh", ["-c", `${line} >/dev/full`]);
      const claim = code === 1 && stderr === "memden: cannot print: No space left on device\n";
      check(this.#counts, claim, `${words.join(" ")}: a full disk is told`, `${code} ${stderr}`);
    }
  }

  #call(args: readonly string[]) {
    const [program = "", ...words] = this.#memden;
    return run(program, [...words, "ping", ...args]);
  }
}

/** Calls `memden ping`, whose command line is `memden`. */
export async function ping(memden: readonly string[], counts: Counts): Promise<void> {
  const caller = new Caller(memden, counts);
  await pingServers(caller);
  await pingLogins(caller);
  await pingImposters(caller);
  await caller.dead("an option that it does not have", ["-x"], /unknown option -x/);
  await caller.fullDisk();
  await caller.dead("a port with nobody", [`:${freePort()}`], /: Connection refused\n$/);
  await caller.dead("a socket that is not there", ["/nowhere/sock"], /No such file or directory/);
  await caller.dead("a name that is none", ["a b"], /cannot use a b/);
}

async function pingServers(caller: Caller): Promise<void> {
  {
    await using server = await startMemcached();
    await caller.alive("memcached", [`127.0.0.1:${server.port}`], /: VERSION 1\./);
    await caller.dead("TLS with plain text", ["--tls", `:${server.port}`], /: received corrupt/);
  }
  {
    await using server = await startMemcached([], { over: "unix" });
    const { address } = server;
    if ("path" in address) await caller.alive("a Unix socket", [address.path], /: VERSION 1\./);
  }
  {
    await using server = await startMemcached(["-B", "binary"]);
    await caller.alive("a binary memcached", [`:${server.port}`], /: binary protocol \(/);
  }
  {
    await using server = await startMemden(["-t", "1"]);
    await caller.alive("memden", [`127.0.0.1:${server.port}`], /: VERSION 1\./);
  }
  await using server = await startMemden(["-t", "1", "-c", "1"]);
  const held = await takeOnlyPlace(server.address);
  await caller.alive("a server that is full", [`:${server.port}`], /: ERROR Too many/);
  held.close();
}

/** Connects until it is let in: the connection that has seen the server start may linger. */
async function takeOnlyPlace(address: Address): Promise<Deno.Conn> {
  for (;;) {
    const conn = await connectTo(address);
    await conn.write(new TextEncoder().encode("mn\r\n"));
    const answer = new Uint8Array(64);
    await conn.read(answer);
    if (new TextDecoder().decode(answer).startsWith("MN")) return conn;
    conn.close();
  }
}

async function pingLogins(caller: Caller): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "memden-cli-" });
  await Deno.writeTextFile(`${folder}/logins`, "user:password\n");
  {
    await using server = await startMemcached(["-Y", `${folder}/logins`]);
    await caller.alive("memcached -Y", [`:${server.port}`], /: CLIENT_ERROR unauthenticated/);
  }
  {
    const env = { MEMCACHED_SASL_PWDB: `${folder}/logins` };
    await using server = await startMemden(["-t", "1", "-S"], { env });
    await caller.alive("memden -S", [`:${server.port}`], /: binary protocol \(/);
  }
  await using server = await startMemden(["-t", "1"], { over: "tls" });
  const { address } = server;
  if (!("certificate" in address)) throw new Error("A server with TLS has a certificate");
  await Deno.writeTextFile(`${folder}/ca.pem`, address.certificate);
  const tls = [`--ca=${folder}/ca.pem`, "--tls-name=localhost", `127.0.0.1:${server.port}`];
  await caller.alive("memden over TLS", tls, /: VERSION 1\./);
  await caller.dead(
    "an unknown authority",
    ["--tls", `:${server.port}`],
    /invalid peer certificate/,
  );
  await selfSigned(caller, folder);
  await caller.dead(
    "plain text with TLS",
    [`:${server.port}`],
    /closed the connection|no memcached/,
  );
  await Deno.remove(folder, { recursive: true });
}

/** What `openssl req -x509` makes by itself is trusted by nothing that checks whose it is. */
async function selfSigned(caller: Caller, folder: string): Promise<void> {
  const [key, chain] = [`${folder}/self-key.pem`, `${folder}/self.pem`];
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", key, "-out", chain, "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=IP:127.0.0.1"],
  ]);
  await using server = await startMemden([
    ...["-t", "1", "-Z", "-o", `ssl_chain_cert=${chain},ssl_key=${key}`],
  ]);
  const tls = ["--tls", `--ca=${chain}`, `127.0.0.1:${server.port}`];
  await caller.dead("the certificate of an authority", tls, /CA:TRUE.*basicConstraints=CA:FALSE/);
}

async function pingImposters(caller: Caller): Promise<void> {
  for (const [what, answer, problem] of IMPOSTERS) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const held: Deno.Conn[] = [];
    const serving = (async () => {
      for await (const conn of listener) {
        await conn.read(new Uint8Array(64));
        if (answer === undefined) held.push(conn);
        else {
          await conn.write(new TextEncoder().encode(answer));
          conn.close();
        }
      }
    })();
    await caller.dead(what, ["--timeout=0.3", `:${listener.addr.port}`], problem);
    listener.close();
    await serving;
    for (const conn of held) conn.close();
  }
}
