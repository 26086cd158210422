// `memden ping`: is a server alive? One line and exit code 0, or the reason and exit code 1.
//
// The question is `version`: every memcached has it since the first, and proxies answer it. A line
// of the protocol is enough, an error too: who must log in first is told so by a server that lives.
// Servers that speak the binary protocol only close the connection over text, and are asked again
// by a packet, VERSION, which needs no login either.
// deno-lint-ignore-file no-console -- One line is what the command is for.

import { ExitCode, SettingsError } from "../config/settings_error.ts";
import type { Given } from "./command_line.ts";
import { ClosedError, inTime, Link, LinkError, type LinkOptions } from "./link.ts";
import { linkOptions } from "./link_options.ts";
import { printable } from "./printable.ts";
import { labelOf } from "./server_address.ts";

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
  return await inTime(ping(options), options.timeoutMs, "no answer").then(
    (answer) => {
      const ms = (performance.now() - begin).toFixed(1);
      console.log(`${label} is alive: ${answer} (${ms} ms)`);
      return ExitCode.OK;
    },
    (error: unknown) => {
      if (!(error instanceof LinkError)) throw error;
      throw new SettingsError(`memden ping: ${label}: ${error.message}`, ExitCode.FAILURE);
    },
  );
}

/**
 * Asks by one protocol, then by the other.
 *
 * @returns The server's answer.
 * @throws {LinkError} When there is none, or one of no memcached.
 */
async function ping(options: LinkOptions): Promise<string> {
  return await ask(options, askInText).then((answer) => answer, (error: unknown) => {
    if (!(error instanceof ClosedError)) throw error;
    return ask(options, askInBinary);
  });
}

async function ask(options: LinkOptions, how: (link: Link) => Promise<string>): Promise<string> {
  const link = await Link.open(options);
  return await how(link).finally(() => link.close());
}

async function askInText(link: Link): Promise<string> {
  const line = await link.ask(QUESTION);
  if (ANSWER.test(line)) return printable(line);
  throw new LinkError(`no memcached: it says "${printable(line, WRONG_CHARS_MAX)}"`);
}

async function askInBinary(link: Link): Promise<string> {
  await link.sendBytes(VERSION_PACKET);
  const header = await link.readBytes(HEADER_BYTES);
  if (header.charCodeAt(0) !== MAGIC_OF_ANSWERS) {
    throw new LinkError("no memcached: it answers no packet of the binary protocol");
  }
  const status = header.charCodeAt(6) << 8 | header.charCodeAt(7);
  return status === 0 ? "binary protocol" : `binary protocol, status ${status}`;
}
