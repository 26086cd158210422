// Goal: the table of packets has each command of memcached once, and a quiet form where that is
// known to clients. Source: memcached protocol_binary.h.

import { assertEquals } from "@std/assert";
import { Action, EXTRAS_MAX, OPCODE_BY_CODE, OPCODES, UNKNOWN } from "./opcodes.ts";

const NAMES: Readonly<Record<number, string>> = {
  0x00: "GET",
  0x01: "SET",
  0x02: "ADD",
  0x03: "REPLACE",
  0x04: "DELETE",
  0x05: "INCREMENT",
  0x06: "DECREMENT",
  0x07: "QUIT",
  0x08: "FLUSH",
  0x09: "GETQ",
  0x0a: "NOOP",
  0x0b: "VERSION",
  0x0c: "GETK",
  0x0d: "GETKQ",
  0x0e: "APPEND",
  0x0f: "PREPEND",
  0x10: "STAT",
  0x11: "SETQ",
  0x12: "ADDQ",
  0x13: "REPLACEQ",
  0x14: "DELETEQ",
  0x15: "INCREMENTQ",
  0x16: "DECREMENTQ",
  0x17: "QUITQ",
  0x18: "FLUSHQ",
  0x19: "APPENDQ",
  0x1a: "PREPENDQ",
  0x1c: "TOUCH",
  0x1d: "GAT",
  0x1e: "GATQ",
  0x20: "SASL_LIST",
  0x21: "SASL_AUTH",
  0x22: "SASL_STEP",
  0x23: "GATK",
  0x24: "GATKQ",
};

Deno.test("OPCODE_BY_CODE has memcached's commands and no other", () => {
  for (let code = 0; code < 256; code++) {
    assertEquals(OPCODE_BY_CODE[code]!.name, NAMES[code] ?? UNKNOWN.name, code.toString(16));
  }
  assertEquals(OPCODES.length, Object.keys(NAMES).length);
});

Deno.test("a quiet command is the loud one but for its code and name", () => {
  for (const quiet of OPCODES.filter((opcode) => opcode.isQuiet)) {
    const loud = OPCODES.find((opcode) => opcode.name === quiet.name.slice(0, -1));
    assertEquals({ ...quiet, isQuiet: false, code: loud?.code, name: loud?.name }, loud);
  }
});

Deno.test("extras fit the bits that tell their lengths", () => {
  for (const { extras } of OPCODES) {
    for (const length of extras) assertEquals(length <= EXTRAS_MAX && length < 32, true);
  }
});

Deno.test("before a login there are SASL and VERSION", () => {
  const open = OPCODES.filter((opcode) => opcode.isOpen).map((opcode) => opcode.action);
  const { VERSION, SASL_LIST, SASL_AUTH, SASL_STEP } = Action;
  assertEquals(open, [VERSION, SASL_LIST, SASL_AUTH, SASL_STEP]);
});

Deno.test("only what stores or logs in has a value", () => {
  const names = OPCODES.filter(({ hasValue }) => hasValue).map(({ name }) => name);
  const stores = ["SET", "ADD", "REPLACE", "APPEND", "PREPEND"];
  const all = [...stores, ...stores.map((name) => `${name}Q`), "SASL_AUTH", "SASL_STEP"];
  assertEquals(names.sort(), all.sort());
});

Deno.test("only TOUCH and the gets with extras touch", () => {
  const names = OPCODES.filter(({ touches }) => touches).map(({ name }) => name);
  assertEquals(names.sort(), ["GAT", "GATK", "GATKQ", "GATQ", "TOUCH"]);
});
