// Goal: a command line that memcached takes means the same here, however it is spelled.
// Method: tables of argv; every row of FOUND, ILLEGAL and ACTIONS was also run against memcached
// 1.6.18, whose `stats settings` or exit code agreed, except where a row says otherwise.

import { assertEquals, assertThrows } from "@std/assert";
import { parseCommandLine } from "./parse.ts";
import { SettingsError } from "./settings_error.ts";

/** The flags and sub-options found, in one flat record. */
function parsed(argv: readonly string[]): Record<string, readonly string[]> {
  const line = parseCommandLine(argv);
  if (line.action !== "serve") throw new TypeError(`Expected no action, got ${line.action}`);
  const found: Record<string, readonly string[]> = Object.fromEntries(line.raw.flags);
  for (const [name, text] of line.raw.suboptions) found[name] = [...(found[name] ?? []), text];
  delete found["extended"];
  return found;
}

const FOUND: readonly (readonly [argv: readonly string[], found: Record<string, string[]>])[] = [
  [[], {}],
  [["-m", "64"], { "memory-limit": ["64"] }],
  [["-m64"], { "memory-limit": ["64"] }],
  [["-m 1024"], { "memory-limit": ["1024"] }], // One element, as charts write it.
  [["-m", " 1024"], { "memory-limit": ["1024"] }],
  [["--memory-limit=64"], { "memory-limit": ["64"] }],
  [["--memory-limit", "64"], { "memory-limit": ["64"] }],
  [["--memory-limit="], { "memory-limit": [""] }],
  [["-m", "64", "-m", "128"], { "memory-limit": ["64", "128"] }],
  [["--thr=2"], { "threads": ["2"] }],
  [["--thr", "2"], { "threads": ["2"] }],
  [["-vv"], { "verbose": ["", ""] }],
  [["-v", "-vv"], { "verbose": ["", "", ""] }],
  [["--verbose", "--verbose=2"], { "verbose": ["", "2"] }],
  [["-dv"], { "daemon": [""], "verbose": [""] }],
  [["-vvm64"], { "verbose": ["", ""], "memory-limit": ["64"] }],
  [["-vm", "64"], { "verbose": [""], "memory-limit": ["64"] }],
  [["-m", "-p"], { "memory-limit": ["-p"] }], // A value is taken whatever it looks like.
  [["-p", "-1"], { "port": ["-1"] }],
  [["--port=-1"], { "port": ["-1"] }],
  [["-", "-m", "128"], { "memory-limit": ["128"] }],
  [["", "-m", "128", " "], { "memory-limit": ["128"] }], // A variable of a script, not set.
  [[" -m 128"], { "memory-limit": ["128"] }], // An operand in memcached.
  [["-v", "--"], { "verbose": [""] }],
  [["-v", "--", "", "-"], { "verbose": [""] }],
  [["-l", "a", "-lb,c"], { "listen": ["a", "b,c"] }],
  [["-s", "a=b"], { "unix-socket": ["a=b"] }],
  [["--unix-socket=a=b"], { "unix-socket": ["a=b"] }],
  [["-P", "true"], { "pidfile": ["true"] }],
  [["-D", ":"], { "D": [":"] }],
  [["-o", "modern"], { "modern": [""] }],
  [["-o", "modern,"], { "modern": [""] }],
  [["-o", ""], {}],
  [["--extended=modern,track_sizes"], { "modern": [""], "track_sizes": [""] }],
  [["-o", " modern, track_sizes"], { "modern": [""], "track_sizes": [""] }], // Not 1.6.18.
  [["-o", "hashpower=20", "-o", "hashpower=21"], { "hashpower": ["20", "21"] }],
  [["-o", "hashpower="], { "hashpower": [""] }],
  [["-o", "slab_automove"], { "slab_automove": [""] }],
  [["-o", "slab_automove=2"], { "slab_automove": ["2"] }],
];

for (const [argv, found] of FOUND) {
  Deno.test(`parseCommandLine() reads ${JSON.stringify(argv)}`, () => {
    assertEquals(parsed(argv), found);
  });
}

const ILLEGAL: readonly (readonly [argv: readonly string[], message: string])[] = [
  [["-q"], `Illegal argument "?": unknown option -q`],
  [["-dvx"], `Illegal argument "?": unknown option -x`],
  [["-v=2"], `Illegal argument "?": unknown option -=`],
  [["--bogus"], `Illegal argument "?": unknown option --bogus`],
  [["--D=x"], `Illegal argument "?": unknown option --D`],
  [["--mem", "64"], `Illegal argument "?": --mem could be --memory-limit, --memory-file`],
  [["-m"], `Illegal argument "?": -m needs a value`],
  [["--memory-limit"], `Illegal argument "?": -m needs a value`],
  [["--daemon=3"], `Illegal argument "?": --daemon takes no value`],
  // Operands: memcached ignores them.
  [["one", "-m", "128"], `Illegal argument "?": one is no option`],
  [["-m", "128", "two"], `Illegal argument "?": two is no option`],
  [["-v", "3"], `Illegal argument "?": 3 is no option`],
  [["-m", "64", "m"], `Illegal argument "?": m is no option`],
  [["-m", "-p", "11311"], `Illegal argument "?": 11311 is no option`],
  [["-d", "yes", "-q"], `Illegal argument "?": yes is no option`],
  [["-v", "--", "-m", "128"], `Illegal argument "?": -m is no option`],
  [["--", "top"], `Illegal argument "?": top is no option`],
  [["port=11311"], `Illegal argument "?": port=11311 is no option`],
  [["\u2013p", "11311"], `Illegal argument "?": \u2013p is no option`], // A dash of typesetters.
  [["-o", "bogus"], `Illegal suboption "bogus"`],
  [["-o", "bogus=3"], `Illegal suboption "bogus=3"`],
  [["-o", ",modern"], `Illegal suboption ""`],
  [["-o", "hash"], `Illegal suboption "hash"`],
  [["-o", "hashpower"], `Cannot use -o hashpower: it needs a value`],
  [["-o", "hash_algorithm"], `Cannot use -o hash_algorithm: it needs a value`],
  // memcached ignores the value of a switch.
  [["-o", "slab_reassign=0"], `Cannot use -o slab_reassign=0: slab_reassign takes no value`],
];

for (const [argv, message] of ILLEGAL) {
  Deno.test(`parseCommandLine() refuses ${JSON.stringify(argv)}`, () => {
    const error = assertThrows(() => parseCommandLine(argv), SettingsError);
    assertEquals([error.message, error.exitCode], [message, 1]);
  });
}

const ACTIONS: readonly (readonly [argv: readonly string[], action: string])[] = [
  [["-h"], "help"],
  [["-V"], "version"],
  [["-i"], "license"],
  [["--help"], "help"],
  [["--vers"], "version"],
  [["-vh"], "help"],
  [["-hq"], "help"],
  [["-h", "-q"], "help"],
  [["-m", "64", "-V"], "version"],
];

for (const [argv, action] of ACTIONS) {
  Deno.test(`parseCommandLine() answers ${JSON.stringify(argv)} with ${action}`, () => {
    assertEquals(parseCommandLine(argv), { action });
  });
}

Deno.test("parseCommandLine() reports what is wrong before an action", () => {
  assertThrows(() => parseCommandLine(["-q", "-h"]), SettingsError, `Illegal argument "?"`);
});

Deno.test("parseCommandLine() leaves -h as the value of another option", () => {
  assertEquals(parsed(["-P", "-h"]), { "pidfile": ["-h"] });
});
