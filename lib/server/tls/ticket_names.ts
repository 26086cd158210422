// Which worker made a session ticket: the names of each worker's keys, in the control memory, so
// that the acceptor deals a client that comes back to the worker that can resume its session.
//
// A line for each thread: the name of its key, and the name before that. The thread writes it. A
// reader that sees half a name chooses another worker, and the client makes a new session.

import { loadWord, storeWord } from "../../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import { TICKET_NAME_BYTES } from "./tls_messages.ts";

const NAME_WORDS = TICKET_NAME_BYTES / 4;
const NAMES = 2;

function wordOf(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0;
}

function lineOf({ regions }: Control, thread: number): number {
  return wordIndex(regions.ticketNamesAt + thread * LINE_BYTES);
}

function hasName({ u32 }: Control, line: number, bytes: Uint8Array, from: number): boolean {
  for (let word = 0; word < NAME_WORDS; word++) {
    if (loadWord(u32, line + word) !== wordOf(bytes, from + 4 * word)) return false;
  }
  return true;
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < from + TICKET_NAME_BYTES; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Publishes the name of the key by which `thread` makes tickets from now on. */
export function publishTicketName(control: Control, thread: number, name: Uint8Array): void {
  const line = lineOf(control, thread);
  if (hasName(control, line, name, 0)) return;
  const { u32 } = control;
  for (let word = 0; word < NAME_WORDS; word++) {
    storeWord(u32, line + NAME_WORDS + word, loadWord(u32, line + word));
    storeWord(u32, line + word, wordOf(name, 4 * word));
  }
}

/** Which of threads 1 to `workers` makes tickets by the key `bytes[from, …)` names; 0: none. */
export function ticketThread(
  control: Control,
  workers: number,
  bytes: Uint8Array,
  from: number,
): number {
  if (isZero(bytes, from)) return 0; // As the names of a thread that has published none.
  for (let thread = 1; thread <= workers; thread++) {
    const line = lineOf(control, thread);
    for (let name = 0; name < NAMES; name++) {
      if (hasName(control, line + name * NAME_WORDS, bytes, from)) return thread;
    }
  }
  return 0;
}
