import { assert, assertEquals } from "@std/assert";
import { helpText, licenseText, optionsMarkdown, versionText } from "./help.ts";
import { FLAGS, isAvailable, type Option, SUBOPTIONS } from "./options.ts";

Deno.test("versionText() starts with the memcached that tools look for", () => {
  assertEquals(versionText().split("\n")[0], "memcached 1.6.45");
  assertEquals(/^memden \d+\.\d+\.\d+$/m.exec(versionText())?.index, "memcached 1.6.45\n".length);
});

Deno.test("helpText() and licenseText() start with the version", () => {
  for (const text of [helpText(), licenseText()]) assert(text.startsWith(versionText()));
});

Deno.test("helpText() stays within 100 columns", () => {
  for (const line of helpText().split("\n")) assert(line.length <= 100, line);
});

Deno.test("helpText() keeps memcached's layout", () => {
  assert(/^-p, --port=<num> {10}TCP port .*\(default: 11211\)$/m.test(helpText()));
  assert(/^ {3}- hash_algorithm: {6}\S/m.test(helpText()));
});

// What memcached's own test suite looks for in `-h`, and the option that the word stands for.
const CAPABILITIES: readonly (readonly [word: RegExp, name: string])[] = [
  [/sasl/i, "enable-sasl"],
  [/enable-ssl/i, "enable-ssl"],
  [/unix-socket/i, "unix-socket"],
  [/ext_path/i, "ext_path"],
  [/proxy_config/i, "proxy_config"],
  [/no_drop_privileges/i, "no_drop_privileges"],
];

for (const [word, name] of CAPABILITIES) {
  Deno.test(`helpText() contains ${word} only when ${name} can be used`, () => {
    const option = [...FLAGS, ...SUBOPTIONS].find((it) => it.name === name);
    assertEquals(word.test(helpText()), option !== undefined && isAvailable(option));
  });
}

const isLongOnly = (option: Option) => option.letter === "" && FLAGS.includes(option);

const listed = (option: Option) =>
  isLongOnly(option)
    ? new RegExp(`\n--${option.name}[= ]`).test(helpText())
    : option.letter === ""
    ? helpText().includes(`\n   - ${option.name}: `)
    : option.letter === option.name
    ? helpText().includes(`\n-${option.letter} <`)
    : helpText().includes(`\n-${option.letter}, --${option.name}`);

Deno.test("helpText() lists exactly the options that can be used", () => {
  for (const option of [...FLAGS, ...SUBOPTIONS]) {
    assertEquals(listed(option), isAvailable(option), option.name);
  }
});

Deno.test("optionsMarkdown() has a row for every option, each cell in one line", () => {
  const rows = optionsMarkdown().split("\n").filter((line) => /^\| +`|^\| +\| `/.test(line));
  for (const option of [...FLAGS, ...SUBOPTIONS]) {
    const short = option.letter === "" ? option.name : `-${option.letter}`;
    const name = isLongOnly(option) ? `--${option.name}` : short;
    const row = rows.find((line) => line.includes(`| \`${name}\` `));
    assertEquals(row?.split(" | ").length, 5, option.name);
  }
});

Deno.test("OPTIONS have one row for each letter and each name", () => {
  const letters = FLAGS.map((option) => option.letter).filter((letter) => letter !== "");
  const names = [...FLAGS, ...SUBOPTIONS].map((option) => option.name);
  assertEquals(new Set(letters).size, letters.length);
  assertEquals(new Set(names).size, names.length);
});
