// Runs a sub-command: its program is loaded only then.

import { ExitCode } from "../config/settings_error.ts";
import { type Given, parseSubCommand, subCommandHelp } from "./command_line/sub_command_line.ts";
import type { SubCommand, SubCommandName } from "./command_line/sub_commands.ts";

/** The program of a sub-command, given its options and its row; returns the exit code. */
type Program = (given: Given, command: SubCommand) => Promise<number>;

/** Loads each program. A sub-command without a row here does not compile. */
const PROGRAMS: Readonly<Record<SubCommandName, () => Promise<Program>>> = {
  top: async () => (await import("./top/top.ts")).runTop,
  ping: async () => (await import("./ping.ts")).runPing,
};

/**
 * Runs a sub-command.
 *
 * @param argv What follows its name.
 * @returns The exit code.
 * @throws {SettingsError} For options that it does not have, or not with such a value.
 */
export async function runSubCommand(
  command: SubCommand,
  argv: readonly string[],
): Promise<number> {
  const given = parseSubCommand(command, argv);
  if (given.has("help")) {
    Deno.stdout.writeSync(new TextEncoder().encode(subCommandHelp(command)));
    return ExitCode.OK;
  }
  const run = await PROGRAMS[command.name]();
  return await run(given, command);
}
