// One question to a server that may still be starting.

import { type Address, connectTo } from "../support/address.ts";

const TRIES_MAX = 500;
const PAUSE_MS = 20;

/** Sends `text` once there is a connection; returns the first answer, "" when there is none. */
export async function askWhenUp(address: Address, text: string): Promise<string> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const conn = await connectTo(address).catch(() => undefined);
    if (conn === undefined) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    await conn.write(new TextEncoder().encode(text));
    const bytes = new Uint8Array(16_384);
    const count = await conn.read(bytes) ?? 0;
    conn.close();
    return new TextDecoder().decode(bytes.subarray(0, count));
  }
  return "";
}
