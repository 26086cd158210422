// The file of logins: a line `user:password` for each.
//
//   -Y  the first eight lines count, and must be valid; the password is all behind the first colon
//   -S  (MEMCACHED_SASL_PWDB) invalid lines are ignored; a second colon ends the password
//
// A login that no client could use is an error in both: its author meant one that works.
//
// The server reads the file as the user that it runs as (-u), at start as well as on SIGHUP, and so
// refuses at start a file that it could not read again. Source: memcached authfile.c,
// authfile_load; sasl_defs.c, sasl_server_userdb_checkpass.

import type { Log } from "../base/operator_log.ts";
import { CR, latin1, LF, SPACE } from "../base/ascii.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { type Login, LOGIN_BYTES_MAX, type Logins, LOGINS_MAX } from "./logins.ts";

const COLON = 0x3a;
const NUL = 0x00;

/** Longest line, in bytes, without its end. */
const LINE_BYTES_MAX = LOGIN_BYTES_MAX - 1;

/** Lines of a file for `-Y`. Source: memcached authfile.c, MAX_ENTRIES. */
const AUTH_LINES_MAX = 8;

/** The login that a file is for. */
export type LoginForm = "text" | "sasl";

/** The logins of a file, or why it cannot be used: a line for the operator. */
export type ParsedAuthFile =
  | { readonly logins: readonly Login[]; readonly ignored: number }
  | { readonly problem: string };

/**
 * Reads the logins out of a file's bytes.
 *
 * A line ends with LF or CR LF; the last one needs no end. The name reaches to the first colon. A
 * message names the number of a line, and never contains its text.
 */
export function parseAuthFile(
  path: string,
  bytes: Uint8Array,
  form: LoginForm = "text",
): ParsedAuthFile {
  if (form === "sasl") return parseSaslFile(path, bytes);
  const lines = linesOf(bytes);
  if (lines.length === 0) return { problem: `Authfile [${path}] is empty: nobody could log in` };
  const used = lines.slice(0, AUTH_LINES_MAX);
  const logins: Login[] = [];
  for (const [index, line] of used.entries()) {
    const colon = line.indexOf(COLON);
    if (colon < 0 || line.includes(NUL)) {
      const problem = "has a malformed entry. Should be 'user:password'";
      return { problem: `Authfile [${path}] ${problem} (line ${index + 1})` };
    }
    if (line.length > LINE_BYTES_MAX) {
      const problem = `has an entry of more than ${LINE_BYTES_MAX} bytes`;
      return { problem: `Authfile [${path}] ${problem} (line ${index + 1})` };
    }
    const login = { user: line.subarray(0, colon), pass: line.subarray(colon + 1) };
    const flaw = flawOf(login) ?? flawOfToken(login);
    if (flaw !== undefined) return { problem: `Authfile [${path}] ${flaw} (line ${index + 1})` };
    logins.push(login);
  }
  return { logins, ignored: lines.length - used.length };
}

/** Why no client can use a login; undefined when one can. */
function flawOf({ user, pass }: Login): string | undefined {
  if (user.length > 0 && pass.length > 0) return undefined;
  return "has an entry with no name or no password: nobody could log in by it";
}

/** The same for a client that sends name and password with spaces between them. */
function flawOfToken({ user, pass }: Login): string | undefined {
  if (!user.includes(SPACE) && pass[0] !== SPACE) return undefined;
  return "has an entry with a space in the name or before the password: nobody could log in by it";
}

/** Reads a file for `-S`. Of two lines with the same name the first one counts. */
function parseSaslFile(path: string, bytes: Uint8Array): ParsedAuthFile {
  const logins = new Map<string, Login>();
  let ignored = 0;
  for (const [index, line] of linesOf(bytes).entries()) {
    const colon = line.indexOf(COLON);
    const end = line.indexOf(COLON, colon + 1);
    const isGood = colon >= 0 && line.length <= LINE_BYTES_MAX && !line.includes(NUL);
    const name = latin1(line, 0, Math.max(colon, 0));
    if (!isGood || logins.has(name) || logins.size === LOGINS_MAX) {
      if (line.length > 0) ignored++;
      continue;
    }
    const pass = line.subarray(colon + 1, end < 0 ? line.length : end);
    const login = { user: line.subarray(0, colon), pass };
    const flaw = flawOf(login);
    if (flaw !== undefined) return { problem: `SASL file [${path}] ${flaw} (line ${index + 1})` };
    logins.set(name, login);
  }
  if (logins.size === 0) {
    return { problem: `SASL file [${path}] has no login: nobody could log in` };
  }
  return { logins: [...logins.values()], ignored };
}

/** The lines of `bytes`, without their ends. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const lineFeed = bytes.indexOf(LF, from);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    lines.push(bytes.subarray(from, end > from && bytes[end - 1] === CR ? end - 1 : end));
    from = end + 1;
  }
  return lines;
}

/** Reads the file at `path`. */
export async function readAuthFile(path: string, form: LoginForm): Promise<ParsedAuthFile> {
  try {
    return parseAuthFile(path, await Deno.readFile(path), form);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error.message.split(" (os error")[0];
    return { problem: `Could not open authfile [${path}] for reading, error ${reason}` };
  }
}

/** The file behind the table of logins. */
export class AuthFile {
  readonly #path: string;
  readonly #form: LoginForm;
  readonly #logins: Logins;
  readonly #log: Log;
  #reloaded: Promise<void> = Promise.resolve();

  constructor(path: string, form: LoginForm, logins: Logins, log: Log) {
    this.#path = path;
    this.#form = form;
    this.#logins = logins;
    this.#log = log;
  }

  /**
   * Fills the table for the first time.
   *
   * @throws {SettingsError} When the file cannot be used.
   */
  async load(): Promise<void> {
    const problem = await this.#read();
    if (problem !== undefined) throw new SettingsError(problem, ExitCode.FAILURE);
  }

  /**
   * Reads the file again. All threads see its logins at once; connections that have logged in stay
   * logged in. A file that cannot be used changes nothing, and the log says why.
   *
   * Calls run one after the other, so that the table has the file's last state.
   */
  reload(): Promise<void> {
    this.#reloaded = this.#reloaded.then(async () => {
      const problem = await this.#read();
      if (problem !== undefined) this.#log.warn(`${problem}; the logins stay as they were`);
    });
    return this.#reloaded;
  }

  /** @returns Why the file cannot be used; undefined when the table has its logins. */
  async #read(): Promise<string | undefined> {
    const file = await readAuthFile(this.#path, this.#form);
    if ("problem" in file) return file.problem;
    this.#logins.replace(file.logins);
    this.#log.info(`read ${file.logins.length} logins from ${this.#path}`);
    if (file.ignored > 0) {
      const which = this.#form === "text"
        ? `only the first ${AUTH_LINES_MAX} lines are used`
        : `${file.ignored} lines are no logins, or more than ${LOGINS_MAX}`;
      this.#log.warn(`Authfile [${this.#path}]: ${which}`);
    }
    return undefined;
  }
}
