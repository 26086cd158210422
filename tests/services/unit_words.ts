// What the units of deploy/systemd and their drop-ins come to: the command line that systemd makes
// of them and of the files of variables, and the settings that memden makes of that.

import { readOptions } from "../../lib/config/option_sources.ts";
import { type Settings, settingsFrom } from "../../lib/config/settings.ts";
import { splitWords } from "../../lib/config/words.ts";
import type { Report } from "./report.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;
const CONFIG = "/etc/memden.conf";

/** A unit, what is installed beside it, and what the settings are then. */
interface Case {
  readonly what: string;
  /** memden.service, unless it is an instance of memden@.service. */
  readonly instance?: string;
  readonly dropIns?: readonly string[];
  /** Whether the lines ExecStart= are taken out of warm.conf. */
  readonly isWarmCut?: boolean;
  /** The text of /etc/default/memden. */
  readonly variables?: string;
  /** The text of /etc/memden.conf; deploy/memden.conf when it is not given. */
  readonly config?: string;
  readonly is: Readonly<Partial<Outcome>>;
}

interface Outcome {
  readonly listen: string;
  readonly megabytes: number;
  readonly connections: number;
  readonly file: string | null;
  readonly verbosity: number;
}

const USUAL: Outcome = {
  listen: "127.0.0.1:11211",
  megabytes: 64,
  connections: 1024,
  file: null,
  verbosity: 0,
};
const FILE = "/var/lib/memden/memory";

const CASES: readonly Case[] = [
  { what: "no file", is: {} },
  { what: "a port's own unit", instance: "11212", is: { listen: "127.0.0.1:11212" } },
  {
    what: "PORT, MAXCONN, CACHESIZE",
    variables: "PORT=1\nMAXCONN=2\nCACHESIZE=3",
    is: { listen: "127.0.0.1:1", connections: 2, megabytes: 3 },
  },
  { what: "USER does nothing", variables: "USER=nobody", is: {} },
  { what: "OPTIONS opens no port", variables: 'OPTIONS="-vv"', is: { verbosity: 2 } },
  { what: "LISTEN", variables: "LISTEN=10.0.0.1", is: { listen: "10.0.0.1:11211" } },
  {
    what: "-l in OPTIONS adds an address",
    variables: 'OPTIONS="-l 127.0.0.1,::1"',
    is: { listen: "127.0.0.1:11211 ::1:11211" },
  },
  {
    what: "--config in OPTIONS is under the command line",
    variables: `OPTIONS=--config=${CONFIG}`,
    config: "-l 10.0.0.1\n-m 5\n-v",
    is: { verbosity: 1 },
  },
  {
    what: "the file of config.conf counts, variables do not",
    dropIns: ["config.conf"],
    variables: "PORT=1\nCACHESIZE=3\nOPTIONS=-vv",
    config: "-d\n-l 10.0.0.1\n-p 7\n-m 5\n-c 9\n-v",
    is: { listen: "10.0.0.1:7", megabytes: 5, connections: 9, verbosity: 1 },
  },
  { what: "config.conf with deploy/memden.conf", dropIns: ["config.conf"], is: {} },
  {
    what: "MEMDEN_OPTS is over the file of config.conf",
    dropIns: ["config.conf"],
    variables: 'MEMDEN_OPTS="-m 8"',
    is: { megabytes: 8 },
  },
  {
    what: "warm.conf adds -e to the rest",
    dropIns: ["warm.conf"],
    variables: "CACHESIZE=3\nOPTIONS=-v",
    is: { file: FILE, megabytes: 3, verbosity: 1 },
  },
  {
    what: "MEMDEN_OPTS takes nothing from warm.conf, and -m in it does nothing",
    dropIns: ["warm.conf"],
    variables: 'MEMDEN_OPTS="-m 8"',
    is: { file: FILE },
  },
  {
    what: "config.conf and warm.conf, without its lines ExecStart=",
    dropIns: ["config.conf", "warm.conf"],
    isWarmCut: true,
    config: `-l 10.0.0.1\n-e ${FILE}`,
    is: { listen: "10.0.0.1:11211", file: FILE },
  },
];

