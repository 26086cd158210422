// Goal: the name of a ticket's key is found where a client puts it, and nothing else is; whatever
// comes, however cut, is only looked at.
// Method: messages made by hand, whole, cut, and spoilt.

import { assertEquals } from "@std/assert";
import { Prng } from "../../base/prng.ts";
import { Hello, issuedTicketName, ticketNameAt } from "./tls_messages.ts";

const NAME = Uint8Array.from({ length: 16 }, (_, at) => 0xa0 + at);

function u16(number: number): number[] {
  return [number >> 8, number & 255];
}

function extension(type: number, data: readonly number[]): number[] {
  return [...u16(type), ...u16(data.length), ...data];
}

/** A ClientHello in its record. */
function hello(...extensions: readonly (readonly number[])[]): Uint8Array {
  const all = extensions.flat();
  const random = new Array<number>(32).fill(9);
  const sessionId = [32, ...random];
  const head = [3, 3, ...random, ...sessionId, ...u16(4), 0x13, 1, 0x13, 2, 1, 0];
  const body = [...head, ...u16(all.length), ...all];
  const message = [1, 0, ...u16(body.length), ...body];
  return Uint8Array.from([22, 3, 1, ...u16(message.length), ...message]);
}

const TICKET = [...NAME, ...new Array<number>(100).fill(7)];
const OTHER = extension(0, [0, 12, 0, 0, 9, ...new Array<number>(9).fill(120)]);
const identities = [...u16(TICKET.length), ...TICKET, 1, 2, 3, 4];
const OFFER = extension(41, [...u16(identities.length), ...identities, 0, 33, 32]);

const HELLOS: readonly (readonly [what: string, bytes: Uint8Array, isFound: boolean])[] = [
  ["a ticket of TLS 1.2", hello(OTHER, extension(35, TICKET)), true],
  ["a ticket of TLS 1.2 in front", hello(extension(35, TICKET), OTHER), true],
  ["a ticket of TLS 1.3", hello(OTHER, extension(35, []), OFFER), true],
  ["an empty ticket", hello(OTHER, extension(35, [])), false],
  ["a ticket that is too short", hello(extension(35, TICKET.slice(0, 15)), OTHER), false],
  ["no ticket", hello(OTHER), false],
  ["no extensions", hello(), false],
];

for (const [what, bytes, isFound] of HELLOS) {
  Deno.test(`ticketNameAt() of ${what}, cut anywhere`, () => {
    const room = new Uint8Array(4096).fill(255);
    room.set(bytes);
    for (let count = 0; count < bytes.length; count++) {
      assertEquals(ticketNameAt(room, count), Hello.PART);
    }
    const at = ticketNameAt(room, bytes.length + 3);
    if (isFound) assertEquals(room.slice(at, at + 16), NAME);
    else assertEquals(at, Hello.NO_TICKET);
  });
}

Deno.test("ticketNameAt() finds nothing in what is no ClientHello", () => {
  for (const text of ["get k\r\n", "\x80\x0a", "\x15\x03\x01\0\x02\x02\x28"]) {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    assertEquals(ticketNameAt(bytes, bytes.length), Hello.NO_TICKET);
  }
  const server = hello(OTHER);
  server[5] = 2;
  assertEquals(ticketNameAt(server, server.length), Hello.NO_TICKET);
  // Longer than anybody looks at: it is not waited for.
  const long = new Uint8Array(100);
  long.set([22, 3, 1, 0x40, 0]);
  assertEquals(ticketNameAt(long, 100), Hello.NO_TICKET);
});

Deno.test("ticketNameAt() and issuedTicketName() only look, whatever comes", () => {
  const seed = 350_041;
  const prng = new Prng(seed);
  for (let round = 0; round < 5000; round++) {
    const bytes = hello(OTHER, prng.pick([extension(35, TICKET), OFFER]));
    for (let times = prng.below(6); times > 0; times--) {
      bytes[prng.below(bytes.length)] = prng.below(256);
    }
    const at = ticketNameAt(bytes, bytes.length);
    assertEquals(at >= Hello.NO_TICKET && at + 16 <= bytes.length, true, `seed ${seed}`);
    issuedTicketName(bytes);
  }
});

Deno.test("issuedTicketName() reads a ticket that is not encrypted", () => {
  const ticket = [0, 0, 28, 32, ...u16(TICKET.length), ...TICKET];
  const message = [4, 0, ...u16(ticket.length), ...ticket];
  const first = [2, 0, 0, 3, 1, 2, 3];
  const record = (bytes: number[]) => [22, 3, 3, ...u16(bytes.length), ...bytes];
  const changed = [20, 3, 3, 0, 1, 1];
  const flights: readonly (readonly [bytes: number[], found: Uint8Array | undefined])[] = [
    [record([...first, ...message]), NAME],
    [[...record(first), ...record(message), ...changed], NAME],
    [[...changed, ...record(message)], undefined],
    [record(first), undefined],
    [record(message).slice(0, 20), undefined],
  ];
  for (const [bytes, found] of flights) {
    assertEquals(issuedTicketName(Uint8Array.from(bytes)), found);
  }
});
