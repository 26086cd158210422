// Goal: the names and passwords of the table match, and nothing else does.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import type { Locks } from "../memory/lock.ts";
import { type Login, LOGIN_BYTES_MAX, Logins, LOGINS_MAX } from "./logins.ts";
import { makeStore } from "../store/store_fixture.ts";

const login = (user: string, pass: string): Login => ({ user: ascii(user), pass: ascii(pass) });

/** An empty table, and the locks that it takes. */
function makeLogins(): { readonly logins: Logins; readonly locks: Locks } {
  const { control, locks } = makeStore();
  return { logins: new Logins(control, locks), locks };
}

/** Whether `user` and `pass`, in the middle of a longer buffer, match. */
function asks(logins: Logins, user: string, pass: string): boolean {
  const bytes = ascii(`xx${user} ${pass}yy`);
  const userTo = 2 + user.length;
  return logins.matches(bytes, 2, userTo, userTo + 1, userTo + 1 + pass.length);
}

const TABLE: readonly Login[] = [
  login("user", "pass"),
  login("us", "erpass"),
  login("u", "x".repeat(LOGIN_BYTES_MAX - 1)),
  login("nopass", ""),
  { user: Uint8Array.of(0xff, 0x80, 0), pass: Uint8Array.of(0, 0, 0x80) },
];

const ASKED: readonly (readonly [user: string, pass: string, matches: boolean])[] = [
  ["user", "pass", true],
  ["us", "erpass", true],
  ["use", "rpass", false],
  ["userp", "ass", false],
  ["user", "pas", false],
  ["user", "passs", false],
  ["user", "pasS", false],
  ["User", "pass", false],
  ["user", "", false],
  ["", "pass", false],
  ["", "", false],
  ["user", "erpass", false],
  ["nopass", "", true],
  ["u", "x".repeat(LOGIN_BYTES_MAX - 1), true],
  ["u", "x".repeat(LOGIN_BYTES_MAX), false],
  ["u", "x".repeat(LOGIN_BYTES_MAX - 2), false],
  ["u", "x".repeat(20_000), false],
  ["x".repeat(20_000), "x", false],
];

Deno.test("Logins.matches() accepts each login of the table and no other", () => {
  const { logins, locks } = makeLogins();
  logins.replace(TABLE);
  for (const [user, pass, matches] of ASKED) {
    assertEquals(asks(logins, user, pass), matches, `${user.slice(0, 20)} ${pass.slice(0, 20)}`);
  }
  assert(logins.matches(Uint8Array.of(0xff, 0x80, 0, 0x20, 0, 0, 0x80), 0, 3, 4, 7));
  assert(!logins.matches(Uint8Array.of(0xff, 0x80, 0, 0x20, 0, 0, 0x81), 0, 3, 4, 7));
  assert(locks.idle);
});

Deno.test("Logins.matches() compares every bit of a record", () => {
  const { logins } = makeLogins();
  const pair = ascii(`name ${"secret".repeat(41)}`);
  logins.replace([{ user: pair.subarray(0, 4), pass: pair.subarray(5) }]);
  assert(logins.matches(pair, 0, 4, 5, pair.length));
  for (let at = 0; at < pair.length; at++) {
    if (at === 4) continue; // The space is in neither part.
    for (let bit = 0; bit < 8; bit++) {
      const wrong = pair.slice();
      wrong[at]! ^= 1 << bit;
      assert(!logins.matches(wrong, 0, 4, 5, pair.length), `bit ${bit} of byte ${at}`);
    }
  }
});

Deno.test("Logins.matches() refuses every login while the table is empty", () => {
  const { logins } = makeLogins();
  for (const [user, pass] of ASKED) assert(!asks(logins, user, pass));
});

Deno.test("Logins.replace() leaves nothing of the table before, and finds the last record", () => {
  const { logins } = makeLogins();
  const numbered = Array.from({ length: LOGINS_MAX }, (_, n) => login(`user${n}`, `pass${n}`));
  logins.replace(numbered);
  for (let n = 0; n < LOGINS_MAX; n++) assert(asks(logins, `user${n}`, `pass${n}`));
  logins.replace([login("new", "word")]);
  assert(asks(logins, "new", "word"));
  for (let n = 0; n < LOGINS_MAX; n++) assert(!asks(logins, `user${n}`, `pass${n}`));
});

Deno.test("Logins.replace() refuses what has no room", () => {
  const { logins } = makeLogins();
  const many = Array.from({ length: LOGINS_MAX + 1 }, () => login("a", "b"));
  assertThrows(() => logins.replace(many), InvariantError);
  const long = login("u", "x".repeat(LOGIN_BYTES_MAX));
  assertThrows(() => logins.replace([long]), InvariantError);
});
