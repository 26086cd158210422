// Receives what a step expects and says in words what was different.

import type { Link } from "./link.ts";
import type { Reply } from "./script.ts";
import { concat, hasUnknown, matchLine, render, type Scope, type Template } from "./template.ts";

const CRLF = new Uint8Array([0x0d, 0x0a]);
/** Bytes of a packet's header. */
const PACKET_BYTES_MIN = 24;
/** Bytes of a reply that a message quotes. */
const QUOTE_MAX = 300;

/** The reply was not the expected one; the message says how. */
export class Mismatch extends Error {
  override name = "Mismatch";
}

/** Receives all of `replies` in order. @throws {Mismatch} At the first that is not as expected. */
export async function receive(
  link: Link,
  replies: readonly Reply[],
  scope: Scope,
): Promise<void> {
  for (let i = 0; i < replies.length; i++) {
    const reply = replies[i]!;
    if (reply.kind === "packet") await receivePacket(link, reply, scope);
    else if (reply.kind === "skip packets") await skipToPacket(link, replies[++i]!, scope);
    else if (reply.kind === "skip") {
      await skipTo(link, replies[++i]!, scope);
    } else if (reply.kind === "raw") {
      await receiveBytes(link, render(reply.template, scope));
    } else if (reply.kind === "line" && !hasUnknown(reply.template, scope)) {
      await receiveBytes(link, withCrlf(reply.template, scope));
    } else {
      await receiveLine(link, reply, scope);
    }
  }
}

/**
 * Waits for the server to close the connection.
 *
 * @throws {Mismatch} When it stays open, or when something is received first.
 */
export async function receiveClose(link: Link): Promise<void> {
  const more = link.pending.length > 0 || await link.more();
  if (more) throw new Mismatch(`expected the connection to close, got ${quote(link.pending)}`);
  if (link.ended === "silent") {
    throw new Mismatch("expected the connection to close: it stays open");
  }
}

/** Bytes as a script would write them, cut short when long. */
export function quote(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, QUOTE_MAX)) {
    if (byte === 0x0d) text += "\\r";
    else if (byte === 0x0a) text += "\\n";
    else if (byte === 0x5c) text += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return bytes.length > QUOTE_MAX ? `"${text}" and ${bytes.length - QUOTE_MAX} more` : `"${text}"`;
}

async function receiveBytes(link: Link, expected: Uint8Array): Promise<void> {
  let equal = 0;
  while (true) {
    const { pending } = link;
    const to = Math.min(pending.length, expected.length);
    while (equal < to && pending[equal] === expected[equal]) equal++;
    if (equal === expected.length) break;
    if (equal < to) throw await different(link, quote(expected));
    if (await link.more()) continue;
    // A reset throws away what was sent before it: only what came can be judged.
    if (link.ended === "reset") {
      link.take(pending.length);
      return;
    }
    throw await different(link, quote(expected));
  }
  link.take(expected.length);
}

type PacketReply = Extract<Reply, { kind: "packet" }>;

async function receivePacket(link: Link, reply: PacketReply, scope: Scope): Promise<void> {
  const packet = await nextPacket(link);
  if (packet === undefined) {
    // A reset throws away what was sent before it.
    if (link.ended === "reset") return link.take(link.pending.length);
    throw await different(link, reply.text);
  }
  if (!matchLine(packet, reply.template, scope)) {
    throw new Mismatch(`expected ${reply.text}, got ${quote(packet)}`);
  }
}

async function skipToPacket(link: Link, reply: Reply, scope: Scope): Promise<void> {
  if (reply.kind !== "packet") throw new Mismatch("a packet must follow <b...");
  while (true) {
    const packet = await nextPacket(link);
    if (packet === undefined) throw await different(link, reply.text);
    if (matchLine(packet, reply.template, scope)) return;
  }
}

/** The next packet, taken; undefined when the connection ended first. */
async function nextPacket(link: Link): Promise<Uint8Array | undefined> {
  while (link.pending.length < PACKET_BYTES_MIN || link.pending.length < packetBytes(link)) {
    if (!(await link.more())) return undefined;
  }
  const packet = link.pending.slice(0, packetBytes(link));
  link.take(packet.length);
  return packet;
}

/** Length of the packet that is pending, of which the header is there. */
function packetBytes({ pending }: Link): number {
  return PACKET_BYTES_MIN + new DataView(pending.buffer, pending.byteOffset).getUint32(8);
}

async function receiveLine(link: Link, reply: Reply, scope: Scope): Promise<void> {
  const line = await link.line();
  if (line === undefined) throw await different(link, describe(reply, scope));
  if (!matches(line, reply, scope)) {
    throw new Mismatch(`expected ${describe(reply, scope)}, got ${quote(line)}`);
  }
}

async function skipTo(link: Link, reply: Reply, scope: Scope): Promise<void> {
  while (true) {
    const line = await link.line();
    if (line === undefined) throw await different(link, describe(reply, scope));
    if (matches(line, reply, scope)) return;
    if (isEnd(line)) throw new Mismatch(`expected ${describe(reply, scope)} before END`);
  }
}

/** Whether `line` is the END of a list: nothing that a skip could find comes after it. */
function isEnd(line: Uint8Array): boolean {
  return new TextDecoder().decode(line) === "END\r\n";
}

function matches(line: Uint8Array, reply: Reply, scope: Scope): boolean {
  if (reply.kind === "pattern") {
    const source = reply.source.replace(/\$([a-z][a-z0-9]*)/g, `${scope.prefix}$1`);
    const whole = new RegExp(`^(?:${source})${reply.end}$`);
    return whole.test(new TextDecoder("latin1").decode(line));
  }
  return (reply.kind === "line" || reply.kind === "raw") && line.at(-2) === CRLF[0] &&
    matchLine(line.subarray(0, line.length - CRLF.length), reply.template, scope);
}

function withCrlf(template: Template, scope: Scope): Uint8Array {
  return concat([render(template, scope), CRLF]);
}

function describe(reply: Reply, scope: Scope): string {
  if (reply.kind === "pattern") return `a line like /${reply.source}/`;
  if (reply.kind === "skip" || reply.kind === "skip packets") return "anything";
  if (reply.kind === "packet") return reply.text;
  if (hasUnknown(reply.template, scope)) return "a line with a number not yet known";
  return `the line ${quote(render(reply.template, scope))}`;
}

/** The mismatch of what is pending, to the end of its line, with what was `expected`. */
async function different(link: Link, expected: string): Promise<Mismatch> {
  while (!link.pending.includes(0x0a) && link.pending.length < QUOTE_MAX && await link.more());
  const got = link.pending.length > 0 ? quote(link.pending) : "nothing";
  return new Mismatch(`expected ${expected}, got ${got}${ended(link)}`);
}

function ended(link: Link): string {
  if (link.ended === undefined) return "";
  return link.ended === "silent" ? ", then silence" : `, then the connection was ${link.ended}`;
}
