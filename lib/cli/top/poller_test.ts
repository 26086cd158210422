// Goal: the poller makes do with what a server answers, and connects anew when it must.

import { assertEquals, assertRejects } from "@std/assert";
import { LinkError } from "../link/server_link.ts";
import { type Script, scriptedLink } from "../link/server_link_fixture.ts";
import { LoginError, Poller } from "./poller.ts";

const ROWS: Readonly<Record<string, string>> = {
  "stats": "STAT pid 7\r\nSTAT curr_connections 2\r\nEND\r\n",
  "stats settings": "STAT maxconns 5\r\nEND\r\n",
  "stats items": "STAT items:1:number 3\r\nEND\r\n",
  "stats slabs": "STAT 1:chunk_size 96\r\nEND\r\n",
  "stats conns": "STAT 20:state conn_read\r\nEND\r\n",
};

/** A poller, what its servers were asked, and how many links it has opened. */
function pollerOf(script: Script, login?: string) {
  const asked: string[] = [];
  let opened = 0;
  const open = () => {
    opened++;
    const link = scriptedLink((line) => {
      asked.push(line);
      return script(line);
    });
    return Promise.resolve(link);
  };
  return { poller: new Poller(open, login), asked, opened: () => opened };
}

Deno.test("Poller asks for everything, for settings only once", async () => {
  const { poller, asked, opened } = pollerOf((line) => ROWS[line] ?? "ERROR\r\n");
  await poller.poll();
  asked.length = 0;
  const sample = await poller.poll();
  assertEquals(asked, ["stats", "stats items", "stats slabs", "stats conns"]);
  assertEquals([sample.classes.length, sample.settings?.get("maxconns")], [1, "5"]);
  assertEquals([sample.connStates?.get("read"), opened()], [1, 1]);
});

Deno.test("Poller makes do with general stats", async () => {
  const { poller } = pollerOf((line) => line === "stats" ? ROWS["stats"] : "ERROR\r\n");
  const { classes, settings, connStates } = await poller.poll();
  assertEquals([classes, settings, connStates], [[], undefined, undefined]);
});

Deno.test("Poller asks for no list of very many connections", async () => {
  const { poller, asked } = pollerOf((line) =>
    line === "stats" ? "STAT curr_connections 5000\r\nEND\r\n" : ROWS[line]
  );
  await poller.poll();
  assertEquals(asked.includes("stats conns"), false);
});

Deno.test("Poller asks no second time for what is met with silence", async () => {
  const { poller, asked, opened } = pollerOf((line) =>
    line === "stats slabs" ? undefined : ROWS[line]
  );
  await assertRejects(() => poller.poll(), LinkError, "no answer");
  asked.length = 0;
  const { classes } = await poller.poll();
  assertEquals([asked.includes("stats slabs"), classes.length, opened()], [false, 1, 2]);
});

Deno.test("Poller connects anew after an error, and counts the bytes of all links", async () => {
  let isDown = false;
  const { poller, opened } = pollerOf((line) => isDown ? null : ROWS[line]);
  const first = await poller.poll();
  isDown = true;
  await assertRejects(() => poller.poll(), LinkError, "closed the connection");
  isDown = false;
  const second = await poller.poll();
  assertEquals(opened(), 2);
  assertEquals(second.own.sent > first.own.sent && second.own.received > 0, true);
});

Deno.test("Poller logs in on every link, and says when it must or may not", async () => {
  let password = "secret";
  const script: Script = (line) => {
    if (line.startsWith("set ")) return undefined;
    if (!line.startsWith("stats")) {
      return line === `user ${password}` ? "STORED\r\n" : "CLIENT_ERROR authentication failure\r\n";
    }
    return ROWS[line];
  };
  const { poller, asked } = pollerOf(script, "user secret");
  await poller.poll();
  assertEquals(asked.slice(0, 2), ["set login 0 0 11", "user secret"]);
  password = "changed";
  await assertRejects(() => pollerOf(script, "user secret").poller.poll(), LoginError, "refuses");
  const closed = pollerOf(() => "CLIENT_ERROR unauthenticated\r\n");
  await assertRejects(() => closed.poller.poll(), LoginError, "--auth-file");
});

Deno.test("Poller guesses why a server says nothing at all", async () => {
  await assertRejects(() => pollerOf(() => null).poller.poll(), LinkError, "binary protocol only");
  await assertRejects(() => pollerOf(() => "ERROR\r\n").poller.poll(), LinkError, '"ERROR"');
});
