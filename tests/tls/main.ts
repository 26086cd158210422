// `deno task tls`: memden with TLS, played by OpenSSL's client and Python's.
//
//   --only talk|resumption|authorities|strangers|versions|listeners|files
//
// Certificates are made anew for each run. The last line is "N passed, N failed"; exit code 77
// says that openssl or python3 is not there.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { freePort, startMemden } from "../support/server.ts";
import { makeCertificates } from "./certificates.ts";

const CANNOT_RUN = 77;
const SCRIPT_MS_MAX = 150_000;
const HERE = new URL(".", import.meta.url).pathname;

/** Counts of one run. */
interface Counts {
  passed: number;
  failed: number;
}

type Part = (folder: string, counts: Counts) => Promise<void>;

const PARTS: ReadonlyMap<string, Part> = new Map([
  ["talk", talk],
  ["resumption", resumption],
  ["authorities", authorities],
  ["strangers", strangers],
  ["versions", versions],
  ["listeners", listeners],
  ["files", files],
]);

function options(folder: string, more = ""): string[] {
  return [
    "-t",
    "2",
    "-Z",
    "-o",
    `ssl_chain_cert=${folder}/used.crt,ssl_key=${folder}/used.key${more}`,
  ];
}

/** Plays a script against a server and counts its lines of TAP. */
async function play(script: string, args: readonly (string | number)[], counts: Counts) {
  const { stdout, stderr, success } = await new Deno.Command("python3", {
    args: [`${HERE}${script}`, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(SCRIPT_MS_MAX),
  }).output();
  const text = new TextDecoder().decode(stdout);
  console.log(text.trimEnd());
  const bad = text.match(/^not ok /gm)?.length ?? 0;
  counts.passed += text.match(/^ok /gm)?.length ?? 0;
  counts.failed += bad;
  if (success || bad > 0) return;
  counts.failed++;
  console.log(`not ok - ${script} ended early: ${new TextDecoder().decode(stderr)}`);
}

function check(counts: Counts, claim: boolean, what: string): void {
  if (claim) counts.passed++;
  else counts.failed++;
  console.log(`${claim ? "ok" : "not ok"} - ${what}`);
}

async function talk(folder: string, counts: Counts): Promise<void> {
  await using server = await startMemden(options(folder));
  await play("talk.py", [server.port, folder, server.pid], counts);
}

/** Clients that go on with a session, wherever they get to: there are several workers. */
async function resumption(folder: string, counts: Counts): Promise<void> {
  const threads = ["-t", "4"];
  const asks = `,ssl_verify_mode=1,ssl_ca_cert=${folder}/ca.crt`;
  for (const [over, more] of [["tcp", ""], ["tcp", asks], ["relay", ""]] as const) {
    const args = [...options(folder, `,ssl_session_cache${more}`), ...threads];
    console.log(`# ${over}${more.replaceAll(folder, "F")}`);
    await using server = await startMemden(args, { over });
    await play("resumption.py", [server.port, folder, server.pid], counts);
  }
}

async function authorities(folder: string, counts: Counts): Promise<void> {
  for (const mode of [0, 1, 2, 3]) {
    Deno.copyFileSync(`${folder}/ca.crt`, `${folder}/authorities.crt`);
    const more = `,ssl_verify_mode=${mode},ssl_ca_cert=${folder}/authorities.crt`;
    await using server = await startMemden(options(folder, more));
    console.log(`# ssl_verify_mode=${mode}`);
    await play("authorities.py", [server.port, folder, server.pid, mode], counts);
  }
}

/** A server that asks for certificates, and believes nobody's. */
async function strangers(folder: string, counts: Counts): Promise<void> {
  await using server = await startMemden(options(folder, ",ssl_verify_mode=1"));
  await play("strangers.py", [server.port, folder, server.pid], counts);
}

async function versions(folder: string, counts: Counts): Promise<void> {
  await using server = await startMemden(options(folder, ",ssl_min_version=3"));
  for (const [option, wanted] of [["-tls1_2", false], ["-tls1_3", true]] as const) {
    const at = `127.0.0.1:${server.port}`;
    const client = new Deno.Command("timeout", {
      args: ["10", "openssl", "s_client", "-quiet", option, "-connect", at],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = client.stdin.getWriter();
    await writer.write(new TextEncoder().encode("mn\r\nquit\r\n")).catch(() => {});
    await writer.close().catch(() => {});
    const got = new TextDecoder().decode((await client.output()).stdout);
    check(counts, (got === "MN\r\n") === wanted, `ssl_min_version=3, ${option}: ${wanted}`);
  }
}

async function listeners(folder: string, counts: Counts): Promise<void> {
  const ports = [freePort(), freePort(), freePort()] as const;
  const [plain, mutual, basic] = ports;
  const more = `,ssl_verify_mode=1,ssl_ca_cert=${folder}/ca.crt`;
  const at = "127.0.0.1";
  const listen = `notls:${at}:${plain},mtls:${at}:${mutual},btls:${at}:${basic}`;
  await using server = await startMemden([...options(folder, more), "-l", listen]);
  await play("listeners.py", [server.port, folder, server.pid, ...ports], counts);
}

/** Files that cannot be used: one line, and memcached's exit code. */
async function files(folder: string, counts: Counts): Promise<void> {
  const pairs: readonly (readonly [files: string, line: RegExp])[] = [
    ["ssl_chain_cert=F/none,ssl_key=F/used.key", /loading the certificate chain: F\/none$/],
    ["ssl_chain_cert=F/junk.pem,ssl_key=F/used.key", /loading the certificate chain/],
    ["ssl_chain_cert=F/used.crt,ssl_key=F/junk.pem", /loading the key: F\/junk.pem$/],
    ["ssl_chain_cert=F/used.crt,ssl_key=F/renewed.key", /validating the certificate$/],
    ["ssl_chain_cert=F/used.crt,ssl_key=F/server.der", /loading the key/],
    ["ssl_chain_cert=F/used.crt,ssl_key=F/used.key,ssl_ca_cert=F/junk.pem", /CA certificate/],
    ["ssl_chain_cert=F/used.crt,ssl_key=F/used.key,ssl_verify_mode=2", /without -o ssl_ca_cert$/],
  ];
  for (const [pair, line] of pairs) {
    const args = ["-Z", "-o", pair.replaceAll("F/", `${folder}/`)];
    let outcome = "started";
    try {
      await (await startMemden(args)).stop();
    } catch (error) {
      outcome = (error as Error).message.replaceAll(folder, "F").trim();
    }
    check(counts, line.test(outcome), `${pair}: ${outcome}`);
  }
  // What openssl writes as PKCS#8, under the label of PKCS#1.
  const label = "RSA PRIVATE KEY";
  const labelled = Deno.readTextFileSync(`${folder}/server.key`)
    .replaceAll(/(BEGIN|END) [A-Z ]+/g, `$1 ${label}`);
  Deno.writeTextFileSync(`${folder}/labelled.key`, labelled);
  for (const more of ["server.der,ssl_keyformat=2", "labelled.key"]) {
    const chain = `ssl_chain_cert=${folder}/server.crt,ssl_key=${folder}/${more}`;
    console.log(`# ssl_key=${more}`);
    await using server = await startMemden(["-Z", "-o", chain]);
    await play("hello.py", [server.port, folder, server.pid], counts);
  }
}

async function hasPrograms(): Promise<boolean> {
  for (const program of ["openssl", "python3"]) {
    const command = new Deno.Command("sh", { args: ["-c", `command -v ${program}`] });
    if (!(await command.output()).success) return false;
  }
  return true;
}

async function main(): Promise<number> {
  const { only }: { readonly only?: string } = parseArgs(Deno.args, { string: ["only"] });
  if (!(await hasPrograms())) return CANNOT_RUN;
  const folder = Deno.makeTempDirSync({ prefix: "memden-tls-" });
  const counts: Counts = { passed: 0, failed: 0 };
  await makeCertificates(folder);
  for (const [name, part] of PARTS) {
    if (only !== undefined && only !== name) continue;
    for (const kind of ["crt", "key"]) {
      Deno.copyFileSync(`${folder}/server.${kind}`, `${folder}/used.${kind}`);
    }
    const start = performance.now();
    await part(folder, counts).catch((error) => check(counts, false, `${name}: ${error}`));
    console.log(`${name} took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  Deno.removeSync(folder, { recursive: true });
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
