// The page's files, and events of statistics that are made up: for looking at the page with data
// that no test can wait for. The events of ten minutes come at once.
//
//   deno run -A tests/page/fake_server.ts [PORT]
// deno-lint-ignore-file no-console

import { ASSETS, PAGE_HEADERS } from "../../lib/admin/assets.ts";
import { FakeStats } from "./fake_stats.ts";

const SECOND_MS = 1000;
const HISTORY_SECONDS = 600;

/** A server to look at. */
export interface FakeServer {
  readonly url: string;
  /** Says that statistics cannot be read, and sends none from then on. */
  complain(message: string): void;
  stop(): Promise<void>;
}

type Client = ReadableStreamDefaultController<Uint8Array>;

/** What becomes of one stream. */
interface Stream {
  readonly client: Client;
  readonly timer: ReturnType<typeof setInterval>;
}

/**
 * Starts it on 127.0.0.1.
 *
 * @param port 0 for one that is free.
 * @param hottest A key to show on top; none for the usual one.
 */
export function startFakeServer(port = 0, hottest?: string): FakeServer {
  const streams = new Set<Stream>();
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/events") {
      const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
      return new Response(openStream(streams, hottest), { headers });
    }
    const asset = ASSETS.get(pathname);
    if (asset === undefined) return new Response("not found\n", { status: 404 });
    return new Response(asset.text, {
      headers: { ...PAGE_HEADERS, "content-type": asset.type },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    complain: (message) => {
      const event = `event: problem\ndata: ${JSON.stringify({ message })}\n\n`;
      for (const { client, timer } of streams) {
        clearInterval(timer);
        client.enqueue(new TextEncoder().encode(event));
      }
    },
    stop: async () => {
      for (const { client, timer } of streams) {
        clearInterval(timer);
        client.close();
      }
      await server.shutdown();
    },
  };
}

/** Ten minutes at once, then a second each second. */
function openStream(streams: Set<Stream>, hottest?: string): ReadableStream<Uint8Array> {
  let stream: Stream | undefined;
  return new ReadableStream({
    start(client) {
      stream = { client, timer: play(client, hottest) };
      streams.add(stream);
    },
    cancel: () => {
      clearInterval(stream?.timer);
      if (stream !== undefined) streams.delete(stream);
    },
  });
}

/** @returns The timer of what is still to come. */
function play(client: Client, hottest?: string): ReturnType<typeof setInterval> {
  const stats = new FakeStats(hottest);
  const encoder = new TextEncoder();
  let now = Date.now() - HISTORY_SECONDS * SECOND_MS;
  const tell = () => {
    const data = JSON.stringify(stats.next());
    client.enqueue(encoder.encode(`id: ${now}\nevent: stats\ndata: ${data}\n\n`));
    now += SECOND_MS;
  };
  for (let second = 0; second <= HISTORY_SECONDS; second++) tell();
  const line = { level: "warning", text: "-k: not allowed to lock memory; see ulimit -l", at: now };
  client.enqueue(encoder.encode(`event: log\ndata: ${JSON.stringify(line)}\n\n`));
  return setInterval(tell, SECOND_MS);
}

if (import.meta.main) console.log(startFakeServer(Number(Deno.args[0] ?? 0)).url);
