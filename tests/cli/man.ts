// The man page, as man, groff and mandoc read it. Each of them warns of what it does not like.

import { run } from "../clients/command.ts";
import { missingPackages } from "../support/packages.ts";
import { check, type Counts, skip } from "./counts.ts";

/** A reader: the package it is in, and what it is called with before the file. */
const READERS: readonly (readonly [name: string, pack: string, ...words: string[]])[] = [
  ["man", "man-db", "man", "--warnings", "-l"],
  ["groff", "groff-base", "groff", "-man", "-ww", "-Tutf8"],
  ["mandoc", "mandoc", "mandoc", "-T", "lint"],
];

/** Words that must be on the page. */
const WORDS = [
  "--port=num",
  "hash_algorithm=name",
  "memden top",
  "memden ping",
  "--auth-file=file",
];

/** Reads the page `path` by every reader. */
export async function man(path: string, counts: Counts): Promise<void> {
  for (const [name, pack, program, ...args] of READERS) {
    if (program === undefined || (await missingPackages([pack])).length > 0) {
      skip(counts, `${name}, which is not there`);
      continue;
    }
    const { code, stdout, stderr } = await run(program, [...args, path]);
    const complaint = name === "mandoc" ? stdout + stderr : stderr;
    check(
      counts,
      code === 0 && complaint === "",
      `${name} has nothing to say against it`,
      complaint,
    );
    if (name !== "groff") continue;
    // deno-lint-ignore no-control-regex -- groff marks bold by escape sequences.
    const text = stdout.replace(/\x1b\[[0-9;]*m|.\x08/g, "");
    for (const word of WORDS) check(counts, text.includes(word), `${word} is on the page`, text);
  }
}
