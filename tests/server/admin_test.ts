// Goal: /metrics shows what the exporter would, /readyz tells when clients are not taken, and the
// clients of the cache notice nothing.
// Method: start memden with --admin by each transport, ask it over TCP and over HTTP.

import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import { exportedBy, type ScrapedStats } from "../support/exporter.ts";
import { type Exposed, nameOf, parseExposition } from "../support/exposition.ts";
import { freePort, startMemden, type TestServer } from "../support/server.ts";
import type { WorkerLoad } from "../../lib/stats/stats_view.ts";
import { ask, dial, hear, readStats, say, until } from "../support/talk.ts";
import type { Over } from "../support/ways.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const OPEN_METRICS = { headers: { accept: "application/openmetrics-text" } };
/** Series that only /metrics has. */
const OWN = [
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_start_time_seconds",
];

/** Series of the workers' own notes: not of memcached, and some come and go by themselves. */
const isOfMemden = (series: string): boolean => series.startsWith("memden_");

/** A server with its admin port. */
interface Started {
  readonly server: TestServer;
  readonly url: string;
}

async function start(args: readonly string[] = [], over: Over = "tcp"): Promise<Started> {
  const port = freePort();
  const server = await startMemden(["-t", "2", `--admin=${port}`, ...args], { over });
  const url = `http://127.0.0.1:${port}`;
  await until(
    "the admin server is there",
    () => statusOf(`${url}/healthz`).then((it) => it === 200),
  );
  return { server, url };
}

/** The status of an answer; 0 when there is none. */
function statusOf(url: string): Promise<number> {
  return fetch(url).then(async (response) => {
    await response.body?.cancel();
    return response.status;
  }, () => 0);
}

async function scrape(url: string, isOpenMetrics: boolean): Promise<Exposed> {
  const response = await fetch(`${url}/metrics`, isOpenMetrics ? OPEN_METRICS : {});
  assertEquals(response.status, 200);
  const type = isOpenMetrics ? /^application\/openmetrics-text/ : /^text\/plain; version=0.0.4/;
  assertMatch(response.headers.get("content-type") ?? "", type);
  return parseExposition(await response.text(), isOpenMetrics);
}

async function readAll(link: Link): Promise<ScrapedStats> {
  return {
    general: await readStats(link),
    settings: await readStats(link, "stats settings"),
    items: await readStats(link, "stats items"),
    slabs: await readStats(link, "stats slabs"),
  };
}

/** Something of everything that is counted. */
async function exercise(link: Link): Promise<void> {
  for (const size of [1, 300, 5000, 700_000]) {
    assertEquals(await ask(link, `set k${size} 0 0 ${size}\r\n${"x".repeat(size)}`), "STORED");
    assertEquals(await ask(link, `mg k${size}`), "HD");
  }
  assertEquals(await ask(link, `cas k1 0 0 1 99999\r\ny`), "EXISTS");
  assertEquals(await ask(link, `cas none 0 0 1 1\r\ny`), "NOT_FOUND");
  assertEquals(await ask(link, "set n 0 0 1\r\n5"), "STORED");
  for (const line of ["incr n 1", "decr n 2", "incr none 1", "touch n 0", "touch none 0"]) {
    await ask(link, line);
  }
  for (let count = 0; count < 9; count++) await ask(link, "mg app:hot");
  for (const line of ["delete n", "delete none", "mg none", "set big 0 0 99999999"]) {
    await ask(link, line);
  }
}

for (const over of ["tcp", "relay", "no-ffi"] as const) {
  Deno.test(`/metrics is what the exporter would say, over ${over}`, async () => {
    const { server, url } = await start([], over);
    await using _ = server;
    using link = await dial(server.address);
    await exercise(link);
    using asking = await dial(server.address);
    await until("the server is at rest", async () => {
      const text = async () => JSON.stringify([...await readStats(asking, "stats items")]);
      return await text() === await text();
    });
    const before = exportedBy(await readAll(asking));
    const classic = await scrape(url, false);
    const open = await scrape(url, true);
    const after = exportedBy(await readAll(asking));

    const shown = [classic, open].map(({ values }) =>
      [...values.keys()].filter((series) => !isOfMemden(series))
    );
    assertEquals(shown[0], shown[1], "the same in both formats");
    assertEquals(shown[0]?.toSorted(), [...before.keys(), ...OWN].toSorted());
    let still = 0;
    for (const [series, { type, value }] of before) {
      // What the questions themselves change lies in between.
      const later = after.get(series)?.value ?? NaN;
      const [low, high] = [Math.min(value, later), Math.max(value, later)];
      for (const { values } of [classic, open]) {
        const shown = values.get(series) ?? NaN;
        assert(low <= shown && shown <= high, `${series}: ${low} <= ${shown} <= ${high}`);
      }
      assertEquals(classic.types.get(nameOf(series)), type, series);
      if (low === high) still++;
    }
    assertGreater(still, 0.75 * before.size, "hardly anything changes at rest");
    assertEquals(open.values.get('memcached_commands_total{command="cas",status="badval"}'), 1);
  });
}

