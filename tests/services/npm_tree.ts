// The packages of npm/package.json, installed into a directory of their own outside the checkout:
// what is in deno.lock every user of memden downloads, and these are for tests alone.

const HERE = new URL("npm/", import.meta.url).pathname;
const FILES = ["package.json", "package-lock.json"];

/**
 * Installs the packages by npm, exactly those of the lock file; once for each state of it.
 *
 * @returns The directory with `node_modules`; undefined where npm is not there, or fails.
 */
export async function installTree(): Promise<string | undefined> {
  const lock = await Deno.readFile(`${HERE}package-lock.json`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", lock)).slice(0, 8).toHex();
  const directory = `${Deno.env.get("TMPDIR") ?? "/tmp"}/memden-npm-${Deno.uid()}-${digest}`;
  const isDone = `${directory}/done`;
  if (await exists(isDone)) return directory;
  await Deno.mkdir(directory, { recursive: true });
  for (const file of FILES) await Deno.copyFile(`${HERE}${file}`, `${directory}/${file}`);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    const npm = new Deno.Command("npm", {
      args,
      cwd: directory,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    });
    if (!(await npm.output()).success) return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  await Deno.writeTextFile(isDone, "");
  return directory;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
