// Debian packages that tests and benchmarks use: looked up, and installed when missing.
// Nothing is installed on a system without apt-get, nor without the right to use it.
// deno-lint-ignore-file no-console

/** Another apt-get may be at work: how long to wait for its lock, in seconds. */
const LOCK_WAIT_SECONDS = 120;

/** Held while packages are installed: `apt-get update` waits for nobody. */
const LOCK_FILE = `${Deno.env.get("TMPDIR") ?? "/tmp"}/memden-packages.lock`;

/**
 * Installs those of `names` that are missing, by apt-get, as root or by a sudo that does not ask.
 *
 * @returns Whether all of them are installed now. The caller says loudly what it leaves out if not.
 */
export async function ensurePackages(names: readonly string[]): Promise<boolean> {
  if ((await missingPackages(names)).length === 0) return true;
  using file = await Deno.open(LOCK_FILE, { create: true, write: true });
  await file.lock(true); // Its end closes it: two test groups may want packages at one time.
  const missing = await missingPackages(names);
  if (missing.length === 0) return true;
  console.error(`Installing ${missing.join(" ")} …`);
  if (!(await runAsRoot(["apt-get", "update"]))) return false;
  const installed = await runAsRoot([
    "apt-get",
    "-o",
    `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`,
    "install",
    "-y",
    "--no-install-recommends",
    ...missing,
  ]);
  return installed && (await missingPackages(names)).length === 0;
}

/** Those of `names` that dpkg does not report as installed; all of them where there is no dpkg. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const name of names) {
    const status = await outputOf(["dpkg-query", "-W", "-f", "${db:Status-Status}", name]);
    if (status !== "installed") missing.push(name);
  }
  return missing;
}

async function outputOf(command: readonly [string, ...string[]]): Promise<string | undefined> {
  const [program, ...args] = command;
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function runAsRoot(command: readonly string[]): Promise<boolean> {
  const [program = "", ...args] = Deno.uid() === 0 ? command : ["sudo", "-n", ...command];
  try {
    const child = new Deno.Command(program, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    return (await child.status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
