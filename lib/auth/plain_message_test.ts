// Goal: a PLAIN message logs in with exactly a name and password of the table, as that name alone.

import { assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { makeStore } from "../store/store_fixture.ts";
import { Logins } from "./logins.ts";
import { matchesPlain } from "./plain_message.ts";

const MESSAGES: readonly (readonly [name: string, message: string, matches: boolean])[] = [
  ["name and password", "\0joe\0secret", true],
  ["the name as identity", "joe\0joe\0secret", true],
  ["another identity", "jim\0joe\0secret", false],
  ["an identity that the name starts with", "jo\0joe\0secret", false],
  ["an identity that starts with the name", "joel\0joe\0secret", false],
  ["another password", "\0joe\0secreT", false],
  ["another name", "\0jim\0secret", false],
  ["a NUL behind the password", "\0joe\0secret\0", false],
  ["an empty password", "\0joe\0", false],
  ["an empty password that is in the table", "\0nopass\0", false],
  ["no password", "\0joe", false],
  ["an empty name", "\0\0secret", false],
  ["no NUL", "joe secret", false],
  ["only NULs", "\0\0\0", false],
  ["nothing", "", false],
];

for (const [name, message, matches] of MESSAGES) {
  Deno.test(`matchesPlain() reads ${name}`, () => {
    const { control, locks } = makeStore();
    const logins = new Logins(control, locks);
    logins.replace([
      { user: ascii("joe"), pass: ascii("secret") },
      { user: ascii("nopass"), pass: ascii("") },
    ]);
    // Other bytes stand before and behind the message.
    const bytes = ascii(`joe\0${message}\0secret`);
    assertEquals(matchesPlain(logins, bytes, 4, 4 + message.length), matches);
  });
}
