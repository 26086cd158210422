// Reads from TLS messages the name of the key that a session ticket was made with.
//
//   record     [ type 1 ][ version 2 ][ length 2 ][ message … ]
//   message    [ type 1 ][ length 3 ][ body … ]
//   ticket     [ name of the key 16 ][ … ]
//
// Source: RFC 5246 7.4, RFC 5077 3.3 and 4, RFC 8446 4.2.11. The form of a ticket is rustls's: it
// takes the one that RFC 5077 recommends.

/** Bytes of the name of a key. */
export const TICKET_NAME_BYTES = 16;

/** What {@linkcode ticketNameAt} finds besides a position. */
export const Hello = {
  /** The message is not complete yet. */
  PART: -1,
  /** The message has no ticket, or is no ClientHello. */
  NO_TICKET: -2,
} as const;

const RECORD_BYTES = 5;
const MESSAGE_BYTES = 4;
const VERSION_AND_RANDOM_BYTES = 34;
const RecordType = { CHANGE_CIPHER_SPEC: 20, HANDSHAKE: 22 } as const;
const MessageType = { CLIENT_HELLO: 1, NEW_SESSION_TICKET: 4 } as const;
const Extension = { SESSION_TICKET: 35, PRE_SHARED_KEY: 41 } as const;
/** In front of the first identity of an offered key: the length of all, and its own. */
const IDENTITY_AT = 4;
/** In front of a ticket in its message: how long it lasts, and its length. */
const TICKET_AT = 6;

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/**
 * Where in the first `count` of `bytes`, what a client has sent first, the name of the key of its
 * ticket is; one of {@linkcode Hello} when there is none.
 */
export function ticketNameAt(bytes: Uint8Array, count: number): number {
  if (count > 0 && bytes[0] !== RecordType.HANDSHAKE) return Hello.NO_TICKET;
  if (count < RECORD_BYTES) return Hello.PART;
  const to = RECORD_BYTES + u16(bytes, 3);
  if (to > bytes.length) return Hello.NO_TICKET;
  if (count < to) return Hello.PART;
  if (bytes[RECORD_BYTES] !== MessageType.CLIENT_HELLO) return Hello.NO_TICKET;
  let at = RECORD_BYTES + MESSAGE_BYTES + VERSION_AND_RANDOM_BYTES;
  at += 1 + bytes[at]!; // The session's number.
  at += 2 + u16(bytes, at); // Ciphers.
  at += 1 + bytes[at]!; // Compressions.
  at += 2; // The length of all extensions.
  while (at + 4 <= to) {
    const type = u16(bytes, at);
    const length = u16(bytes, at + 2);
    at += 4;
    const isOffer = type === Extension.PRE_SHARED_KEY;
    if (isOffer || type === Extension.SESSION_TICKET) {
      const name = isOffer ? at + IDENTITY_AT : at;
      const end = name + TICKET_NAME_BYTES;
      if (end <= at + length && end <= to) return name;
    }
    at += length;
  }
  return Hello.NO_TICKET;
}

/** The name of the key of the ticket in what a server of TLS 1.2 has sent; undefined without. */
export function issuedTicketName(bytes: Uint8Array): Uint8Array | undefined {
  const messages: number[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length;) {
    if (bytes[at] === RecordType.CHANGE_CIPHER_SPEC) break; // What follows is encrypted.
    const to = at + RECORD_BYTES + u16(bytes, at + 3);
    messages.push(...bytes.subarray(at + RECORD_BYTES, to));
    at = to;
  }
  for (let at = 0; at + MESSAGE_BYTES <= messages.length;) {
    const length = messages[at + 1]! << 16 | messages[at + 2]! << 8 | messages[at + 3]!;
    const body = at + MESSAGE_BYTES;
    if (messages[at] === MessageType.NEW_SESSION_TICKET) {
      const name = messages.slice(body + TICKET_AT, body + TICKET_AT + TICKET_NAME_BYTES);
      return name.length === TICKET_NAME_BYTES ? Uint8Array.from(name) : undefined;
    }
    at = body + length;
  }
  return undefined;
}
