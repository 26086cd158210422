import { assertEquals } from "@std/assert";
import { findUser } from "./privileges.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nmemcache:x:101:102::/nonexistent:/bin/false\n";

const CASES: readonly (readonly [name: string, user: string, uid: number | undefined])[] = [
  ["finds a name", "memcache", 101],
  ["finds the account of an id", "101", 101],
  ["takes an id without an account as it is", "11211", 11211],
  ["does not know other names", "nobody", undefined],
  ["does not take part of a name", "mem", undefined],
];

for (const [name, user, uid] of CASES) {
  Deno.test(`findUser() ${name}`, () => assertEquals(findUser(PASSWD, user)?.uid, uid));
}
