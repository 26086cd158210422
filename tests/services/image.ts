// The Dockerfile, step by step, as far as that goes without a container engine: each stage has a
// directory that stands in for its root. COPY copies, through .dockerignore; RUN runs, with the
// programs that write outside the working directory turned to that root. FROM, the rights of USER
// and the executable of `deno compile`, whose runtime must be downloaded, are not tried.

import { freePort, START_COMMAND } from "../support/server.ts";
import { askWhenUp } from "./ask.ts";
import { contextFilter, type Instruction, readStages } from "./dockerfile.ts";
import { type Report, run } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Programs of RUN as they work on another root. */
const PRELUDE = `set -eu
groupadd() { command groupadd --prefix "$ROOT" "$@"; }
useradd() { command useradd --prefix "$ROOT" "$@"; }
ln() { command ln "$1" "$2" "$ROOT$3"; }
`;

/** Stands in for the executable: says what it was called as, and with which words. */
const STAND_IN = `#!/bin/sh
printf '%s' "\${0##*/}"; for word in "$@"; do printf '|%s' "$word"; done
`;

/** What the container is told to run, and what becomes of it. */
const STYLES: readonly (readonly [words: readonly string[], run: string])[] = [
  [["memcached"], "memcached"],
  [[], "memcached"],
  [["-m", "1024", "-c", "4096"], "memcached|-m|1024|-c|4096"],
  [["memcached", "-m", "64"], "memcached|-m|64"],
  [["memcached", "--memory-limit=64"], "memcached|--memory-limit=64"],
  [["memden", "-m", "64"], "memden|-m|64"],
  [["-m 8192", "--extended=modern,track_sizes"], "memcached|-m 8192|--extended=modern,track_sizes"],
  [["-", "-m 1024"], "memcached|-|-m 1024"],
  [["--config=/etc/memden/memden.conf"], "memcached|--config=/etc/memden/memden.conf"],
  [["ping"], "memden|ping"],
  [["top", "other:11211"], "memden|top|other:11211"],
  [["printf", "%s", "a b"], "a b"],
];

/** Words of charts, an option and its value in one. */
const CHART = ["-m 128", "-I 5m", "-c 512", "--extended=modern,track_sizes", "-l 127.0.0.1"];

/** Plays the Dockerfile. */
export async function checkImage(directory: string, report: Report): Promise<void> {
  const dockerfile = await Deno.readTextFile(`${ROOT}Dockerfile`);
  const [build = [], final = [], ...more] = readStages(dockerfile);
  report.equal("the Dockerfile has two stages", [build[0]?.name, final[0]?.name, more.length], [
    "FROM",
    "FROM",
    0,
  ]);
  await checkVersions(build, report);
  const buildRoot = `${directory}/build`;
  await playBuild(build, buildRoot, report);
  const finalRoot = `${directory}/final`;
  for (const folder of ["etc", "usr/local/bin"]) {
    await Deno.mkdir(`${finalRoot}/${folder}`, { recursive: true });
  }
  for (const name of ["passwd", "group"]) await Deno.writeTextFile(`${finalRoot}/etc/${name}`, "");
  await playFinal(final, buildRoot, finalRoot, report);
  await checkStyles(finalRoot, report);
  await checkChart(finalRoot, report);
}

/** The deno that builds is the one of the tests. */
function checkVersions([from]: readonly Instruction[], report: Report): void {
  report.equal("the image is built by this deno", from?.text, fromOf(Deno.version.deno));
}

function fromOf(version: string): string {
  return `denoland/deno:debian-${version} AS build`;
}

async function playBuild(
  stage: readonly Instruction[],
  root: string,
  report: Report,
): Promise<void> {
  const lets = contextFilter(await Deno.readTextFile(`${ROOT}.dockerignore`));
  let cwd = root;
  for (const { name, text } of stage) {
    if (name === "WORKDIR") {
      cwd = `${root}${text}`;
      await Deno.mkdir(cwd, { recursive: true });
    } else if (name === "COPY") await copyContext(text, cwd, lets);
    else if (name === "RUN" && text === "deno task compile") {
      const { code, stdout, stderr } = await run(["sh", "-c", text], { cwd });
      const isThere = await exists(`${cwd}/build/memden`);
      report.equal(`RUN ${text}: as it ends, so it is built or not`, code === 0, isThere);
      // Where deno compile cannot have its runtime nothing else may be in the way.
      const isExcused = isThere || /its runtime cannot be had here/.test(stderr);
      report.check(`RUN ${text}`, isExcused, stdout + stderr);
      if (isThere) continue;
      const rest = await run(["sh", "-c", `${text} --check`], { cwd });
      report.check(`RUN ${text} --check`, rest.code === 0, rest.stdout + rest.stderr);
    } else if (name === "RUN") {
      const { code, stdout, stderr } = await run(["sh", "-c", text], { cwd });
      report.check(`RUN ${text}`, code === 0, stdout + stderr);
    }
  }
  const tests = await run(["find", root, "-name", "*_test.ts"]);
  report.equal("no test goes to the builder", tests.stdout, "");
  await Deno.mkdir(`${cwd}/build`, { recursive: true });
  await Deno.writeTextFile(`${cwd}/build/memden`, STAND_IN, { mode: 0o755 });
}

