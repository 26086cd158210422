// Goal: `conn_yields` counts what memcached counts, on a connection that is there already.
// Method: one worker, so that a turn is over when another connection is answered; batches of
// commands of one kind, all of whose replies are awaited before `stats` is asked.

import { assertEquals } from "@std/assert";
import { dial, hear, readStats, say, testBoth } from "../support/talk.ts";
import type { Link } from "../conformance/link.ts";

/** Commands whose replies memcached collects, each with one line of answer. */
const COMMANDS = [
  "set k 0 0 2\r\nab\r\n",
  "add k 0 0 2\r\nab\r\n",
  "replace k 0 0 2\r\nab\r\n",
  "append z 0 0 2\r\nab\r\n",
  "cas z 0 0 2 1\r\nab\r\n",
  "incr z 1\r\n",
  "delete z\r\n",
  "touch z 1\r\n",
  "ms k 2\r\nab\r\n",
  "mg z v\r\n",
  "md z\r\n",
  "ma z\r\n",
  "version\r\n",
  "verbosity 0\r\n",
  "nonsense\r\n",
] as const;

/** Commands in a batch. */
const BATCHES = [1, 2, 3, 4, 10, 19, 20, 21, 41] as const;

/** `-R`, and the yields of each batch. Measured with 1.6.18. */
const YIELDS = [
  [1, [1, 1, 2, 3, 9, 18, 19, 20, 40]],
  [3, [0, 0, 1, 1, 3, 6, 6, 7, 13]],
  [20, [0, 0, 0, 0, 0, 0, 1, 1, 2]],
] as const;

async function yieldsOf(asker: Link): Promise<number> {
  return Number((await readStats(asker)).get("conn_yields"));
}

for (const [reqsPerEvent, expected] of YIELDS) {
  testBoth(`conn_yields at -R ${reqsPerEvent}`, async (start) => {
    await using server = await start(["-t", "1", "-R", String(reqsPerEvent)]);
    using asker = await dial(server.address);
    using client = await dial(server.address);
    for (const link of [asker, client]) {
      await say(link, "mn\r\n");
      await hear(link);
    }
    await yieldsOf(asker);
    const before = await yieldsOf(asker);
    const own = await yieldsOf(asker) - before;
    for (const command of COMMANDS) {
      const counted: number[] = [];
      for (const count of BATCHES) {
        const from = await yieldsOf(asker);
        await say(client, command.repeat(count));
        for (let reply = 0; reply < count; reply++) await hear(client);
        counted.push(await yieldsOf(asker) - from - own);
      }
      assertEquals(counted, [...expected], command);
    }
  });
}
