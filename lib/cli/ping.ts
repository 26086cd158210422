// `memden ping`: is a server alive? One line and exit code 0, or the reason and exit code 1.
//
// The question is `version`: every memcached has it since the first, and proxies answer it. Any
// line of the protocol counts, an error too: a server that demands a login is alive. A server that
// speaks the binary protocol alone closes a connection with text on it; ping then sends a VERSION
// packet, which needs no login either.
// deno-lint-ignore-file no-console -- One line is what the command is for.

import { ExitCode, SettingsError } from "../config/settings_error.ts";
import type { Given } from "./command_line/sub_command_line.ts";
import {
  ClosedError,
  inTime,
  LinkError,
  type LinkOptions,
  ServerLink,
} from "./link/server_link.ts";
import { linkOptions } from "./link/link_options.ts";
import { printable } from "./link/printable.ts";
import { labelOf } from "./link/server_address.ts";

/** What answers of the text protocol begin with. */
const ANSWER = /^(VERSION |ERROR$|ERROR |CLIENT_ERROR |SERVER_ERROR )/;

const HEADER_BYTES = 24;

/** As many bytes as a packet's header: with fewer, binary servers would wait for the rest. */
const QUESTION = "version\r\nversion\r\nquit\r\n";

/** A packet that asks for the version. Source: memcached protocol_binary.h, _CMD_VERSION. */
const VERSION_PACKET = Uint8Array.from({ length: HEADER_BYTES }, (_, at) => [0x80, 0x0b][at] ?? 0);
const MAGIC_OF_ANSWERS = 0x81;

/** How much of what is no answer is shown, in characters. */
const WRONG_CHARS_MAX = 40;

/** Runs `memden ping`. */
export async function runPing(given: Given): Promise<number> {
  const options = await linkOptions(given, given.number("timeout") * 1000);
  const label = printable(labelOf(options.address));
  const begin = performance.now();
  try {
    const answer = await inTime(ping(options), options.timeoutMs, "no answer");
    const ms = (performance.now() - begin).toFixed(1);
    console.log(`${label} is alive: ${answer} (${ms} ms)`);
    return ExitCode.OK;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    throw new SettingsError(`memden ping: ${label}: ${error.message}`, ExitCode.FAILURE);
  }
}

/**
 * Asks by one protocol, then by the other.
 *
 * @returns The server's answer.
 * @throws {LinkError} When there is none, or one of no memcached.
 */
async function ping(options: LinkOptions): Promise<string> {
  try {
    return await ask(options, askInText);
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    return await ask(options, askInBinary);
  }
}

async function ask(
  options: LinkOptions,
  question: (link: ServerLink) => Promise<string>,
): Promise<string> {
  const link = await ServerLink.open(options);
  try {
    return await question(link);
  } finally {
    link.close();
  }
}

async function askInText(link: ServerLink): Promise<string> {
  const line = await link.ask(QUESTION);
  if (ANSWER.test(line)) return printable(line);
  throw new LinkError(`no memcached: it says "${printable(line, WRONG_CHARS_MAX)}"`);
}

async function askInBinary(link: ServerLink): Promise<string> {
  await link.sendBytes(VERSION_PACKET);
  const header = await link.readBytes(HEADER_BYTES);
  if (header.charCodeAt(0) !== MAGIC_OF_ANSWERS) {
    throw new LinkError("no memcached: it answers no packet of the binary protocol");
  }
  const status = header.charCodeAt(6) << 8 | header.charCodeAt(7);
  return status === 0 ? "binary protocol" : `binary protocol, status ${status}`;
}
