// Runs a command-line client and collects what it says.

/** How a command ended and what it wrote. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came, for values that are not text. */
  readonly bytes: Uint8Array;
}

/** A command that takes longer is killed, in milliseconds. */
const COMMAND_MS_MAX = 10_000;

/** Runs `program` with `args` in `cwd` to its end, whatever its exit code. */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; msMax?: number } = {},
): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    signal: AbortSignal.timeout(options.msMax ?? COMMAND_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), bytes: stdout };
}
