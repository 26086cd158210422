// A little load on a server: gets and sets of a few clients, one key asked for more than others.

import { type Address, connectTo } from "../support/address.ts";

const CLIENTS = 3;
const ROUND_MS = 10;
/** With the others of a round fewer commands than -R allows in one turn: more are not timed. */
const GETS = 14;

/** The key that every round asks for most. */
export const HOT_KEY = "<b>hot</b>:key";

/** Load until it is stopped. */
export interface Load {
  stop(): Promise<void>;
}

/** Starts it. */
export function startLoad(address: Address): Load {
  const ending = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, at) => play(address, at, ending.signal));
  return {
    stop: async () => {
      ending.abort();
      await Promise.all(clients);
    },
  };
}

async function play(address: Address, number: number, ending: AbortSignal): Promise<void> {
  const conn = await connectTo(address);
  const drained = drain(conn);
  for (let round = 0; !ending.aborted; round++) {
    const key = `${number}:${round % 500}`;
    const value = "x".repeat(20 + 37 * (round % 60));
    const set = `set item:${key} 0 0 ${value.length}\r\n${value}\r\nget item:${key} none\r\n`;
    const sets = `${set}set ${HOT_KEY} 0 0 1\r\n1\r\ntouch ${HOT_KEY} 0\r\n`;
    const sent = conn.write(
      new TextEncoder().encode(`${sets}${`get ${HOT_KEY}\r\n`.repeat(GETS)}`),
    );
    if (!await sent.then(() => true, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
  conn.close();
  await drained;
}

/** Reads what comes until the end. */
async function drain(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(65_536);
  while (await conn.read(bytes).then((count) => count !== null, () => false));
}
