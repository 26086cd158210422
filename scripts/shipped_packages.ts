// The npm packages that are in what is shipped: those that main.ts and lib/ load, and what these
// need, by deno.lock. Packages of tests and scripts are not among them.

import { importsOf, isTest, readSources, ROOT } from "./sources.ts";

/** The parts of deno.lock that matter here. */
export interface Lock {
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

/** One package in deno.lock, by `name@version`. */
interface LockedPackage {
  /** `sha512-` and the hash in Base64. */
  readonly integrity: string;
  /** By name, or by `name@version` where several versions are there. */
  readonly dependencies?: readonly string[];
}

/** One package. */
export interface ShippedPackage {
  /** With its scope: `@logtape/logtape`. */
  readonly name: string;
  readonly version: string;
  /** Of the archive in the registry, in Base64. */
  readonly sha512: string;
  /** The `name@version` of those it needs. */
  readonly needs: readonly string[];
}

/** The identity of a package: `name@version`. */
export function idOf({ name, version }: Pick<ShippedPackage, "name" | "version">): string {
  return `${name}@${version}`;
}

/**
 * The packages that the sources load themselves, as `name@version`.
 *
 * @param imports Of deno.json: what a name, or a name that ends in a slash, stands for.
 */
export function packagesLoaded(
  sources: ReadonlyMap<string, string>,
  imports: Readonly<Record<string, string>>,
): string[] {
  const found = new Set<string>();
  for (const [path, text] of sources) {
    if (isTest(path)) continue;
    for (const { specifier, typeOnly } of importsOf(text)) {
      if (typeOnly || specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      const prefix = Object.keys(imports).find((name) =>
        name.endsWith("/") && specifier.startsWith(name)
      );
      const target = imports[specifier] ?? (prefix === undefined ? undefined : imports[prefix]);
      const id = /^npm:\/?((?:@[^/]+\/)?[^/@]+@[^/]+)/.exec(target ?? "")?.[1];
      if (id === undefined) throw new Error(`${path}: ${specifier} is no package of deno.json`);
      found.add(id);
    }
  }
  return [...found].sort();
}

/** `roots` and all that they need, in order of name. @throws {Error} When one is not locked. */
export function closureIn({ npm }: Lock, roots: readonly string[]): ShippedPackage[] {
  const reached = new Map<string, ShippedPackage>();
  const waiting = [...roots];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (reached.has(id)) continue;
    const locked = npm[id];
    if (locked === undefined) throw new Error(`${id} is not in deno.lock`);
    const needs = (locked.dependencies ?? []).map((name) => idIn(npm, name)).sort();
    const at = id.lastIndexOf("@");
    const sha512 = locked.integrity.replace(/^sha512-/, "");
    reached.set(id, { name: id.slice(0, at), version: id.slice(at + 1), sha512, needs });
    waiting.push(...needs);
  }
  return [...reached.values()].sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

/** The key of a dependency, which is named without a version where only one is there. */
function idIn(npm: Lock["npm"], name: string): string {
  if (name in npm) return name;
  const ids = Object.keys(npm).filter((id) => id.slice(0, id.lastIndexOf("@")) === name);
  if (ids.length !== 1) throw new Error(`deno.lock has ${ids.length} versions of ${name}`);
  return ids[0]!;
}

/** The packages of this checkout. */
export async function shippedPackages(): Promise<ShippedPackage[]> {
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  return closureIn(lock, packagesLoaded(await readSources(["main.ts", "lib"]), imports));
}

/** Where each package has been downloaded to, by `name@version`. */
export async function packageFolders(): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  // The cache has what the program loads; whatever it loads late, too.
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: ROOT,
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { npmPackages }: { npmPackages: Record<string, { localPath: string }> } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  for (const [id, { localPath }] of Object.entries(npmPackages)) folders.set(id, localPath);
  return folders;
}
