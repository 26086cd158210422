// memden: from the command line to a running server. On failure it prints one line and chooses the
// exit code; everything else is in lib/.
// deno-lint-ignore-file no-console

import type { Logger } from "@logtape/logtape";
import type { AdminServer } from "./lib/admin/http.ts";
import type { Server } from "./lib/server/server.ts";
import type { Service } from "./lib/server/process/service.ts";
import { findSubCommand } from "./lib/cli/command_line/sub_commands.ts";
import type { Action } from "./lib/config/parse.ts";
import type { Settings } from "./lib/config/settings.ts";
import { ExitCode, SettingsError } from "./lib/config/settings_error.ts";
import type { ServerSignals } from "./lib/server/process/server_signals.ts";
import { shutOutDebugger } from "./lib/server/process/graceful_signal.ts";

/** Source: sysexits.h, EX_SOFTWARE. */
const EX_SOFTWARE = 70;

/** Prints the text of an option that starts no server. */
async function print(action: Action): Promise<void> {
  const { helpText, licenseText, versionText } = await import("./lib/config/help.ts");
  const { subCommandsText } = await import("./lib/cli/command_line/sub_command_line.ts");
  const texts: Readonly<Record<Action, () => string>> = {
    help: () => `${helpText()}${subCommandsText()}`,
    license: licenseText,
    version: versionText,
  };
  Deno.stdout.writeSync(new TextEncoder().encode(texts[action]()));
}

/**
 * Runs the server until it ends; returns the exit code.
 *
 * @param openDoor Why SIGUSR1 opens a debugger; undefined where it does not.
 */
async function serve(given: Settings, openDoor: string | undefined): Promise<number> {
  // Loaded late: -h and -V need none of it, and with -d another process does.
  const { runInBackground, Service } = await import("./lib/server/process/service.ts");
  const exitCode = runInBackground(given);
  if (exitCode !== undefined) return exitCode;
  const { openLog } = await import("./lib/server/process/log_output.ts");
  const { startServer } = await import("./lib/server/start_server.ts");
  const { ensureDescriptors } = await import("./lib/server/listen/descriptors.ts");
  ensureDescriptors(given); // Before signals are listened to: that takes some.
  const log = openLog(given.verbosity);
  const service = new Service(given, log);
  const { settings } = service;
  await warnAndCheck(settings, openDoor, log);
  const signals = await listenToSignals(service, log);
  const server = await startServer(settings, log);
  signals.started(server);
  const admin = await announce(service, server, log);
  const ending = await server.ended;
  service.serverEnded();
  void admin?.stop();
  if (ending.cause === "asked") return ExitCode.OK;
  console.error(`memden: stopped: ${ending.reason}`);
  return EX_SOFTWARE;
}

/** Warns of settings that surprise. @throws {SettingsError} For a user that cannot be assumed. */
async function warnAndCheck(
  settings: Settings,
  openDoor: string | undefined,
  log: Logger,
): Promise<void> {
  const { checkUser, warnOfRoot } = await import("./lib/server/process/privileges.ts");
  const { warningsFor } = await import("./lib/config/settings.ts");
  for (const warning of warningsFor(settings)) log.warn(warning);
  warnOfRoot(settings.user, log);
  checkUser(settings.user, log);
  if (openDoor !== undefined) log.warn(`SIGUSR1 opens Deno's debugger, too: ${openDoor}`);
}

/** Handles signals from now on: one that comes during the start is not lost. */
async function listenToSignals(service: Service, log: Logger): Promise<ServerSignals> {
  const { ServerSignals } = await import("./lib/server/process/server_signals.ts");
  const { removeSocketFiles } = await import("./lib/server/listen/unix_socket.ts");
  const signals = new ServerSignals(service.settings, log, {
    exit: () => {
      service.serverEnded();
      removeSocketFiles();
      Deno.exit(ExitCode.OK);
    },
    after: (ms, act) => void setTimeout(act, ms),
  });
  signals.listen();
  return signals;
}

/** Lets clients in, and announces where they can connect. Stops the server when that fails. */
async function announce(
  service: Service,
  server: Server,
  log: Logger,
): Promise<AdminServer | undefined> {
  try {
    const admin = await openAdmin(service.settings, server, log);
    const isOpen = await server.open(() => {
      writePorts(service.settings, server);
      service.announce();
    });
    if (isOpen) service.started();
    return admin;
  } catch (error) {
    await server.stop(true); // It may have a cache to save.
    service.serverEnded();
    throw error;
  }
}

/** Starts the HTTP server of `--admin`, where it is given. Loaded late: it takes memory. */
async function openAdmin(
  { admin }: Settings,
  server: Server,
  log: Logger,
): Promise<AdminServer | undefined> {
  if (admin === null) return undefined;
  const { AdminServer } = await import("./lib/admin/http.ts");
  const { listenToLog } = await import("./lib/server/process/log_output.ts");
  const started = new AdminServer(
    admin,
    await server.openStats(),
    (message) => log.error(message),
  );
  listenToLog((line) => started.tell(line));
  log.info(`admin server on ${started.url}`);
  return started;
}

/** Writes the ports that were bound. Source: memcached.c, MEMCACHED_PORT_FILENAME. */
function writePorts(settings: Settings, { listening, udp }: Server): void {
  if (settings.portFilename === null) return;
  const lines = listening.flatMap(({ address }) => {
    if (address.family !== "tcp") return [];
    const family = address.address.includes(":") ? "INET6" : "INET";
    return [`TCP ${family}: ${address.port}\n`];
  });
  for (const { isIpv6, port } of udp) lines.push(`UDP ${isIpv6 ? "INET6" : "INET"}: ${port}\n`);
  const unfinished = `${settings.portFilename}.lck`;
  Deno.writeTextFileSync(unfinished, lines.join(""));
  Deno.renameSync(unfinished, settings.portFilename);
}

async function main(): Promise<number> {
  let prints = true;
  try {
    const subCommand = findSubCommand(Deno.args);
    if (subCommand !== undefined) {
      const { runSubCommand } = await import("./lib/cli/run_sub_command.ts");
      return await runSubCommand(subCommand, Deno.args.slice(1));
    }
    if (/^\s*[^\s-]/.test(Deno.args[0] ?? "")) {
      const { unknownWord } = await import("./lib/cli/command_line/unknown_word.ts");
      throw unknownWord(Deno.args[0]!);
    }
    const openDoor = shutOutDebugger(); // Before the rest is loaded: it may start anew.
    const { readOptions } = await import("./lib/config/option_sources.ts");
    const { settingsFrom } = await import("./lib/config/settings.ts");
    const env = Deno.env.toObject();
    const commandLine = readOptions(Deno.args, env);
    if (commandLine.action !== "serve") {
      await print(commandLine.action);
      return ExitCode.OK;
    }
    prints = false;
    return await serve(settingsFrom(commandLine.raw, env), openDoor);
  } catch (error) {
    if (error instanceof SettingsError) {
      console.error(error.message);
      return error.exitCode;
    }
    const reason = /^(.*) \(os error \d+\)$/.exec(error instanceof Error ? error.message : "")?.[1];
    if (!prints || reason === undefined) throw error;
    console.error(`memden: cannot print: ${reason}`); // A full disk, or nobody reads.
    return ExitCode.FAILURE;
  }
}

Deno.exit(await main());
