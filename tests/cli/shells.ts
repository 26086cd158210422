// The completions, asked by the shells they are for.

import { run } from "../clients/command.ts";
import { missingPackages } from "../support/packages.ts";
import { check, type Counts, play, skip } from "./counts.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** What is typed, and what is offered: all of it for bash, some of it for fish. */
const BASH_CASES: readonly (readonly [typed: string, offered: string])[] = [
  ["memden ", "top ping"],
  ["memden t", "top"],
  ["memden --po", "--port="],
  ["memden --protocol=", "auto ascii binary"],
  ["memden --protocol=b", "binary"],
  ["memden -B a", "auto ascii"],
  ["memden -p ", ""],
  ["memden -u roo", "root"],
  ["memden -P /etc/passw", "/etc/passwd"],
  ["memden -o no_slab_re", "no_slab_reassign"],
  ["memden -o modern,hash_algorithm=x", "xxh3"],
  ["memden --extended=modern,hot_lr", "modern,hot_lru_pct="],
  ["memden -o ssl_key=/etc/passw", "/etc/passwd"],
  ["memden top --del", "--delay="],
  ["memden top --auth-file=/etc/passw", "/etc/passwd"],
  ["memden top -n ", ""],
  ["memden ping --", "--timeout= --tls --ca= --tls-name= --help"],
];

const FISH_CASES: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ["memden ", ["top", "ping"]],
  ["memden --po", ["--port"]],
  ["memden -B ", ["auto", "ascii", "binary"]],
  ["memden --protocol=b", ["--protocol=binary"]],
  ["memden -o modern,hash_al", ["modern,hash_algorithm=xxh3"]],
  ["memden --extended=hot_lr", ["--extended=hot_lru_pct="]],
  ["memden -P /etc/passw", ["/etc/passwd"]],
  ["memden top --del", ["--delay"]],
  ["memden ping --time", ["--timeout"]],
];

/** Asks bash, zsh and fish; `folder` has the scripts. */
export async function shells(folder: string, counts: Counts): Promise<void> {
  await bash(folder, counts);
  const missing = await missingPackages(["zsh", "fish"]);
  for (const name of missing) skip(counts, `${name}, which is not there`);
  if (!missing.includes("zsh")) await play(`${HERE}zsh_completion.py`, [folder], counts);
  if (!missing.includes("fish")) await fish(folder, counts);
}

/** Calls the function as readline does: words are cut at blanks, and before and after = and :. */
const ASK_BASH = `source "$1"
COMP_LINE=$2 COMP_POINT=\${#2} COMP_WORDS=("\${@:3}") COMP_CWORD=$(($# - 3))
_memden && echo "\${COMPREPLY[*]}"`;

async function bash(folder: string, counts: Counts): Promise<void> {
  for (const [typed, offered] of BASH_CASES) {
    const words: string[] = typed.match(/[=:]+|[^\s=:]+/g) ?? [];
    if (typed.endsWith(" ")) words.push("");
    const args = ["--norc", "-c", ASK_BASH, "bash", `${folder}/memden.bash`, typed, ...words];
    const { stdout, stderr } = await run("bash", args);
    // /etc/passwd may have a copy beside it.
    const got = stdout.trim().split(" ").filter((word) => word !== "/etc/passwd-").join(" ");
    check(counts, got === offered && stderr === "", `bash: ${typed}`, `${stdout}${stderr}`);
  }
}

async function fish(folder: string, counts: Counts): Promise<void> {
  for (const [typed, offered] of FISH_CASES) {
    const script = 'source $argv[1]; complete -C "$argv[2]"';
    const args = ["--no-config", "-c", script, `${folder}/memden.fish`, typed];
    const { stdout, stderr } = await run("fish", args);
    const got = stdout.split("\n").map((line) => line.split("\t")[0]);
    const hasAll = offered.every((word) => got.includes(word));
    check(counts, hasAll && stderr === "", `fish: ${typed}`, `${stdout}${stderr}`);
  }
}
