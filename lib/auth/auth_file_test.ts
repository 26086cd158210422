// Goal: a file of logins is read as memcached reads it, or refused with the number of the line.

import { assertEquals, assertMatch } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { type LoginForm, parseAuthFile, readAuthFile } from "./auth_file.ts";

/** The logins of `text`, joined by `|`; or the problem. */
function read(text: string, form: LoginForm = "text"): string {
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const file = parseAuthFile("f", bytes, form);
  if ("problem" in file) return file.problem;
  const pairs = file.logins.map(({ user, pass }) => `${latin1(user)} ${latin1(pass)}`);
  return pairs.join("|") + (file.ignored > 0 ? ` and ${file.ignored}` : "");
}

const malformed = (line: number): string =>
  `Authfile [f] has a malformed entry. Should be 'user:password' (line ${line})`;
const tooLong = (line: number): string =>
  `Authfile [f] has an entry of more than 255 bytes (line ${line})`;
const noLogin = (line: number, file = "Authfile"): string =>
  `${file} [f] has an entry with no name or no password: nobody could log in by it (line ${line})`;
const noToken = (line: number): string =>
  "Authfile [f] has an entry with a space in the name or before the password: nobody could log " +
  `in by it (line ${line})`;
const NINE = Array.from({ length: 9 }, (_, n) => `u${n}:p${n}\n`).join("");

const FILES: readonly (readonly [name: string, text: string, result: string])[] = [
  ["one line", "u:p\n", "u p"],
  ["lines", "u:p\nv:q\nw:r\n", "u p|v q|w r"],
  ["no end of the last line", "u:pass\nv:word", "u pass|v word"],
  ["CR LF", "u:p\r\nv:q\r\n", "u p|v q"],
  ["CR at the end", "u:p\r", "u p"],
  ["colons and spaces in a password", "u:a:b c\n", "u a:b c"],
  ["bytes that are not ASCII", "\xfc:\xff\x80\n", "\xfc \xff\x80"],
  ["a name that is not there", "u:p\n:p\n", noLogin(2)],
  ["a password that is not there", "u:\n", noLogin(1)],
  ["neither", "u:p\nv:q\n:\r\n", noLogin(3)],
  ["a space in a name", "u:p\nu v:q\n", noToken(2)],
  ["a space before a password", "u: p\n", noToken(1)],
  ["a space behind a password", "u:p \n", "u p "],
  ["nothing", "", "Authfile [f] is empty: nobody could log in"],
  ["an empty line first", "\nu:p\n", malformed(1)],
  ["an empty line between", "u:p\n\nv:q\n", malformed(2)],
  ["an empty line last", "u:p\r\n\r\n", malformed(2)],
  ["no colon", "u:p\nvq\nw:r\n", malformed(2)],
  ["a NUL", "u:p\nv:q\0\n", malformed(2)],
  ["nine lines", NINE, "u0 p0|u1 p1|u2 p2|u3 p3|u4 p4|u5 p5|u6 p6|u7 p7 and 1"],
  ["the longest line", `u:${"x".repeat(253)}\n`, `u ${"x".repeat(253)}`],
  ["a line that is too long", `u:p\nu:${"x".repeat(254)}\n`, tooLong(2)],
  ["a name that is too long", `${"u".repeat(300)}:p\n`, tooLong(1)],
];

for (const [name, text, result] of FILES) {
  Deno.test(`parseAuthFile() reads ${name}`, () => assertEquals(read(text), result));
}

const SASL_FILES: readonly (readonly [name: string, text: string, result: string])[] = [
  ["memcached's form", "u:p:\nv:q:more:and more\n", "u p|v q"],
  ["plain lines", "u:p\r\nv:q", "u p|v q"],
  ["spaces in a password", "u:a b\n", "u a b"],
  ["the first of two passwords", "u:p\nu:q\n", "u p and 1"],
  ["other lines", "\n# comment\nu:p\nv\n", "u p and 2"],
  ["a space in a name", "u v:p\n", "u v p"],
  ["a name that is not there", "# comment\n:p\n", noLogin(2, "SASL file")],
  ["a password that is not there", "u:p\nv:\n", noLogin(2, "SASL file")],
  ["a password that ends before it begins", "u::p\n", noLogin(1, "SASL file")],
  ["a line that is too long", `u:p\nv:${"x".repeat(254)}\n`, "u p and 1"],
  ["nine lines", NINE, "u0 p0|u1 p1|u2 p2|u3 p3|u4 p4|u5 p5|u6 p6|u7 p7|u8 p8"],
  ["nothing", "# nobody\n", "SASL file [f] has no login: nobody could log in"],
];

for (const [name, text, result] of SASL_FILES) {
  Deno.test(`parseAuthFile() reads ${name} for SASL`, () => {
    assertEquals(read(text, "sasl"), result);
  });
}

Deno.test("parseAuthFile() puts no text of the file into a message", () => {
  for (const text of ["secret", "secret\n", `u:${"secret".repeat(50)}`, "u:p\nsecret\0:\n"]) {
    assertEquals(read(text).includes("secret"), false, text);
  }
});

Deno.test("readAuthFile() gives the system's reason for a failure", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, ascii("u:p\n"));
  assertEquals(await readAuthFile(path, "text"), {
    logins: [{ user: ascii("u"), pass: ascii("p") }],
    ignored: 0,
  });
  await Deno.remove(path);
  const file = await readAuthFile(path, "text");
  assertMatch(
    "problem" in file ? file.problem : "",
    /^Could not open authfile \[.*\] for reading, error No such file or directory$/,
  );
});
