// A Dockerfile as its instructions, and .dockerignore as the files that it lets through. No more of
// either is understood than the two in this repository use.

/** One instruction. */
export interface Instruction {
  /** FROM, RUN … */
  readonly name: string;
  /** The rest, its lines put together. */
  readonly text: string;
}

/** The instructions of each stage, FROM first. */
export function readStages(dockerfile: string): Instruction[][] {
  const lines = dockerfile.split("\n").filter((line) => !line.startsWith("#"));
  const stages: Instruction[][] = [];
  for (const line of lines.join("\n").replaceAll(/\\\n\s*/g, "").split("\n")) {
    const match = /^([A-Z]+) +(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = "", text = ""] = match;
    if (name === "FROM") stages.push([]);
    stages.at(-1)?.push({ name, text });
  }
  return stages;
}

/** Tells for each path whether the rules of a .dockerignore let it through; the last one counts. */
export function contextFilter(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const pattern = line.replace(/^!/, "");
      const source = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("**/", "\0").replaceAll("*", "[^/]*").replaceAll("\0", "(?:.*/)?");
      return { isKept: line.startsWith("!"), form: new RegExp(`^${source}(?:/|$)`) };
    });
  return (path) => rules.findLast(({ form }) => form.test(path))?.isKept ?? true;
}
