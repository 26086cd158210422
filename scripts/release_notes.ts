// The notes of a release: its section of CHANGELOG.md. Also holds the tag against the version that
// the program prints, so that a release has the version of its program.
//
//   deno run --allow-read scripts/release_notes.ts v0.1.0
// deno-lint-ignore-file no-console

import { MEMDEN_VERSION } from "../lib/base/version.ts";
import { ROOT } from "./sources.ts";

/**
 * The section of `version`, without its heading. A date may stand behind the version there.
 *
 * @returns Undefined when there is none, or nothing in it.
 */
export function sectionOf(changelog: string, version: string): string | undefined {
  const lines = changelog.split("\n");
  const isHeading = (line: string): boolean => /^## /.test(line);
  const start = lines.findIndex((line) => isHeading(line) && line.split(/\s+/)[1] === version);
  if (start < 0) return undefined;
  const length = lines.slice(start + 1).findIndex(isHeading);
  const section = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
  return section.trim() === "" ? undefined : section.trim();
}

/** Why a release must not go out under `tag`; undefined when it may. */
export function tagProblem(
  tag: string,
  versions: Readonly<Record<string, string>>,
): string | undefined {
  if (!/^v\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(tag)) return `${tag} is no tag of a release`;
  for (const [where, version] of Object.entries(versions)) {
    if (`v${version}` !== tag) return `${tag} is not the version in ${where}, ${version}`;
  }
  return undefined;
}

async function main(tag: string): Promise<number> {
  const { version }: { version: string } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const versions = { "deno.json": version, "lib/base/version.ts": MEMDEN_VERSION };
  const section = sectionOf(await Deno.readTextFile(`${ROOT}CHANGELOG.md`), tag.replace(/^v/, ""));
  const problem = tagProblem(tag, versions) ??
    (section === undefined ? `CHANGELOG.md says nothing of ${tag}` : undefined);
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  console.log(section);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args[0] ?? ""));
