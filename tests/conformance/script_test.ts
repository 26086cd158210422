// Unit tests of the script form: what a text becomes, and which texts are refused with what words.

import { assertEquals, assertThrows } from "@std/assert";
import { Prng } from "../../lib/base/prng.ts";
import { cutPositions } from "./cuts.ts";
import { appliesTo, type Condition, parseScript, parseVersion, type Step } from "./script.ts";
import {
  matchLine,
  parseTemplate,
  PREFIX_LENGTH,
  render,
  type Scope,
  ScriptError,
} from "./template.ts";

function scope(numbers: Record<string, bigint> = {}): Scope {
  return { prefix: "p".repeat(PREFIX_LENGTH), numbers: new Map(Object.entries(numbers)) };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function steps(script: string): readonly Step[] {
  return parseScript("x", `== x\n${script}`).conversations[0]?.steps ?? [];
}

const TEMPLATES: readonly (readonly [text: string, bytes: string])[] = [
  ["get abc", "get abc"],
  ["", ""],
  ["$a", "ppppppppa"],
  ["x$a1:y", "xppppppppa1:y"],
  ["${a:12}", "ppppppppaxxx"],
  ["${a:3}", "ppppppppa"],
  ['${"ab"*3}!', "ababab!"],
  ['${"x"*0}', ""],
  ['${" $a"*2}', " ppppppppa ppppppppa"],
  ['${"${"x"*2}y"*2}', "xxyxxy"],
  ['\\r\\n\\t\\0\\x7f\\xFF\\\\\\$\\"', '\r\n\t\0\x7f\xff\\$"'],
  ["ä", "\xc3\xa4"],
  ["${cas}", "41"],
  ["${cas+1}", "42"],
  ["${cas-42}", "-1"],
];

for (const [source, bytes] of TEMPLATES) {
  Deno.test(`parseTemplate() and render() make ${JSON.stringify(source)}`, () => {
    assertEquals(text(render(parseTemplate(source), scope({ cas: 41n }))), bytes);
  });
}

const BAD_TEMPLATES: readonly (readonly [text: string, message: string])[] = [
  ["\\q", "\\q is not an escape"],
  ["\\x1", "\\x is not an escape"],
  ["$", "unknown variable at $"],
  ["$A", "unknown variable at $A"],
  ["${a", "unknown variable at ${a"],
  ['${"x"', 'a repeated text ends in "*<count>}'],
  ['${"x*2}', 'a " is not closed'],
];

for (const [source, message] of BAD_TEMPLATES) {
  Deno.test(`parseTemplate() refuses ${JSON.stringify(source)}`, () => {
    assertThrows(() => parseTemplate(source), ScriptError, message);
  });
}

Deno.test("render() refuses a number that was not captured", () => {
  assertThrows(
    () => render(parseTemplate("${cas}"), scope()),
    ScriptError,
    "before it is captured",
  );
});

const MATCHES: readonly (readonly [line: string, template: string, cas: bigint | undefined])[] = [
  ["VALUE k 0 3 17", "VALUE k 0 3 ${cas}", 17n],
  ["18446744073709551615", "${cas}", 18446744073709551615n],
  ["1 1", "${cas} ${cas}", 1n],
  ["1 2", "${cas} ${cas}", undefined],
  ["VALUE k 0 3 x", "VALUE k 0 3 ${cas}", undefined],
  ["VALUE k 0 3 17 ", "VALUE k 0 3 ${cas}", undefined],
  ["VALUE k 0 3", "VALUE k 0 3 ${cas}", undefined],
];

for (const [line, template, cas] of MATCHES) {
  Deno.test(`matchLine() compares "${line}" with "${template}"`, () => {
    const into = scope();
    const matched = matchLine(new TextEncoder().encode(line), parseTemplate(template), into);
    assertEquals([matched, into.numbers.get("cas")], [cas !== undefined, cas]);
  });
}

Deno.test("matchLine() compares a captured number", () => {
  const line = new TextEncoder().encode("x 5");
  assertEquals(matchLine(line, parseTemplate("x ${cas}"), scope({ cas: 5n })), true);
  assertEquals(matchLine(line, parseTemplate("x ${cas}"), scope({ cas: 6n })), false);
});

Deno.test("parseScript() begins a step at a blank line, a directive or a > after a reply", () => {
  const script = "> a\n> b\n< 1\n> c\n<none\n@since 1.6.45\n>> d\n<close\n\n>\n<< x\n<...\n< y\n";
  const parsed = steps(script);
  assertEquals(parsed.map(({ sends }) => sends.length), [2, 1, 1, 1]);
  assertEquals(parsed.map(({ end }) => end.kind), ["open", "none", "close", "open"]);
  assertEquals(parsed.map(({ line }) => line), [2, 5, 7, 11]);
  assertEquals(parsed.map(({ condition }) => condition.since), [
    undefined,
    undefined,
    [1, 6, 45],
    undefined,
  ]);
  assertEquals(parsed[3]?.replies.map(({ kind }) => kind), ["raw", "skip", "line"]);
});

Deno.test("parseScript() reads counters", () => {
  const [one, none, no] = steps(
    "> a\n< b\n+ cmd_get 1\n+ curr_items -2\n+ x *\n> a\n< b\n+ none\n> a\n< b\n",
  );
  assertEquals(one?.counters, [
    { name: "cmd_get", delta: 1n },
    { name: "curr_items", delta: -2n },
    { name: "x", delta: undefined },
  ]);
  assertEquals(none?.counters, []);
  assertEquals(no?.counters, undefined);
});

Deno.test("parseScript() gives directives above the first conversation to all", () => {
  const script =
    "@args -m 8\n@alone\n\n== a\n@whole\n> x\n< y\n\n== b\n@args -t 1\n@unglued memden\n> x\n< y\n";
  const [a, b] = parseScript("x", script).conversations;
  assertEquals([a?.args, a?.alone, a?.whole], [["-m", "8"], true, true]);
  assertEquals([b?.args, b?.alone, b?.whole, b?.unglued], [["-t", "1"], true, false, ["memden"]]);
});

const BAD_SCRIPTS: readonly (readonly [script: string, message: string])[] = [
  ["> x\n< y\n", 'x:1: a "== title" must come first'],
  ["== a\n\n== b\n> x\n< y\n", 'x:3: "a" has no step'],
  ["== a\n> x\n", "x:3: a step without a reply"],
  ["== a\n> x\n+ cmd_get 1\n", "x:4: a step without a reply"],
  ["== a\n< x\n", "x:2: nothing was sent"],
  ["== a\n> x \n< y\n", "x:2: white space at the end"],
  ["== a\n>x\n< y\n", "x:2: write > or >>"],
  ["== a\n> x\n<y\n", "x:3: unknown kind of reply"],
  ["== a\n> x\n<close\n< y\n", "x:4: nothing can follow"],
  ["== a\n> x\n<...\n<...\n< y\n", "x:4: <... twice"],
  ["== a\n> x\n<...\n", "x:4: <... needs a line after it"],
  ["== a\n> x\n< y\n+ cmd_get\n", "x:4: write + name delta"],
  ["== a\n@nonsense\n> x\n< y\n", "x:2: @nonsense is unknown here"],
  ["== a\n> x\n< y\n\n@args -m 1\n> x\n< y\n", "x:5: @args is unknown here"],
  ["== a\n@only redis\n> x\n< y\n", 'x:2: memden or memcached, not "redis"'],
  ["== a\n@since x\n> x\n< y\n", 'x:2: "x" is not a version'],
  ["== a\nx\n", "x:2: unknown kind of line: x"],
];

for (const [script, message] of BAD_SCRIPTS) {
  Deno.test(`parseScript() refuses ${JSON.stringify(script)}`, () => {
    assertThrows(() => parseScript("x", script), ScriptError, message);
  });
}

const CONDITIONS: readonly (readonly [condition: Condition, old: boolean, memden: boolean])[] = [
  [{}, true, true],
  [{ since: [1, 6, 45] }, false, true],
  [{ since: [1, 6, 18] }, true, true],
  [{ until: [1, 6, 45] }, true, false],
  [{ until: [1, 6, 18] }, false, false],
  [{ only: "memden" }, false, true],
  [{ later: true }, true, false],
  [{ only: "memcached", until: [1, 7] }, true, false],
];

for (const [condition, old, memden] of CONDITIONS) {
  Deno.test(`appliesTo() weighs ${JSON.stringify(condition)}`, () => {
    const version = parseVersion("1.6.18");
    assertEquals(appliesTo(condition, { name: "memcached", version, over: "tcp" }), old);
    assertEquals(appliesTo(condition, { name: "memden", version: [0, 1], over: "tcp" }), memden);
  });
}

Deno.test("cutPositions() takes every position of a short step", () => {
  assertEquals(cutPositions(1, new Prng(1)), []);
  assertEquals(cutPositions(4, new Prng(1)), [1, 2, 3]);
  assertEquals(cutPositions(178, new Prng(1)).length, 177);
});

Deno.test("cutPositions() takes the edges of a long step and some between", () => {
  for (const length of [179, 200, 5000, 1 << 20]) {
    const positions = cutPositions(length, new Prng(length));
    assertEquals(positions.slice(0, 64), Array.from({ length: 64 }, (_, i) => i + 1));
    assertEquals(positions.slice(-8), Array.from({ length: 8 }, (_, i) => length - 8 + i));
    assertEquals(positions.some((at) => at > 64 && at < length - 64), true);
    assertEquals(new Set(positions).size, positions.length);
  }
});
