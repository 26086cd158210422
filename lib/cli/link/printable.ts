// Text that came over the network, made fit for a terminal.
//
// A server may send escape sequences, which move the cursor, set the window's title or type into
// the shell. So only printable ASCII passes, which also makes one character one column.

/** Shown in place of any other character. */
const REPLACEMENT = "?";

/** Longest text of a server that is shown, in characters. */
const SHOWN_MAX = 120;

/** `text` with every character outside of printable ASCII replaced, cut at `max` characters. */
export function printable(text: string, max = SHOWN_MAX): string {
  return text.slice(0, max).replace(/[^ -~]/g, REPLACEMENT);
}
