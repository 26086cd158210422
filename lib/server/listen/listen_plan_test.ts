// Goal: every address that is meant is bound; of several that one entry of -l means, those that the
// machine does not have are left out, and nothing else is.
// Method: bind by a function that has the machine's answers in a table.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseListen } from "../../config/listen_address.ts";
import { SettingsError } from "../../config/settings_error.ts";
import { type AddressPlan, bindEach, planAddresses, Refusal } from "./listen_plan.ts";

const PLAIN = { tls: "none", protocol: "auto", tag: "" } as const;
const TAKEN = new Refusal("taken", "Address already in use");
const NO_FAMILY = new Refusal("absent", "Address family not supported by protocol");
const NO_ADDRESS = new Refusal("absent", "Cannot assign requested address");
const FORBIDDEN = new Refusal("other", "Permission denied");

/** What the kernel chooses; every other port of the tables is asked for. */
const CHOSEN = 40_000;

/**
 * Binds what `listen` means. `answers` are the machine's, by `address:port` or `address`; without
 * one it binds.
 */
async function play(
  listen: readonly string[],
  port: number,
  answers: Readonly<Record<string, Refusal>> = {},
): Promise<string[]> {
  const plans = await planAddresses(parseListen(listen, port, PLAIN), "TCP", () => {});
  const bound: string[] = [];
  let chosen = CHOSEN;
  bindEach<AddressPlan, string>(plans, bound, {
    bind: ({ hostname }, port) => {
      const place = `${hostname} ${port === 0 ? chosen++ : port}`;
      return answers[place] ?? answers[hostname] ?? place;
    },
    portOf: (place) => Number(place.split(" ")[1]),
    nameOf: ({ port }) => `TCP port ${port}`,
  });
  return bound;
}

type Row = readonly [
  listen: readonly string[],
  port: number,
  answers: Readonly<Record<string, Refusal>>,
  bound: readonly string[] | string,
];

const ROWS: readonly Row[] = [
  [[], 11211, {}, ["0.0.0.0 11211", ":: 11211"]],
  [["*"], 11211, {}, ["0.0.0.0 11211", ":: 11211"]],
  [["*:80"], 11211, {}, ["0.0.0.0 80", ":: 80"]],
  [["0.0.0.0,::"], 11211, {}, ["0.0.0.0 11211", ":: 11211"]],
  [["0.0.0.0", "[::]:12"], 11211, {}, ["0.0.0.0 11211", ":: 12"]],
  // One port for all of an entry.
  [[], 0, {}, ["0.0.0.0 40000", ":: 40000"]],
  [["127.0.0.1,::1"], 0, {}, ["127.0.0.1 40000", "::1 40001"]],
  [[], 0, { ":: 40000": TAKEN }, ["0.0.0.0 40000", ":: 40001"]],
  // A machine without IPv6, or without IPv4.
  [[], 11211, { "::": NO_FAMILY }, ["0.0.0.0 11211"]],
  [[], 11211, { "::": NO_ADDRESS }, ["0.0.0.0 11211"]],
  [[], 0, { "::": NO_FAMILY }, ["0.0.0.0 40000"]],
  [[], 11211, { "0.0.0.0": NO_FAMILY }, [":: 11211"]],
  [["*", "127.0.0.1:12"], 1, { "::": NO_FAMILY }, ["0.0.0.0 1", "127.0.0.1 12"]],
  [[], 11211, { "0.0.0.0": NO_FAMILY, "::": NO_FAMILY }, `TCP port 11211: ${NO_FAMILY.reason}`],
  // What was asked for by its number must be had.
  [["::"], 11211, { "::": NO_FAMILY }, `TCP port 11211: ${NO_FAMILY.reason}`],
  [["0.0.0.0,::"], 11211, { "::": NO_ADDRESS }, `TCP port 11211: ${NO_ADDRESS.reason}`],
  [["*", "::1"], 0, { "::1": NO_ADDRESS }, `TCP port 0: ${NO_ADDRESS.reason}`],
  // Half of the addresses is not what was asked for either.
  [[], 11211, { "::": TAKEN }, `TCP port 11211: ${TAKEN.reason}`],
  [[], 11211, { "0.0.0.0": TAKEN }, `TCP port 11211: ${TAKEN.reason}`],
  [[], 80, { "0.0.0.0": FORBIDDEN }, `TCP port 80: ${FORBIDDEN.reason}`],
];

for (const [listen, port, answers, expected] of ROWS) {
  const without = Object.entries(answers).map(([at, { reason }]) => ` with ${at}: ${reason}`);
  Deno.test(`bindEach() binds [${listen}] at ${port}${without.join("")}`, async () => {
    const outcome = await play(listen, port, answers).catch((error: SettingsError) => error);
    if (typeof expected !== "string") return assertEquals(outcome, [...expected]);
    assertThrows(
      () => {
        throw outcome;
      },
      SettingsError,
      `failed to listen on ${expected}`,
    );
    assertEquals((outcome as SettingsError).exitCode, 71);
  });
}

Deno.test("bindEach() keeps what it has bound when one is refused: somebody must close it", () => {
  const bound: string[] = [];
  const plan = { port: 1, options: PLAIN };
  const plans = ["a", "b", "c"].map((hostname, entry) => ({ ...plan, hostname, entry }));
  assertThrows(() =>
    bindEach<AddressPlan, string>(plans, bound, {
      bind: ({ hostname }) => hostname === "c" ? TAKEN : hostname,
      portOf: () => 1,
      nameOf: ({ hostname }) => hostname,
    }), SettingsError);
  assertEquals(bound, ["a", "b"]);
});

type Named = readonly [found: readonly string[], hostnames: readonly string[] | string];

const NAMED: readonly Named[] = [
  [["10.0.0.1", "2001:db8::1"], ["10.0.0.1", "2001:db8::1"]],
  [["10.0.0.1", "10.0.0.1"], ["10.0.0.1"]],
  [["10.0.0.1", "fe80::1"], ["10.0.0.1"]],
  [["FEBF::1", "fe80::1%eth0", "fe80::1%2"], ["fe80::1%eth0", "fe80::1%2"]],
  [["fec0::1", "fe::80"], ["fec0::1", "fe::80"]],
  [["fe80::1", "fe90::2"], "cache has only link-local addresses, without an interface"],
  [[], "cache has no address"],
];

for (const [found, expected] of NAMED) {
  Deno.test(`planAddresses() with a name that means [${found}]`, async () => {
    const lines: string[] = [];
    const plan = () =>
      planAddresses(
        parseListen(["cache"], 11211, PLAIN),
        "UDP",
        (line) => void lines.push(line),
        () => Promise.resolve(found),
      );
    if (typeof expected === "string") {
      const message = `failed to listen on UDP port 11211: ${expected}`;
      await assertRejects(plan, SettingsError, message);
      return;
    }
    assertEquals((await plan()).map(({ hostname }) => hostname), [...expected]);
    const leftOut = [...new Set(found)].filter((address) => !expected.includes(address));
    assertEquals(
      lines,
      leftOut.map((address) =>
        `not listening on ${address} of cache: a link-local address needs an interface`
      ),
    );
  });
}
