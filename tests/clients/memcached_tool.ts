// memcached-tool, the Perl script that comes with memcached: statistics as tables, dumps.

import { run } from "./command.ts";
import { serverFromArgs, Tap } from "./tap.ts";

/** Where Debian and other distributions put it. */
const PLACES = ["/usr/share/memcached/scripts/memcached-tool", "/usr/bin/memcached-tool"];

const { host, port } = serverFromArgs();
const tap = new Tap();
const tool = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Sends commands on a conn of their own and waits until the server has closed it. */
async function send(commands: string): Promise<void> {
  using conn = await Deno.connect({ hostname: host, port });
  await conn.write(new TextEncoder().encode(`${commands}quit\r\n`));
  await new Response(conn.readable).text().catch(() => "");
}

async function outputOf(mode: string): Promise<string> {
  const { code, stdout, stderr } = await run("/usr/bin/perl", [
    tool ?? "",
    `${host}:${port}`,
    mode,
  ]);
  const complaints = stderr.replaceAll(/^(Dumping memcache .*|)\n/gm, "");
  tap.ok("exits with 0 and no complaint", code === 0 && complaints === "", stderr);
  return stdout;
}

/** The rows `<name> <value>` of an output, by name. */
function rowsOf(output: string): Map<string, string> {
  const rows = [...output.matchAll(/^\s*(\S+)\s+(\S.*?)\s*$/gm)];
  return new Map(rows.map(([, name = "", value = ""]) => [name, value]));
}

await tap.group("is installed", async () => {
  tap.ok("in a known place", tool !== undefined, PLACES.join(" or "));
  await send("set tool:a 0 0 5\r\nhello\r\nset tool:b 7 100 3\r\nabc\r\nget tool:a\r\n");
});

await tap.group("stats", async () => {
  const output = await outputOf("stats");
  const rows = rowsOf(output);
  tap.ok("has a heading", /^#\S+:\d+\s+Field\s+Value$/m.test(output), output.slice(0, 100));
  for (const name of ["pid", "uptime", "curr_items", "get_hits", "bytes", "limit_maxbytes"]) {
    tap.ok(name, /^\d+$/.test(rows.get(name) ?? ""), `${name} is ${rows.get(name)}`);
  }
  tap.ok("version", /^\d+\.\d+\.\d+/.test(rows.get("version") ?? ""), `${rows.get("version")}`);
  tap.ok("counts the items", Number(rows.get("curr_items")) >= 2, `${rows.get("curr_items")}`);
});

await tap.group("settings", async () => {
  const rows = rowsOf(await outputOf("settings"));
  tap.equal("tcpport", rows.get("tcpport"), String(port));
  tap.equal("item_size_max", rows.get("item_size_max"), String(1024 * 1024));
  tap.equal("growth_factor", rows.get("growth_factor"), "1.25");
  tap.ok("every setting has a value", rows.size > 40, `${rows.size} settings`);
});

await tap.group("display", async () => {
  const output = await outputOf("display");
  tap.ok("has a heading", /#\s+Item_Size\s+Max_age\s+Pages\s+Count/.test(output), output);
  const classes = [...output.matchAll(/^\s*\d+\s+[\d.]+[BK]\s+\d+s\s+(\d+)\s+(\d+)/gm)];
  tap.ok("has a class with a page", classes.some(([, pages]) => Number(pages) > 0), output);
  tap.ok("and with items", classes.some(([, , items]) => Number(items) > 0), output);
});

await tap.group("keys", async () => {
  const output = await outputOf("keys");
  tap.ok("a key that never expires", /^key=tool%3Aa exp=-1 .*size=\d+/m.test(output), output);
  tap.ok("a key that does", /^key=tool%3Ab exp=\d+ /m.test(output), output);
});

await tap.group("dump", async () => {
  const output = await outputOf("dump");
  tap.ok(
    "key, flags, expiry, length and value",
    /^add tool:b 7 \d+ 3\r?\nabc\r?$/m.test(output),
    output,
  );
  tap.ok("of every item", /^add tool:a 0 \d+ 5\r?\nhello\r?$/m.test(output), output);
});

await tap.group("sizes", async () => {
  const rows = rowsOf(await outputOf("sizes"));
  tap.equal("says that they are not counted", rows.get("sizes_status"), "disabled");
});

tap.end();
