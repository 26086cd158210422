// A server for tests of links, in memory: answers to lines, byte by byte if need be.

import { latin1 } from "../../base/ascii.ts";
import { ServerLink } from "./server_link.ts";

/** What is answered to a line; undefined for silence, null to close the connection. */
export type Script = (line: string) => string | undefined | null;

/**
 * A link to that server.
 *
 * @param chunkBytes How many bytes the client gets at a time.
 * @param timeoutMs As of a link.
 * @param pauseMs How long each of those chunks is in coming.
 */
export function scriptedLink(
  script: Script,
  chunkBytes = Infinity,
  timeoutMs = 50,
  pauseMs = 0,
): ServerLink {
  return new ServerLink(scriptedConn(script, chunkBytes, pauseMs), timeoutMs);
}

function scriptedConn(script: Script, chunkBytes: number, pauseMs: number): Deno.Conn {
  let asked = "";
  let answers = "";
  let isClosed = false;
  let wake = () => {};
  const conn = {
    write(bytes: Uint8Array): Promise<number> {
      asked += latin1(bytes);
      for (let end = asked.indexOf("\n"); end >= 0; end = asked.indexOf("\n")) {
        const answer = script(asked.slice(0, end).trimEnd());
        asked = asked.slice(end + 1);
        if (answer === null) isClosed = true;
        answers += answer ?? "";
      }
      wake();
      return Promise.resolve(bytes.length);
    },
    async read(chunk: Uint8Array): Promise<number | null> {
      if (answers === "" && !isClosed) await new Promise<void>((resolve) => wake = resolve);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (isClosed || answers === "") return null;
      const count = Math.min(chunk.length, chunkBytes, answers.length);
      for (let at = 0; at < count; at++) chunk[at] = answers.charCodeAt(at);
      answers = answers.slice(count);
      return count;
    },
    close(): void {
      isClosed = true;
      wake();
    },
  };
  // A link uses nothing else of a connection.
  return conn as unknown as Deno.Conn;
}
