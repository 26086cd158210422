// The start of a server: binds, makes the shared memory, starts the threads. When a step fails, all
// before it is undone.

import { AuthFile, readAuthFile } from "../auth/auth_file.ts";
import { Logins } from "../auth/logins.ts";
import type { Log } from "../base/operator_log.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { storeWord } from "../memory/atomic.ts";
import { Global } from "../memory/regions.ts";
import { planStore, type StorePlan } from "../store/plan.ts";
import { SlabClasses, type SlabShape } from "../store/slab/classes.ts";
import type { Store } from "../store/store.ts";
import { ServerClock } from "./channel/server_clock.ts";
import { unmapShared } from "./channel/shared_views.ts";
import { chooseTransport } from "./choose_transport.ts";
import { descriptorsFor, ensureDescriptors } from "./listen/descriptors.ts";
import { bindListeners } from "./listeners.ts";
import { checkBudget } from "./memory_budget.ts";
import type { WarmRestart } from "./restart/warm_restart.ts";
import { Server, STOP_MS_MAX } from "./server.ts";
import { adviseMemory, makeMemory, shapeOf } from "./server_memory.ts";
import { ServerThreads } from "./thread/server_threads.ts";

/**
 * Binds, reads every file, starts every thread, and returns when all have reported in, or one has
 * died. {@linkcode Server.open} lets clients in. What was opened is closed again when it fails.
 *
 * @throws {SettingsError} When an address cannot be bound, or nobody could log in.
 */
export async function startServer(given: Settings, log: Log): Promise<Server> {
  const settings = { ...given, transport: chooseTransport(given, log) };
  const wanted = descriptorsFor(settings);
  const limit = ensureDescriptors(settings);
  if (limit < wanted) {
    log.warn(`descriptor limit is ${limit}; -c ${settings.maxconns} needs ${wanted}`);
  }
  await using undo = new AsyncDisposableStack();
  const sockets = await bindListeners(settings, log);
  undo.defer(() => sockets.close());
  const plan = planStore(shapeOf(settings, Math.min(wanted, limit)));
  const warning = checkBudget(settings, plan);
  if (warning !== undefined) log.warn(warning);
  logClasses(plan.shape, log);
  const warm = await openWarm(settings, plan, log);
  undo.defer(() => warm?.close());
  const clock = new ServerClock(warm?.startUnix);
  const { store, map: memory } = makeMemory(plan, clock.clock, warm?.segments);
  let isInUse = false;
  undo.defer(() => {
    if (!isInUse) unmapShared(memory, plan);
  });
  const authFile = await loadLogins(settings, store, log);
  warm?.begin(store);
  adviseMemory(settings, plan, memory, log);
  const { u32 } = store.control;
  storeWord(u32, Global.VERBOSITY, settings.verbosity);
  clock.start(store.control);
  undo.defer(() => clock.stop());

  const { families, listenerOptions, certificates, udp } = sockets;
  storeWord(u32, Global.CERTS_READ_AT, clock.clock.now);
  const common = {
    ...{ settings, plan, memory, families, listenerOptions, certificates },
    startUnix: clock.clock.startUnix,
    udp: udp.map(({ fd }) => fd),
  };
  const threads = new ServerThreads(common);
  undo.defer(async () => {
    isInUse = !await threads.endAll(store.control, STOP_MS_MAX);
  });
  await threads.startWorkers(settings.threads);
  const listeners = sockets.start(common, threads.workers);
  threads.addAcceptor(listeners.acceptor);
  threads.startMaintainer();
  undo.move();
  const parts = { settings, log, clock, store, plan, memory, authFile, sockets, listeners, warm };
  const server = new Server({ ...parts, threads });
  await server.allReady();
  return server;
}

/** The file of logins, and what for; undefined where there is none. */
function loginsOf({ sasl, saslFile, authFile }: Settings) {
  const path = sasl ? saslFile : authFile;
  return path === null ? undefined : { path, form: sasl ? "sasl" : "text" } as const;
}

/** @throws {SettingsError} When the file of logins cannot be used. */
async function checkLogins(settings: Settings): Promise<void> {
  const logins = loginsOf(settings);
  if (logins === undefined) return;
  const file = await readAuthFile(logins.path, logins.form);
  if ("problem" in file) throw new SettingsError(file.problem, ExitCode.FAILURE);
}

/** Reads the file of logins, where there is one. @throws {SettingsError} When it cannot be used. */
async function loadLogins(
  settings: Settings,
  { control, locks }: Store,
  log: Log,
): Promise<AuthFile | undefined> {
  const logins = loginsOf(settings);
  if (logins === undefined) return undefined;
  const file = new AuthFile(logins.path, logins.form, new Logins(control, locks), log);
  await file.load();
  return file;
}

/** The memory file, where there is one. Loaded late: most servers have none. */
async function openWarm(
  settings: Settings,
  plan: StorePlan,
  log: Log,
): Promise<WarmRestart | undefined> {
  if (settings.memoryFile === null) return undefined;
  await checkLogins(settings); // A start that fails leaves a saved cache as it is.
  const { WarmRestart } = await import("./restart/warm_restart.ts");
  return WarmRestart.open(settings.memoryFile, plan, log);
}

/** Writes the slab classes to the log at `-vv`, as memcached does at start. */
function logClasses(shape: SlabShape, log: Log): void {
  const { chunkBytes, perPage, last } = new SlabClasses(shape);
  for (let clsid = 1; clsid <= last; clsid++) {
    const size = String(chunkBytes[clsid]).padStart(9);
    const count = String(perPage[clsid]).padStart(7);
    log.debug(`slab class ${String(clsid).padStart(3)}: chunk size ${size} perslab ${count}`);
  }
}
