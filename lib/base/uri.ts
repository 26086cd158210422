// Keys in lines that are split at spaces: percent-encoded, as in a URI.

/** What a key may hold unchanged. Source: RFC 3986, "unreserved". */
const RESERVED = /[^A-Za-z0-9\-._~]/g;

/** A key, one character per byte, as memcached's dumps and log lines show it. */
export function encodeUri(key: string): string {
  return key.replace(RESERVED, percentCode);
}

/** A byte, as a character, in the form `%XX`. */
export function percentCode(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
