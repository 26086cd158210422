// How this process was started, for whoever starts the program once more.

import { FORM, wordsBefore } from "../base/program.ts";
import { SysError } from "./errno.ts";
import { canCallLibc, errno, libc } from "./libc.ts";

/** Where the kernel shows the command line: each word, and a zero byte behind it. */
const COMMAND_LINE = new TextEncoder().encode("/proc/self/cmdline\0");
// Source: asm-generic/fcntl.h.
const O_RDONLY_CLOEXEC = 0x80000;
/** The kernel takes no longer word, and seldom so many of them. */
const READ_BYTES = 128 * 1024;

/**
 * The words that started this program, up to its own arguments. With `Deno.args` behind them, in
 * the same directory, they start it again, with the same permissions and flags of V8.
 *
 * @returns Undefined for a program that deno runs where the C library cannot be asked: Deno itself
 * shows the command line to nobody but a program that may do everything.
 */
export function launchWords(): readonly string[] | undefined {
  const executable = Deno.execPath();
  if (FORM === "compiled") return [executable];
  if (!canCallLibc) return undefined;
  return wordsBefore(readCommandLine(), executable, Deno.args.length);
}

function readCommandLine(): string {
  const fd = libc.open(COMMAND_LINE, O_RDONLY_CLOEXEC);
  if (fd < 0) throw new SysError("open", -1, errno());
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(READ_BYTES);
  let text = "";
  for (let count = libc.read(fd, bytes, READ_BYTES); count > 0;) {
    text += decoder.decode(bytes.subarray(0, count), { stream: true });
    count = libc.read(fd, bytes, READ_BYTES);
  }
  libc.close(fd);
  return text;
}
