// Goal: the relay, whose sockets of IPv6 take IPv4 as well, listens where the settings say.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseListen } from "../../config/listen_address.ts";
import { defaultSettings, type Settings } from "../../config/settings.ts";
import { planAddresses, type RelayListenPlan } from "../listen/listen_plan.ts";
import { joinFamilies, RelayListener, reserve } from "./relay_listen.ts";

const PLAIN = { tls: "none", protocol: "auto", tag: "" } as const;

/** What `listen` means to the relay. */
async function plansOf(listen: readonly string[], port: number): Promise<RelayListenPlan[]> {
  const addresses = await planAddresses(parseListen(listen, port, PLAIN), "TCP", () => {});
  return joinFamilies(addresses.map(({ hostname, ...plan }) => ({ at: { hostname }, ...plan })));
}

const ROWS: readonly (readonly [listen: readonly string[], port: number, joined: string])[] = [
  [[], 1, ":: 1 both"],
  [["*"], 0, ":: 0 both"],
  [["0.0.0.0,::"], 1, ":: 1 both"],
  [["::,0.0.0.0"], 1, ":: 1 both"],
  [["0.0.0.0,[::]:2"], 1, "0.0.0.0 1, :: 2"],
  [["0.0.0.0,::"], 0, "0.0.0.0 0, :: 0"],
  [["proto[ascii]:0.0.0.0,::"], 1, "0.0.0.0 1, :: 1"],
  [["127.0.0.1,[::1]"], 1, "127.0.0.1 1, ::1 1"],
  [["127.0.0.1:3,*", "::1"], 1, "127.0.0.1 3, :: 1 both, ::1 1"],
];

for (const [listen, port, joined] of ROWS) {
  Deno.test(`joinFamilies() makes one of two: [${listen}] ${port}`, async () => {
    const texts = (await plansOf(listen, port)).map(({ at, port, isDual }) =>
      `${"path" in at ? at.path : at.hostname} ${port}${isDual ? " both" : ""}`
    );
    assertEquals(texts.join(", "), joined);
  });
}

Deno.test("reserve() holds addresses until the relay listens on them", async () => {
  const settings: Settings = defaultSettings();
  const { plans, release } = reserve(await plansOf([], 0));
  const port = plans[0]?.port ?? 0;
  assert(port > 0, "the port is known");
  const refused = () => Deno.connect({ hostname: "127.0.0.1", port });
  await assertRejects(refused, Deno.errors.ConnectionRefused);
  const bound: RelayListener[] = [];
  await RelayListener.open(plans, bound, settings);
  release();
  assertEquals(bound.flatMap(({ addresses }) => addresses), [
    { family: "tcp", port, address: "0.0.0.0" },
    { family: "tcp", port, address: "::" },
  ]);
  for (const hostname of ["127.0.0.1", "::1"]) (await Deno.connect({ hostname, port })).close();
  for (const listener of bound) await listener.close();
});

Deno.test("a socket for IPv6 alone takes clients of IPv4 for strangers", async () => {
  for (const [listen, isStranger] of [[["[::]:0"], true], [["*:0"], false]] as const) {
    const bound: RelayListener[] = [];
    await RelayListener.open(await plansOf(listen, 0), bound, defaultSettings());
    const socket = bound[0]!;
    const { port } = socket.listener.addr as Deno.NetAddr;
    for (const hostname of ["127.0.0.1", "::1"]) {
      using _client = await Deno.connect({ hostname, port });
      using conn = await socket.listener.accept();
      assertEquals(socket.isStranger(conn), isStranger && hostname === "127.0.0.1");
    }
    await socket.close();
  }
});
