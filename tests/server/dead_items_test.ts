// Goal: what a command counts that meets an expired or flushed item is what memcached counts.
// Method: -o no_modern, where nobody reclaims meanwhile: a value whose class has the dead item at
// the tail of its list reclaims it before it is looked up; every other command finds it.

import { assertEquals } from "@std/assert";
import { Op, packets, type Parts } from "../support/packets.ts";
import { dial, hear, readStats, say, testBoth } from "../support/talk.ts";
import type { Link } from "../conformance/link.ts";
import type { Address } from "../support/address.ts";

/** Commands that allocate an item of the dead one's class. `K` stands for its key. */
const ALLOCATES = [
  "set K 0 0 2\r\nab",
  "add K 0 0 2\r\nab",
  "replace K 0 0 2\r\nab",
  "append K 0 0 2\r\nab",
  "prepend K 0 0 2\r\nab",
  "cas K 0 0 2 1\r\nab",
  "ms K 2\r\nab",
  "ms K 2 ME\r\nab",
  "ms K 2 MR\r\nab",
  "ms K 2 MA\r\nab",
  "ms K 2 MP\r\nab",
  "set J 0 0 2\r\nab",
] as const;

/** Commands that find it dead. The first allocates of another class. */
const FINDS = [
  `set K 0 0 300\r\n${"x".repeat(300)}`,
  "get K",
  "gets K",
  "gat 0 K",
  "gats 0 K",
  "incr K 1",
  "decr K 1",
  "delete K",
  "touch K 0",
  "mg K v",
  "mg K v N30",
  "md K",
  "ma K",
  "ma K N0 J13",
  "me K",
] as const;

/** The same for packets. */
const PACKETS: readonly (readonly [parts: Omit<Parts, "key">, allocates: boolean])[] = [
  [{ op: Op.SET, extras: "\0".repeat(8), value: "ab" }, true],
  [{ op: Op.ADD, extras: "\0".repeat(8), value: "ab" }, true],
  [{ op: Op.REPLACE, extras: "\0".repeat(8), value: "ab" }, true],
  [{ op: Op.APPEND, value: "ab" }, true],
  [{ op: Op.PREPEND, value: "ab" }, true],
  [{ op: Op.GET }, false],
  [{ op: Op.GETK }, false],
  [{ op: Op.DELETE }, false],
  [{ op: Op.TOUCH, extras: "\0".repeat(4) }, false],
  [{ op: Op.GAT, extras: "\0".repeat(4) }, false],
  [{ op: Op.INCREMENT, extras: "\0".repeat(20) }, false],
  [{ op: Op.DECREMENT, extras: "\0".repeat(20) }, false],
];

const RECLAIMED_UNFETCHED = { "reclaimed": 1, "expired_unfetched": 1 };
const COUNTED = ["reclaimed", "expired_unfetched", "get_flushed", "get_expired"] as const;

async function counters(link: Link): Promise<number[]> {
  const stats = await readStats(link);
  return COUNTED.map((name) => Number(stats.get(name)));
}

/** Sends `text` and hears all that is answered. */
async function run(link: Link, text: string): Promise<void> {
  await say(link, `${text}\r\nmn\r\n`);
  while (await hear(link) !== "MN");
}

/** Sends a packet on a connection of its own, and waits until it is answered. */
async function runPacket(address: Address, parts: Parts): Promise<void> {
  using link = await dial(address);
  await link.send(packets(parts, { op: Op.QUIT }));
  while (await link.more());
}

/** How an item dies: what is sent for that, whether it counts as a read, and the counter. */
const DEATHS = [
  ["flush_all", false, "get_flushed"],
  ["touch K -1", true, "get_expired"],
] as const;

/** Gives the counters' moves a name for each that moved. */
function named(moves: readonly number[]): Record<string, number> {
  return Object.fromEntries(COUNTED.map((name, at) => [name, moves[at]!]).filter(([, by]) => by));
}

testBoth("commands count the dead item they meet", async (start) => {
  await using server = await start(["-t", "1", "-o", "no_modern"]);
  using link = await dial(server.address);
  let number = 0;
  for (const [death, reads, found] of DEATHS) {
    for (const isFetched of [false, true]) {
      const meet = async (
        what: string,
        allocates: boolean,
        act: (key: string) => Promise<void>,
      ) => {
        const key = `key${++number}`;
        await run(link, `set ${key} 0 0 2\r\n10${isFetched ? `\r\nget ${key}` : ""}`);
        await run(link, death.replace("K", key));
        const before = await counters(link);
        await act(key);
        const moves = (await counters(link)).map((count, at) => count - before[at]!);
        const reclaimed = isFetched || reads ? { reclaimed: 1 } : RECLAIMED_UNFETCHED;
        assertEquals(named(moves), allocates ? reclaimed : { [found]: 1 }, `${what}, ${death}`);
        await run(link, `delete ${key}\r\ndelete J`);
      };
      const talk = (command: string) => (key: string) => run(link, command.replace("K", key));
      for (const command of ALLOCATES) await meet(command, true, talk(command));
      for (const command of FINDS) await meet(command, false, talk(command));
      for (const [parts, allocates] of PACKETS) {
        await meet(`packet ${parts.op}`, allocates, (key) => {
          return runPacket(server.address, { ...parts, key });
        });
      }
    }
  }
});
