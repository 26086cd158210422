// Global values that any thread may read: words of the control memory.

import { loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";

/** The `-v` count in force, 0..2. */
export function verbosity({ u32 }: Control): number {
  return loadWord(u32, Global.VERBOSITY);
}

/** Changes the `-v` count for all threads. */
export function setVerbosity({ u32 }: Control, level: number): void {
  storeWord(u32, Global.VERBOSITY, level);
}

/** Client connections open now. */
export function currConns({ u32 }: Control): number {
  return loadWord(u32, Global.CURR_CONNS);
}

/** Whether the acceptor accepts. */
export function isAccepting({ u32 }: Control): boolean {
  return loadWord(u32, Global.ACCEPTING) === 1;
}

/** When the certificates were read last, in seconds since start. */
export function certsReadAt({ u32 }: Control): number {
  return loadWord(u32, Global.CERTS_READ_AT);
}

/** When this process started, in seconds of the server's clock. */
export function startedAt({ u32 }: Control): number {
  return loadWord(u32, Global.STARTED_AT);
}

/** The moment of the last flush_all, in seconds since start; 0 when there was none. */
export function oldestLive({ u32 }: Control): number {
  return loadWord(u32, Global.FLUSHED_AT);
}
