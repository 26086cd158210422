// The layers of lib/: what each folder may import, and what it must never do.
//
// CONTRIBUTING.md and ARCHITECTURE.md show this table; check_imports.ts holds every import to it.

/** One folder directly under lib/. Its sub-folders belong to it. */
export interface Layer {
  /** Other folders under lib/ that it may import. */
  readonly folders: readonly string[];
  /** Packages and `node:` modules that it may import, by their names in deno.json. */
  readonly packages: readonly string[];
  /** What it must never do, as the end of a sentence. */
  readonly mustNever: string;
}

/** Every folder under lib/, in no particular order: {@linkcode layerOrder} derives one. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  base: { folders: [], packages: [], mustNever: "import another folder" },
  sys: { folders: [], packages: ["node:process"], mustNever: "interpret protocol" },
  memory: { folders: ["base"], packages: [], mustNever: "know what is stored" },
  config: {
    folders: ["base"],
    packages: ["@std/cli/parse-args"],
    mustNever: "read the environment after start",
  },
  protocol: { folders: ["base"], packages: [], mustNever: "see an item" },
  stats: { folders: ["base", "memory"], packages: [], mustNever: "take a lock" },
  log: {
    folders: ["base", "memory", "stats"],
    packages: [],
    mustNever: "wait for a reader: a full ring drops the record",
  },
  auth: {
    folders: ["base", "memory", "config"],
    packages: [],
    mustNever: "put a password into a message",
  },
  store: {
    folders: ["base", "memory", "stats", "log", "auth"],
    packages: [],
    mustNever: "see a socket, a token, a reply text",
  },
  command: {
    folders: ["base", "config", "stats", "log", "auth", "store", "protocol"],
    packages: [],
    mustNever: "touch item memory except through store",
  },
  net: {
    folders: ["base", "config", "stats", "log", "protocol", "command"],
    packages: [],
    mustNever: "call the system: it gets a `Transport`",
  },
  server: {
    folders: [
      "base",
      "config",
      "sys",
      "memory",
      "stats",
      "log",
      "auth",
      "store",
      "protocol",
      "command",
      "net",
    ],
    packages: [
      "@logtape/logtape",
      "node:crypto",
      "node:dns/promises",
      "node:stream",
      "node:tls",
      "node:v8",
      "node:vm",
      "node:worker_threads",
      "node:zlib",
    ],
    mustNever: "run code per request",
  },
  admin: {
    folders: ["config", "stats"],
    packages: [
      "node:buffer",
      "node:http",
      "node:stream",
      "prom-client",
      "uplot", // Only its types.
      "uplot/dist/uPlot.iife.min.js",
      "uplot/dist/uPlot.min.css",
    ],
    mustNever: "reach into store",
  },
  cli: {
    folders: ["base", "config"],
    packages: ["@std/cli/parse-args"],
    mustNever: "load the server",
  },
};

/**
 * The folders in levels, lowest first: each imports from levels before its own only.
 *
 * @throws {RangeError} When the table has a circle, or names a folder without a row.
 */
export function layerLevels(layers: Readonly<Record<string, Layer>> = LAYERS): string[][] {
  const levels: string[][] = [];
  const placed = new Set<string>();
  for (let left = Object.keys(layers); left.length > 0;) {
    const level = left.filter((name) => layers[name]!.folders.every((it) => placed.has(it)));
    if (level.length === 0) throw new RangeError(`No lowest layer among ${left.join(", ")}`);
    levels.push(level);
    for (const name of level) placed.add(name);
    left = left.filter((name) => !placed.has(name));
  }
  return levels;
}

/** The folders one by one, each behind all that it may import. */
export function layerOrder(layers: Readonly<Record<string, Layer>> = LAYERS): string[] {
  return layerLevels(layers).flat();
}
