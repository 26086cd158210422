// Text that came over the network, made fit for a terminal.
//
// Whoever answers may send escape sequences: they would move the cursor, set the window's title or
// type into the shell. So nothing but printable ASCII passes, which also makes one character one
// column.

/** What stands in the place of a character that is not shown. */
const REPLACEMENT = "?";

/** Longest text of a server that is shown, in characters. */
const SHOWN_MAX = 120;

/** `text` with every character outside of printable ASCII replaced, cut at `max` characters. */
export function printable(text: string, max = SHOWN_MAX): string {
  return text.slice(0, max).replace(/[^ -~]/g, REPLACEMENT);
}
