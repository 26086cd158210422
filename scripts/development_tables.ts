// The tables of CONTRIBUTING.md: tasks, programs that are no task, steps of the gate, layers.

import { layerOrder, LAYERS } from "./layers.ts";
import { STEPS } from "./ok.ts";
import { readSources, ROOT } from "./sources.ts";

/** A table: the head, then the rows. */
type Table = readonly (readonly string[])[];

/** One task of deno.json. */
interface Task {
  readonly description?: string;
  readonly command: string;
}

/** Directories whose programs the tables name. */
const PROGRAMS = ["scripts"];

/** The tasks of deno.json, by name. */
export function readTasks(): Readonly<Record<string, Task>> {
  return JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).tasks;
}

/**
 * The tasks, with their descriptions.
 *
 * @throws {Error} For a task without a description.
 */
export function taskTable(tasks = readTasks()): Table {
  const rows = Object.entries(tasks).map(([name, { description }]) => {
    if (description === undefined) throw new Error(`The task ${name} has no description`);
    return [`\`deno task ${name}\``, description];
  });
  return [["task", "what it does"], ...rows];
}

/** The steps of the gate, in order. */
export function stepTable(): Table {
  return [["step", "holds"], ...STEPS.map(({ name, holds }) => [`\`${name}\``, holds])];
}

/** The layers, lowest first. */
export function layerTable(): Table {
  const order = layerOrder();
  const rows = order.map((name) => {
    const { folders, mustNever } = LAYERS[name]!;
    const sorted = order.filter((it) => folders.includes(it));
    return [`\`${name}\``, sorted.join(", ") || "–", mustNever];
  });
  return [["folder", "may import", "must never"], ...rows];
}

/** Programs that neither a task nor a step of the gate starts, each with its header's sentence. */
export async function programTable(): Promise<Table> {
  const sources = await readSources(PROGRAMS);
  const started = [
    ...Object.values(readTasks()).flatMap(({ command }) => command.split(" ")),
    ...STEPS.flatMap(({ args }) => args),
  ];
  const rows = [...sources].filter(([path, text]) => isProgram(path, text, started))
    .map(([path, text]) => [`\`${path}\``, firstSentence(text)]);
  return [["program", "what it does"], ...rows];
}

/** Whether `path` is a program that is started by its path. */
export function isProgram(path: string, text: string, started: readonly string[]): boolean {
  if (path.endsWith("_test.ts") || started.includes(path)) return false;
  return /^if \(import\.meta\.main\)/m.test(text) || /^\/\/ +deno run .*\.ts/m.test(text);
}

/** The first sentence of a file's header, without the full stop. */
export function firstSentence(text: string): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith("// ") && !line.includes("deno-lint"));
  const rest = lines.slice(from);
  const end = rest.findIndex((line) => !/^\/\/ \S/.test(line) || line.includes("deno-lint"));
  const header = rest.slice(0, end).map((line) => line.slice(3)).join(" ");
  return (/^.*?\.(?= [A-Z]|$)/.exec(header)?.[0] ?? header).replace(/[.:]$/, "");
}