/** Checks that memden gets what the units' comments say. */
export async function checkWords(directory: string, report: Report): Promise<void> {
  for (const it of CASES) {
    const lines = await linesOf(it);
    const variables = variablesOf(lines, it.variables ?? "");
    const config = `${directory}/memden.conf`;
    const text = it.config ?? await Deno.readTextFile(`${DEPLOY}memden.conf`);
    await Deno.writeTextFile(config, text);
    const words = wordsOf(lastOf(lines, "ExecStart"), variables)
      .map((word) => word.replaceAll("%i", it.instance ?? "").replace(CONFIG, config));
    const env = Object.fromEntries(variables);
    const line = readOptions(words.slice(1), env);
    if (line.action !== "serve") throw new Error(`${it.what}: ${line.action}`);
    report.equal(`unit: ${it.what}`, outcomeOf(settingsFrom(line.raw, env)), {
      ...USUAL,
      ...it.is,
    });
  }
  await checkKeeps(report);
}

/** systemd removes what the unit's user has in /dev/shm when a unit stops that has RemoveIPC=. */
async function checkKeeps(report: Report): Promise<void> {
  const sets: [string, Pick<Case, "instance" | "dropIns">][] = [
    ["memden.service", {}],
    ["memden@.service", { instance: "11212" }],
    ["config.conf", { dropIns: ["config.conf"] }],
    ["warm.conf", { dropIns: ["warm.conf"] }],
  ];
  for (const [what, set] of sets) {
    const lines = await linesOf(set);
    const found = ["User", "Group", "RemoveIPC"].map((name) => lastOf(lines, name));
    const expected = ["memcache", "memcache", "false"];
    report.equal(`${what}: one user from the start, whose /dev/shm is kept`, found, expected);
  }
}

/** The lines of a unit and of its drop-ins, in the order in which systemd reads them. */
async function linesOf(
  { instance, dropIns = [], isWarmCut }: Pick<Case, "instance" | "dropIns" | "isWarmCut">,
): Promise<string[]> {
  const unit = instance === undefined ? "memden.service" : "memden@.service";
  const texts = [await Deno.readTextFile(`${DEPLOY}systemd/${unit}`)];
  for (const name of [...dropIns].sort()) {
    const text = await Deno.readTextFile(`${DEPLOY}systemd/memden.service.d/${name}`);
    const isCut = isWarmCut === true && name === "warm.conf";
    texts.push(isCut ? text.replaceAll(/^ExecStart=(?:.*\\\n)*.*$/gm, "") : text);
  }
  return texts.flatMap((text) => text.replaceAll(/\\\n */g, " ").split("\n"));
}

/** Variables of Environment= lines, and of a file over them. Source: systemd.exec(5). */
function variablesOf(lines: readonly string[], file: string): Map<string, string> {
  const own = lines.filter((line) => line.startsWith("Environment="))
    .flatMap((line) => splitWords(line.slice("Environment=".length)));
  const pairs = [...own, ...file.split("\n").filter((line) => line !== "")].map((line) => {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return [name, /^["']/.test(value) ? splitWords(value).join(" ") : value] as const;
  });
  return new Map(pairs);
}

/** A command line's words: `${NAME}` is in a word, `$NAME` is words. Source: systemd.service(5). */
function wordsOf(command: string, variables: ReadonlyMap<string, string>): string[] {
  const valueOf = (name: string) => variables.get(name) ?? "";
  return command.split(/ +/).flatMap((word) => {
    const alone = /^\$(\w+)$/.exec(word)?.[1];
    if (alone !== undefined) return splitWords(valueOf(alone));
    return word.replaceAll(/\$\{(\w+)\}/g, (_all, name) => valueOf(name));
  });
}

/** The last value of a setting, which is the one that counts. */
function lastOf(lines: readonly string[], name: string): string {
  return lines.findLast((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

function outcomeOf(settings: Settings): Outcome {
  return {
    listen: settings.listen.map(({ host, port }) => `${host}:${port}`).join(" "),
    megabytes: settings.maxbytes / 2 ** 20,
    connections: settings.maxconns,
    file: settings.memoryFile,
    verbosity: settings.verbosity,
  };
}