for (const over of ["tcp", "relay", "no-ffi"] as const) {
  Deno.test(`latencies, hot keys and loads are told of, over ${over}`, async () => {
    const { server, url } = await start(["--admin-keys"], over);
    await using _ = server;
    using link = await dial(server.address);
    await ask(link, "set user:hot 0 0 1\r\nx");
    const GETS = 300;
    for (let count = 0; count < GETS; count++) {
      await say(link, "get user:hot\r\n");
      assertEquals([await hear(link), await hear(link), await hear(link)], [
        "VALUE user:hot 0 1",
        "x",
        "END",
      ]);
    }
    await until("a second has begun, and the connection before has gone", async () => {
      assertEquals(await ask(link, "mg none"), "EN");
      const { workers }: { workers: readonly WorkerLoad[] } =
        await (await fetch(`${url}/api/stats`)).json();
      const conns = workers.reduce((sum, { connections }) => sum + connections, 0);
      return conns === 1 &&
        (over === "no-ffi" || workers.some(({ cpuSeconds }) => cpuSeconds !== 0));
    });
    const { values } = await scrape(url, true);
    const get = values.get('memden_command_duration_seconds_count{command="get"}') ?? 0;
    assert(get > GETS / 2 && get <= GETS, `${get} gets were timed`);
    assertGreater(values.get('memden_hot_key_rate{key="user:hot"}') ?? 0, 0);
    assertGreater(values.get('memden_hot_prefix_rate{prefix="user"}') ?? 0, 0);
    /** A counter of both workers together; NaN where it is not told. */
    const workers = (name: string): number =>
      ["1", "2"].reduce((sum, worker) => {
        return sum + (values.get(`memden_worker_${name}{worker="${worker}"}`) ?? NaN);
      }, 0);
    assertEquals(workers("connections"), 1);
    assertGreater(workers("commands_total"), GETS);
    assertGreater(workers("read_bytes_total"), GETS * 10);
    const cpu = workers("cpu_seconds_total");
    assert(over === "no-ffi" ? Number.isNaN(cpu) : cpu > 0, `${cpu} s of CPU time`);
  });
}

/** Options, and whether keys are shown with them. */
const SHOWS_KEYS: readonly (readonly [args: readonly string[], isShown: boolean])[] = [
  [["--admin-keys"], true],
  [[], false],
  [["-X", "--admin-keys"], false],
  [["-D", ":"], false],
  [["-vvv"], false],
];

for (const [args, isShown] of SHOWS_KEYS) {
  const words = `with ${args.join(" ") || "no other option"}`;
  Deno.test(`--admin shows ${isShown ? "" : "no "}keys and prefixes ${words}`, async () => {
    const { server, url } = await start(args);
    await using _ = server;
    using link = await dial(server.address);
    /** What the admin port says; all of it is read after the key was asked for. */
    const readAllShown = async (): Promise<string> => {
      for (let count = 0; count < 50; count++) {
        assertEquals(await ask(link, "mg kryptonite:7"), "EN");
      }
      assertEquals(await ask(link, "kryptonite:8"), "ERROR");
      return [
        await firstEvents(url),
        ...await Promise.all(["metrics", "api/stats"].map(async (path) => {
          return await (await fetch(`${url}/${path}`)).text();
        })),
      ].join("");
    };
    if (isShown) {
      await until("the key is shown", async () => {
        return /"kryptonite:7"[^]*"kryptonite"/.test(await readAllShown());
      });
    } else {
      assertEquals((await readAllShown()).match(/kryptonite.{0,20}/g), null);
      const { hot } = await (await fetch(`${url}/api/stats`)).json();
      assertEquals(hot, undefined);
    }
  });
}

/** What `/api/events` says until it has told of the statistics once. */
async function firstEvents(url: string): Promise<string> {
  const { body } = await fetch(`${url}/api/events`);
  let text = "";
  if (body === null) return text;
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (/event: stats\ndata: .*\n\n/.test(text)) break;
  }
  return text;
}

Deno.test("/readyz is 503 while the server does not accept", async () => {
  const { server, url } = await start(["-c", "2", "-o", "no_maxconns_fast"]);
  await using _ = server;
  await until("it is ready", async () => await statusOf(`${url}/readyz`) === 200);
  {
    using first = await dial(server.address);
    using _second = await dial(server.address);
    using _third = await dial(server.address);
    assertEquals(await ask(first, "mn"), "MN");
    await until("it is full", async () => await statusOf(`${url}/readyz`) === 503);
    assertEquals(await statusOf(`${url}/healthz`), 200);
    const stats = await (await fetch(`${url}/api/stats`)).json();
    assertEquals([stats.general.accepting_conns, stats.conns.listening], [0, 1]);
    assertGreater(stats.conns.open, 0);
  }
  await until("it is ready again", async () => await statusOf(`${url}/readyz`) === 200);
});

