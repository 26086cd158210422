// SIGUSR1, which ends the server and keeps its cache, and must not open the runtime's debugger.
//
// Deno heeds that signal, too, in every process that is half a second old: it opens its inspector
// on 127.0.0.1:9229, and whoever reaches that port runs code as the user of the server. There is no
// option against it. What helps is that no thread ever takes the signal: it is blocked in all of
// them, and one of the runtime's waits for it. The runtime has threads before the first line of the
// program runs, so the process blocks the signal and starts itself anew; what starts it can save
// that by blocking the signal first (`env --block-signal=USR1`). The copy that -d makes inherits
// the mask.
//
// Where the C library cannot be called none of this can be done. There is no cache to be kept there
// either, so the process ends within the call that tells of the signal.
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

/** Tells the process that was started anew, by its pid, that it was: it must not happen twice. */
const STARTED_ANEW = "MEMDEN_STARTED_ANEW";

/**
 * Sees to it that no thread takes the signal. Where that is not so yet, the process starts anew,
 * and this does not return.
 *
 * @returns Why it cannot be done; undefined where it is done, or the C library cannot be called.
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
 * @param act Is told whether the debugger stays closed; if not it opens within milliseconds.
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
