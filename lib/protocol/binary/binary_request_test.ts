// Goal: every command is read with the lengths that its row has, and with no others.
// Method: play each row's packets, whole and cut short, and packets with each length changed.

import { assertEquals } from "@std/assert";
import { Block } from "../../base/block.ts";
import { KeyRule, OPCODES } from "./opcodes.ts";
import { BinaryRequest, BODY_BYTES_MAX, Framing, HEADER_BYTES } from "./binary_request.ts";

interface Lengths {
  readonly code: number;
  readonly nkey: number;
  readonly extras: number;
  readonly body: number;
}

function packet({ code, nkey, extras, body }: Lengths): Block {
  const block = Block.ofLength(HEADER_BYTES + Math.min(body, 1000));
  block.view.setUint16(0, 0x8000 | code);
  block.view.setUint16(2, nkey);
  block.view.setUint8(4, extras);
  block.view.setUint32(8, body);
  block.view.setUint32(12, 0x89abcdef);
  block.view.setBigUint64(16, 0xfedcba9876543210n);
  return block;
}

function frame(block: Block, to = block.bytes.length): [Framing, BinaryRequest] {
  const request = new BinaryRequest();
  const framing = request.readHeader(block, 0, to);
  return [framing === Framing.READY ? request.readBody(to) : framing, request];
}

const judge = (lengths: Lengths): Framing => frame(packet(lengths))[0];

for (const { code, name, extras, key, hasValue } of OPCODES) {
  const nkey = key === KeyRule.NONE ? 0 : 5;
  for (const length of extras) {
    const good = { code, nkey, extras: length, body: nkey + length };

    Deno.test(`${name} with ${length} bytes of extras is read at every cut`, () => {
      const block = packet(good);
      for (let to = 1; to < block.bytes.length; to++) {
        assertEquals(frame(block, to)[0], Framing.PART);
      }
      const [framing, request] = frame(block);
      assertEquals(framing, Framing.READY);
      assertEquals([request.code, request.opcode.name], [code, name]);
      assertEquals([request.opaque, request.cas.hi, request.cas.lo], [
        0x89abcdef,
        0xfedcba98,
        0x76543210,
      ]);
      assertEquals([request.extrasFrom, request.keyFrom, request.keyTo, request.valueBytes], [
        24,
        24 + length,
        24 + length + nkey,
        0,
      ]);
    });

    Deno.test(`${name} with ${length} bytes of extras is refused with wrong lengths`, () => {
      const { MALFORMED, READY, SHORT_BODY } = Framing;
      const value = judge({ ...good, body: good.body + 3 });
      assertEquals(value, hasValue ? READY : MALFORMED);
      const keyless = judge({ ...good, nkey: 0, body: length });
      assertEquals(keyless, key === KeyRule.NEEDED ? MALFORMED : READY);
      const keyed = judge({ ...good, nkey: 3, body: length + 3 });
      assertEquals(keyed, key === KeyRule.NONE ? MALFORMED : READY);
      assertEquals(judge({ ...good, nkey: 251, body: 251 + length }), MALFORMED);
      if (good.body > 0) assertEquals(judge({ ...good, body: good.body - 1 }), SHORT_BODY);
      assertEquals(judge({ ...good, body: BODY_BYTES_MAX + 1 }), MALFORMED);
    });
  }

  Deno.test(`${name} is refused with other extras`, () => {
    for (let length = 0; length < 256; length++) {
      const framing = judge({ code, nkey, extras: length, body: nkey + length });
      const isGood = extras.includes(length);
      assertEquals(framing === Framing.READY, isGood, `${length} bytes`);
    }
  });
}

Deno.test("a code that is no command is told from a bad packet", () => {
  assertEquals(judge({ code: 0x50, nkey: 3, extras: 9, body: 30 }), Framing.UNKNOWN);
  assertEquals(judge({ code: 0x50, nkey: 3, extras: 9, body: 3 }), Framing.SHORT_BODY);
});

Deno.test("what does not begin as a request is told at its first byte", () => {
  for (const byte of [0x00, 0x0a, 0x47, 0x7f, 0x81, 0xff]) {
    const block = Block.ofLength(HEADER_BYTES);
    block.bytes[0] = byte;
    assertEquals(frame(block, 1)[0], Framing.NO_REQUEST);
  }
});

Deno.test("a header is read where it begins, and not before all of it is there", () => {
  const get = packet({ code: 0x00, nkey: 5, extras: 0, body: 5 });
  const block = Block.ofLength(100);
  block.bytes.fill(0xff); // What an earlier request has left.
  block.bytes.set(get.bytes, 30);
  const request = new BinaryRequest();
  for (let to = 31; to < 30 + HEADER_BYTES; to++) {
    const whole = block.bytes.slice();
    block.bytes.fill(0xff, to);
    assertEquals(request.readHeader(block, 30, to), Framing.PART, `${to}`);
    block.bytes.set(whole);
  }
  assertEquals(request.readHeader(block, 30, 30 + HEADER_BYTES), Framing.READY);
  assertEquals([request.from, request.keyFrom, request.keyTo], [30, 54, 59]);
  assertEquals(request.readBody(58), Framing.PART);
  assertEquals(request.readBody(59), Framing.READY);
});

Deno.test("the longest key and the longest body are read, and no longer ones", () => {
  const set = { code: 0x01, extras: 8 };
  const longest = { ...set, nkey: 250, body: 258 };
  assertEquals(judge(longest), Framing.READY);
  assertEquals(judge({ ...longest, nkey: 251, body: 259 }), Framing.MALFORMED);
  const header = (body: number) => {
    const block = packet({ ...set, nkey: 5, body: 13 });
    block.view.setUint32(8, body);
    return frame(block)[0];
  };
  assertEquals(header(BODY_BYTES_MAX), Framing.READY);
  assertEquals(header(BODY_BYTES_MAX + 1), Framing.MALFORMED);
});