/** `COPY a b ./`, from the checkout, of what .dockerignore lets through. */
async function copyContext(
  text: string,
  cwd: string,
  lets: (path: string) => boolean,
): Promise<void> {
  const words = text.split(" ");
  const target = words.pop() ?? "";
  for (const source of words) {
    const isFolder = (await Deno.stat(`${ROOT}${source}`)).isDirectory;
    const { stdout } = await run(["find", source, "-type", "f"], { cwd: ROOT });
    for (const path of stdout.trim().split("\n")) {
      if (!lets(path)) continue;
      const inside = isFolder ? path.slice(source.length) : `/${path}`;
      const to = `${cwd}/${target}${inside}`;
      await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(`${ROOT}${path}`, to);
    }
  }
}

async function playFinal(
  stage: readonly Instruction[],
  buildRoot: string,
  root: string,
  report: Report,
): Promise<void> {
  for (const { name, text } of stage) {
    if (name === "COPY") {
      const [first = "", ...rest] = text.split(" ");
      const isFromBuild = first === "--from=build";
      const [source = "", target = ""] = isFromBuild ? rest : [first, ...rest];
      await Deno.copyFile(
        isFromBuild ? `${buildRoot}${source}` : `${ROOT}${source}`,
        root + target,
      );
    } else if (name === "RUN") {
      const { code, stderr } = await run(["sh", "-c", PRELUDE + text], {
        cwd: root,
        env: { ROOT: root },
      });
      report.check(`RUN ${text.slice(0, 60)}`, code === 0, stderr);
    }
  }
  const passwd = await Deno.readTextFile(`${root}/etc/passwd`);
  report.check("memcache is 11211", /^memcache:[^:]*:11211:11211:.*nologin$/m.test(passwd), passwd);
  const link = await Deno.realPath(`${root}/entrypoint.sh`);
  report.equal(
    "/entrypoint.sh leads to the entry point",
    link,
    await Deno.realPath(
      `${root}/usr/local/bin/docker-entrypoint.sh`,
    ),
  );
  const textOf = (name: string) => stage.find((it) => it.name === name)?.text;
  report.equal("user, port and command are those of memcached's image", [
    textOf("USER"),
    textOf("EXPOSE"),
    textOf("ENTRYPOINT"),
    textOf("CMD"),
  ], ["11211:11211", "11211", '["docker-entrypoint.sh"]', '["memcached"]']);
}

/** Calls the entry point with every style of words. */
async function checkStyles(root: string, report: Report): Promise<void> {
  for (const [words, expected] of STYLES) {
    const { stdout, stderr } = await runEntrypoint(root, words);
    report.equal(`entry point: ${JSON.stringify(words)}`, stdout + stderr, expected);
  }
}

function runEntrypoint(root: string, words: readonly string[]) {
  const env = { PATH: `${root}/usr/local/bin:${Deno.env.get("PATH")}` };
  return run(["docker-entrypoint.sh", ...words], { env });
}

/** Starts memden itself through the entry point, as charts do, and asks for its settings. */
async function checkChart(root: string, report: Report): Promise<void> {
  const command = START_COMMAND.map((word) => `'${word}'`).join(" ");
  const memden = `${root}/usr/local/bin/memden`;
  await Deno.writeTextFile(memden, `#!/bin/sh\nMEMDEN_NAME=\${0##*/} exec ${command} "$@"\n`);
  const port = freePort();
  // Charts say -u 11211, which is who the container already is; root would become that user.
  const user = Deno.uid() === 0 ? "-u root" : "-u 11211";
  const child = new Deno.Command("docker-entrypoint.sh", {
    args: [...CHART, user, `-p ${port}`],
    env: { PATH: `${root}/usr/local/bin:${Deno.env.get("PATH")}` },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    cwd: "/",
  }).spawn();
  const settings = await askWhenUp({ hostname: "127.0.0.1", port }, "stats settings\r\n");
  const valueOf = (name: string) => new RegExp(`^STAT ${name} (.*)\r$`, "m").exec(settings)?.[1];
  const names = ["maxbytes", "item_size_max", "maxconns", "track_sizes"];
  const expected = [128 * 2 ** 20, 5 * 2 ** 20, 512, "yes"].map(String);
  report.equal("a chart's words, option and value in one", names.map(valueOf), expected);
  const comm = await Deno.readTextFile(`/proc/${child.pid}/comm`);
  report.equal("it is the container's process, and named memcached", comm, "memcached\n");
  child.kill("SIGTERM");
  report.equal("SIGTERM ends it with 0", (await child.status).code, 0);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
