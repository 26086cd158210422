import { assertEquals, assertRejects } from "@std/assert";
import {
  addErrors,
  type ByteConn,
  digitsOf,
  MISSED,
  outOfMemory,
  parseStats,
  statNumber,
  TextClient,
} from "./text_client.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A server that says `replies`, `cut` bytes of it first. */
function scripted(replies: string, cut: number): { conn: ByteConn; sent: () => string } {
  const bytes = encode(replies);
  const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((part) => part.length > 0);
  let sent = "";
  const conn: ByteConn = {
    read(into) {
      const part = parts.shift();
      if (part !== undefined) into.set(part);
      return Promise.resolve(part?.length ?? null);
    },
    write(from) {
      sent += new TextDecoder().decode(from);
      return Promise.resolve(from.length);
    },
    close() {},
  };
  return { conn, sent: () => sent };
}

Deno.test("TextClient.store() counts refusals up to the version, at every cut", async () => {
  const replies = "STORED\r\nSERVER_ERROR out of memory storing object\r\nERROR\r\n" +
    "SERVER_ERROR out of memory storing object\r\nVERSION 1.6.18\r\n";
  for (let cut = 0; cut < replies.length; cut++) {
    const { conn, sent } = scripted(replies, cut);
    const errors = await new TextClient(conn).store(encode("set …"));
    assertEquals(errors.get("SERVER_ERROR out of memory storing object"), 2);
    assertEquals(errors.get("ERROR"), 1);
    assertEquals([errors.size, outOfMemory(errors), sent()], [2, 2, "set …version\r\n"]);
  }
});

Deno.test("TextClient.get() tells number and length of each value, at every cut", async () => {
  const replies = "VALUE key-0042 0 5\r\nEND\r\n\r\nVALUE key-0007 9 0\r\n\r\nEND\r\n";
  for (let cut = 0; cut < replies.length; cut++) {
    const hits: number[][] = [];
    const client = new TextClient(scripted(replies, cut).conn);
    await client.get(encode("get …"), (key, nbytes) => hits.push([key, nbytes]));
    assertEquals(hits, [[42, 5], [7, 0]]);
  }
});

Deno.test("TextClient.metaGet() tells the length of each value, at every cut", async () => {
  const replies = "VA 4\r\nEN\r\n\r\nEN\r\nVA 0\r\n\r\n";
  for (let cut = 0; cut < replies.length; cut++) {
    const lengths: number[] = [];
    const client = new TextClient(scripted(replies, cut).conn);
    await client.metaGet(encode("mg …"), 3, (index, nbytes) => lengths[index] = nbytes);
    assertEquals(lengths, [4, MISSED, 0]);
  }
});

Deno.test("TextClient.metaSet() counts refusals, at every cut", async () => {
  const replies = "HD\r\nSERVER_ERROR out of memory storing object\r\nHD\r\nNS\r\n";
  for (let cut = 0; cut < replies.length; cut++) {
    const errors = await new TextClient(scripted(replies, cut).conn).metaSet(encode("ms …"), 4);
    assertEquals([errors.get("NS"), outOfMemory(errors), errors.size], [1, 1, 2]);
  }
});

Deno.test("TextClient.stats() reads to END, at every cut", async () => {
  const replies = "STAT evictions 5\r\nSTAT version 1.6.18\r\nEND\r\n";
  for (let cut = 0; cut < replies.length; cut++) {
    const { conn, sent } = scripted(replies, cut);
    const stats = await new TextClient(conn).stats("items");
    assertEquals([...stats], [["evictions", "5"], ["version", "1.6.18"]]);
    assertEquals(sent(), "stats items\r\n");
  }
});

Deno.test("TextClient refuses a reply that is none, or is not finished", async () => {
  const get = (replies: string) => () =>
    new TextClient(scripted(replies, 1).conn).get(encode("get …"), () => {});
  await assertRejects(get("SERVER_ERROR out of memory\r\n"), Error, "SERVER_ERROR out of memory");
  await assertRejects(get("VALUE key-1 0 5\r\nab"), Error, "closed");
});

Deno.test("parseStats() and statNumber() find numbers, and 0 for what is not shown", () => {
  const stats = parseStats("STAT items:4:number 12\r\nSTAT inter 127.0.0.1\r\nEND\r\n");
  assertEquals(statNumber(stats, "items:4:number"), 12);
  assertEquals(statNumber(stats, "slabs_moved"), 0);
  assertEquals(stats.get("inter"), "127.0.0.1");
});

Deno.test("digitsOf() passes over what is no digit", () => {
  assertEquals(digitsOf(encode("key-00120 "), 0, 10), 120);
  assertEquals(digitsOf(encode("12345"), 1, 3), 23);
});

Deno.test("addErrors() adds up", () => {
  const errors = new Map([["ERROR", 1]]);
  addErrors(errors, new Map([["ERROR", 2], ["SERVER_ERROR out of memory", 4]]));
  assertEquals([...errors], [["ERROR", 3], ["SERVER_ERROR out of memory", 4]]);
});
