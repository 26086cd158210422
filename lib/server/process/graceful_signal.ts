// SIGUSR1, which ends the server and keeps its cache, and must not open the runtime's debugger.
//
// Deno handles that signal, too, in every process that is half a second old: it opens its inspector
// on 127.0.0.1:9229, and a client of that port can run code as the user of the server. No option
// turns that off. So no thread may take the signal: all of them block it, and one of the runtime's
// threads waits for it. The runtime starts threads before the program, so the process blocks the
// signal and executes itself again. A launcher that blocks the signal first saves that
// (`env --block-signal=USR1`). The copy that -d starts inherits the mask.
//
// Without the C library none of this works. There is no memory file then, and the process exits
// within the signal's handler.
// Source: deno cli/worker.rs, the inspector on SIGUSR1.

import { canCallLibc } from "../../sys/libc.ts";
import { startAnew } from "../../sys/process.ts";
import {
  awaitSignal,
  blockSignal,
  isSignalBlocked,
  SIGUSR1,
  unblockSignal,
} from "../../sys/signals.ts";

/** Set to the pid of a process that has executed itself again, which must not happen twice. */
const STARTED_ANEW = "MEMDEN_STARTED_ANEW";

/**
 * Makes sure that no thread takes the signal. Where one might, the process executes itself again,
 * and this function does not return.
 *
 * @returns Why that is impossible; undefined where it is done, or the C library cannot be called.
 */
export function shutOutDebugger(): string | undefined {
  if (!canCallLibc) return undefined;
  const isSecond = Deno.env.get(STARTED_ANEW) === String(Deno.pid);
  Deno.env.delete(STARTED_ANEW);
  if (isSignalBlocked(SIGUSR1)) return undefined;
  if (isSecond) return "a process that is started anew does not keep it blocked";
  blockSignal(SIGUSR1);
  const reason = startAnew(`${STARTED_ANEW}=${Deno.pid}`);
  unblockSignal(SIGUSR1);
  return reason;
}

/**
 * Calls `act` each time that the signal comes.
 *
 * @param act Gets whether the debugger stays closed; otherwise it opens within milliseconds.
 */
export function onGracefulSignal(act: (debuggerIsShutOut: boolean) => void): void {
  if (canCallLibc && isSignalBlocked(SIGUSR1)) void actOnEach(() => act(true));
  else Deno.addSignalListener("SIGUSR1", () => act(false));
}

async function actOnEach(act: () => void): Promise<never> {
  for (;;) {
    await awaitSignal(SIGUSR1);
    act();
  }
}