/** What Prometheus says of a target by itself. */
const OF_PROMETHEUS = ["up"];

for (const path of ["deploy/prometheus/alerts.yml", "deploy/grafana/memden.json"]) {
  Deno.test(`${path} names nothing that is not exported`, async () => {
    const { server, url } = await start(["--admin-keys"]);
    await using _ = server;
    using link = await dial(server.address);
    await exercise(link);
    const exported = new Set([...(await scrape(url, true)).values.keys()].map(nameOf));
    const used = queriesOf(path, await Deno.readTextFile(`${ROOT}${path}`)).flatMap(metricsIn);
    assertGreater(used.length, 5);
    const unknown = used.filter((name) => !exported.has(name) && !OF_PROMETHEUS.includes(name));
    assertEquals(unknown, []);
  });
}

/** The queries in a file of alerts or in a dashboard. */
function queriesOf(path: string, text: string): string[] {
  if (path.endsWith(".yml")) {
    return [...text.matchAll(/^ +expr: (?:\|\n((?: {10}.*\n)+)|(.+)\n)/gm)]
      .map(([, block, line]) => block ?? line ?? "");
  }
  const { panels } = JSON.parse(text) as { panels: { targets: { expr: string }[] }[] };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** Words of PromQL that stand where a metric could. */
const PROMQL = ["and", "or", "by"];

/** The metrics in a query: names that are neither labels nor functions. */
function metricsIn(query: string): string[] {
  const bare = query.replaceAll(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, " ");
  const names = [...bare.matchAll(/\b([a-z_]\w*)\b(?!\s*\()/g)].map(([, name = ""]) => name);
  return names.filter((name) => !PROMQL.includes(name));
}

Deno.test("--admin outlives a lack of descriptors", async () => {
  // As many as the server asks for with these options: what it may open is what is spare.
  const port = freePort();
  const args = ["-t", "1", "-c", "2", `--admin=${port}`];
  await using server = await startMemden(args, { launcher: ["prlimit", "--nofile=70:70"] });
  const url = `http://127.0.0.1:${port}`;
  await until("it is there", async () => await statusOf(`${url}/healthz`) === 200);
  const conns: Deno.Conn[] = [];
  await until("descriptors run out", async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    if (conn !== undefined) conns.push(conn);
    return server.stderr().includes("listening again");
  });
  for (const conn of conns) conn.close();
  assertMatch(server.stderr(), /admin: .*Too many open files; listening again in 1000 ms\n/);
  await until("it is there again", async () => await statusOf(`${url}/healthz`) === 200);
  using link = await dial(server.address);
  assertEquals(await ask(link, "mn"), "MN");
});

/** Listening TCP sockets of a process. */
async function listeningSockets(pid: number): Promise<number> {
  const own = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    // It may be gone by now.
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    own.add(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
  }
  const lines = (await Deno.readTextFile("/proc/net/tcp")).split("\n").slice(1);
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields.filter(([, , , state, ...rest]) => state === "0A" && own.has(rest[5] ?? "")).length;
}

Deno.test("without --admin there is no admin server", async () => {
  await using server = await startMemden(["-t", "1"]);
  assertEquals(await listeningSockets(server.pid), 1);
  await using open = await startMemden(["-t", "1", "--admin=0"]);
  await until("it listens twice", async () => await listeningSockets(open.pid) === 2);
});

Deno.test("memden says in one line that the admin port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "main.ts", "-l", "127.0.0.1", "-p", "-1", `--admin=${port}`],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 71);
  const line = `failed to listen on admin port ${port}: Address already in use`;
  assertMatch(new TextDecoder().decode(stderr), new RegExp(`^(running as root.*\n)?${line}\n$`));
});

Deno.test("scrapes under load change no reply", async () => {
  const { server, url } = await start(["-m", "64"]);
  await using _ = server;
  let running = true;
  let scrapes = 0;
  const scraping = (async () => {
    for (; running; scrapes++) await scrape(url, scrapes % 2 === 0);
  })();
  const clients = Array.from({ length: 4 }, async (_, client) => {
    using link = await dial(server.address);
    for (let round = 0; round < 400; round++) {
      const value = `${client}-${round}`.padEnd(20 + round * 5, "v");
      await say(link, `set c${client} 0 0 ${value.length}\r\n${value}\r\nget c${client}\r\n`);
      const answer = [await hear(link), await hear(link), await hear(link), await hear(link)];
      assertEquals(answer, ["STORED", `VALUE c${client} 0 ${value.length}`, value, "END"]);
    }
  });
  await Promise.all(clients);
  running = false;
  await scraping;
  assertGreater(scrapes, 3);
});
