// Many clients that want one hot key at the same time: exactly one is told to fill it.
//
//   vivify    the key is missing: one gets W, all others Z
//   stale     the item is marked stale: one gets X W, the others Z X, all with the old value
//   recache   less time is left than the clients ask for: one gets W, the others Z
//
// Each is one period: all clients send at once, the replies are counted, the winner fills the key,
// and all clients ask again and must see the new value without marks.
//
//   --clients N     how many (200)
//   --periods N     of each kind (10)
//   --against NAME  memden (default) or memcached
//
// The last line is "N passed, N failed".
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { startMemcached, startMemden } from "../support/server.ts";

const FLAGS = {
  clients: { type: "string", default: "200" },
  periods: { type: "string", default: "10" },
  against: { type: "string", default: "memden" },
} as const;
const ARGS = ["-t", "4"];
const READ_BYTES = 4096;

/** A kind of period: how the key is brought into its state, what all send, and what they get. */
interface Kind {
  readonly name: string;
  /** Requests of one line or line and value, and the reply to each. */
  readonly prepare: (old: string) => readonly (readonly [request: string, reply: string])[];
  readonly request: string;
  /** The reply of the winner and that of the others. */
  readonly replies: (old: string) => readonly [winner: string, other: string];
}

const KINDS: readonly Kind[] = [
  {
    name: "vivify",
    prepare: (old) => [[set(old, ""), "HD"], ["md hot", "HD"]],
    request: "mg hot v N30",
    replies: () => ["VA 0 W\r\n", "VA 0 Z\r\n"],
  },
  {
    name: "stale",
    prepare: (old) => [[set(old, ""), "HD"], ["md hot I T30", "HD"]],
    request: "mg hot v",
    replies: (old) => [`VA ${old.length} X W\r\n${old}`, `VA ${old.length} Z X\r\n${old}`],
  },
  {
    name: "recache",
    prepare: (old) => [[set(old, "T20"), "HD"]],
    request: "mg hot v R60",
    replies: (old) => [`VA ${old.length} W\r\n${old}`, `VA ${old.length} Z\r\n${old}`],
  },
];

function set(value: string, flags: string): string {
  return `ms hot ${value.length} ${flags}\r\n${value}`;
}

/** One conn that sends a request and waits for the reply. */
class Client {
  readonly #conn: Deno.Conn;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open(port: number): Promise<Client> {
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** The reply to `request`, without its last CRLF: an `mn` behind the request shows its end. */
  async ask(request: string): Promise<string> {
    const bytes = this.#encoder.encode(`${request}\r\nmn\r\n`);
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    const buffer = new Uint8Array(READ_BYTES);
    let reply = "";
    while (!reply.endsWith("MN\r\n")) {
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error(`closed after "${reply}"`);
      reply += this.#decoder.decode(buffer.subarray(0, count));
    }
    return reply.slice(0, -"\r\nMN\r\n".length);
  }

  close(): void {
    this.#conn.close();
  }
}

/** How often each text is in `texts`, for a message. */
function tally(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${count}× ${JSON.stringify(text)}`).join(", ");
}

/** Plays one period; returns what was wrong, if anything. */
async function play(
  kind: Kind,
  clients: readonly Client[],
  period: number,
): Promise<string | undefined> {
  const old = `old value ${period}`;
  const fresh = `fresh value ${period} of ${kind.name}`;
  for (const [request, expected] of kind.prepare(old)) {
    const reply = await clients[0]!.ask(request);
    if (reply !== expected) return `${JSON.stringify(request)} got ${JSON.stringify(reply)}`;
  }

  const replies = await Promise.all(clients.map((client) => client.ask(kind.request)));
  const [won, lost] = kind.replies(old);
  const winners = clients.filter((_, at) => replies[at] === won);
  const others = replies.filter((reply) => reply === lost);
  if (winners.length !== 1 || others.length !== clients.length - 1) return tally(replies);

  // Until the winner has filled it, the key stays the winner's.
  const late = await Promise.all(clients.map((client) => client.ask(kind.request)));
  if (late.some((reply) => reply !== lost)) return `before the fill: ${tally(late)}`;

  const filled = await winners[0]!.ask(set(fresh, "T1000"));
  if (filled !== "HD") return `the winner's ms got ${JSON.stringify(filled)}`;
  const after = await Promise.all(clients.map((client) => client.ask(kind.request)));
  const right = `VA ${fresh.length}\r\n${fresh}`;
  if (after.some((reply) => reply !== right)) return `after the fill: ${tally(after)}`;
  return undefined;
}

async function main(): Promise<number> {
  const { values: options } = parseArgs({ options: FLAGS });
  const start = options.against === "memcached" ? startMemcached : startMemden;
  await using server = await start(ARGS);
  const clients = await Promise.all(
    Array.from({ length: Number(options.clients) }, () => Client.open(server.port)),
  );
  let [passed, failed] = [0, 0];
  for (const kind of KINDS) {
    for (let period = 1; period <= Number(options.periods); period++) {
      const wrong = await play(kind, clients, period);
      if (wrong === undefined) passed++;
      else {
        failed++;
        console.log(`${kind.name}, period ${period}: ${wrong}`);
      }
    }
  }
  for (const client of clients) client.close();
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
