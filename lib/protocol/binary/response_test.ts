import { assertEquals } from "@std/assert";
import { readResponses } from "../../../tests/support/packets.ts";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { ReplyBuffer } from "../reply.ts";
import { BinaryRequest, HEADER_BYTES } from "./binary_request.ts";
import { OPCODE_BY_CODE } from "./opcodes.ts";
import { NO_CAS, Status, writeBody, writeDone, writeHeader, writeStatus } from "./response.ts";

/** A request of the command `code`. */
function requestOf(code: number): BinaryRequest {
  const request = new BinaryRequest();
  request.code = code;
  request.opcode = OPCODE_BY_CODE[code]!;
  request.opaque = 0x89abcdef;
  return request;
}

/** What `write` appends behind a few bytes that are there already. */
function written(write: (replies: ReplyBuffer) => void) {
  const replies = new ReplyBuffer(Block.ofLength(4096));
  replies.used = 5;
  write(replies);
  return readResponses(replies.block.bytes.slice(5, replies.used));
}

const NOTHING = { opaque: 0x89abcdef, cas: 0n, extras: "", key: "", value: "" };
const GET = 0x00;
const GETQ = 0x09;

Deno.test("writeHeader() puts every field in its place", () => {
  const cas = new U64();
  cas.set(0xfedcba98, 0x76543210);
  const responses = written((replies) => {
    writeHeader(replies, requestOf(0xa4), 0x82, 0x9c, 0xfe12, 0x9c + 0xfe12, cas);
    assertEquals(replies.used, 5 + HEADER_BYTES);
    const head = replies.block.view;
    assertEquals(
      Array.from({ length: 6 }, (_, word) => head.getUint32(5 + 4 * word)),
      [0x81a4fe12, 0x9c000082, 0x9c + 0xfe12, 0x89abcdef, 0xfedcba98, 0x76543210],
    );
    replies.used = 5;
  });
  assertEquals(responses, []);
});

Deno.test("writeStatus() appends a status with its text", () => {
  assertEquals(written((replies) => writeStatus(replies, requestOf(GET), Status.NON_NUMERIC)), [{
    ...NOTHING,
    op: GET,
    status: 6,
    value: "Non-numeric server-side value for incr or decr",
  }]);
});

Deno.test("writeBody() appends a value", () => {
  const body = Block.of(ascii("1.6.45"));
  assertEquals(written((replies) => writeBody(replies, requestOf(GET), body)), [
    { ...NOTHING, op: GET, status: 0, value: "1.6.45" },
  ]);
});

Deno.test("writeDone() answers a command, and a quiet one not at all", () => {
  const cas = new U64();
  cas.set(1, 2);
  assertEquals(written((replies) => writeDone(replies, requestOf(GET), cas)), [
    { ...NOTHING, op: GET, status: 0, cas: 0x1_0000_0002n },
  ]);
  assertEquals(written((replies) => writeDone(replies, requestOf(GETQ), NO_CAS)), []);
});
