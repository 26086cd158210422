// The terminal: raw keys, the alternate screen, and all of it put back at the end.

import { type Line, terminalText, widthOf } from "./spans.ts";
import type { Room } from "./screen_layout.ts";

// Source: xterm's ctlseqs, DECSET 1049 (alternate screen), 25 (cursor), 7 (wrap at the margin).
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_LINE_END = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** Size of a window that does not report it. Source: the VT100, and terminals since. */
const DEFAULT_ROOM: Room = { columns: 80, rows: 24 };

/** The terminal on stdin and stdout. */
export class Screen {
  readonly #hasColour: boolean;
  #entered = false;

  constructor(hasColour: boolean) {
    this.#hasColour = hasColour;
  }

  /** Takes the terminal; a second time, as after SIGCONT, does it anew. */
  enter(): void {
    this.#entered = true;
    if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(true);
    writeAll(ENTER);
  }

  /** Puts the terminal back; a second time nothing happens. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(false);
    writeAll(LEAVE);
  }

  /** How large the window is now. */
  room(): Room {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_ROOM;
  }

  /** Shows `lines`, which fit into `room`. */
  draw(lines: readonly Line[], { columns }: Room): void {
    if (!this.#entered) return;
    const texts = lines.map((line) => {
      const text = terminalText(line, this.#hasColour);
      // The cursor stays on the last column of a full line: to erase there would take a character.
      return widthOf(line) < columns ? text + ERASE_LINE_END : text;
    });
    writeAll(HOME + texts.join("\r\n") + ERASE_BELOW);
  }
}

function writeAll(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
