// Checks that the links of the Markdown pages lead somewhere: relative ones, and their anchors.
// (references.ts checks the files that a page names without a link.)
//
// `deno task docs` reports the findings and `deno task ok` fails on them.

import { ROOT } from "./sources.ts";
import type { Finding } from "./tidy.ts";

/** Folders without pages of ours. */
const SKIPPED = new Set([".git", "build", "node_modules"]);

const FENCE = /^ *(```|~~~)/;
const CODE_SPAN = /`[^`]*`/g;
const LINK = /\]\(([^()\s]*)\)/g;
const HEADING = /^#{1,6} +(.*)$/;

/** A page's lines outside of fenced code, by number; 1 is the first. */
function* proseLines(text: string): Generator<[line: number, text: string]> {
  let inFence = false;
  for (const [at, line] of text.split("\n").entries()) {
    if (FENCE.test(line)) inFence = !inFence;
    else if (!inFence) yield [at + 1, line];
  }
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
  return words.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

/** Every anchor of a page whose text is `text`; of two equal headings the second has `-1`. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, line] of proseLines(text)) {
    const heading = HEADING.exec(line)?.[1];
    if (heading === undefined) continue;
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}

/**
 * Reports each link of `pages` that leads nowhere.
 *
 * @param pages Text by repository path.
 * @param files Repository paths of all files, and of all folders with a slash at the end.
 */
export function brokenLinks(
  pages: ReadonlyMap<string, string>,
  files: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of pages) {
    for (const [line, prose] of proseLines(text)) {
      for (const [, target = ""] of prose.replaceAll(CODE_SPAN, "").matchAll(LINK)) {
        const problem = linkProblem(path, target, pages, files);
        if (problem !== undefined) findings.push({ path, line, message: `${target}: ${problem}` });
      }
    }
  }
  return findings;
}

function linkProblem(
  path: string,
  target: string,
  pages: ReadonlyMap<string, string>,
  files: ReadonlySet<string>,
): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined; // Of another site, which may be out of reach.
  const { pathname, hash } = new URL(target, `file:///${path}`);
  const to = pathname.slice(1);
  if (!files.has(to) && !files.has(`${to}/`)) return "leads to no file";
  if (hash === "") return undefined;
  const text = pages.get(to);
  const isThere = text !== undefined && anchorsOf(text).has(decodeURIComponent(hash.slice(1)));
  return isThere ? undefined : "no such heading there";
}

/** Every file of the repository, and every folder with a slash at the end. */
async function listFiles(): Promise<Set<string>> {
  const paths = new Set<string>();
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
      if (SKIPPED.has(name)) continue;
      paths.add(folder + name + (isDirectory ? "/" : ""));
      if (isDirectory) await walk(`${folder}${name}/`);
    }
  };
  await walk("");
  return paths;
}

/** {@linkcode brokenLinks} of the repository as it is. */
export async function checkLinks(): Promise<Finding[]> {
  const files = await listFiles();
  const pages = new Map<string, string>();
  for (const path of [...files].filter((path) => path.endsWith(".md")).sort()) {
    pages.set(path, await Deno.readTextFile(ROOT + path));
  }
  return brokenLinks(pages, files);
}
