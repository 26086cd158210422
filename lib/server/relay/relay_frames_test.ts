// Goal: what is written is what is read, whatever the sizes, as strings and as buffers.

import { assert, assertEquals } from "@std/assert";
import { Prng } from "../../base/prng.ts";
import { Frame, type FrameMessage, FrameWriter, isFrames, readFrames } from "./relay_frames.ts";

type Written = readonly [type: Frame, fd: number, number: number, bytes: string];

function roundTrip(write: (writer: FrameWriter) => void): [Written[], FrameMessage[]] {
  const messages: FrameMessage[] = [];
  const writer = new FrameWriter((message) => messages.push(message));
  write(writer);
  writer.flush();
  assert(writer.isEmpty);
  const read: Written[] = [];
  for (const message of messages) {
    assert(isFrames(message));
    readFrames(message, (type, fd, number, bytes) => {
      assertEquals(bytes.length, type === Frame.DATA ? number : 0);
      read.push([type, fd, number, bytes.join()]);
    });
  }
  return [read, messages];
}

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 255);

Deno.test("FrameWriter keeps the order of frames of every kind", () => {
  const [read, messages] = roundTrip((writer) => {
    writer.write(Frame.CONN, 5, 2);
    writer.writeData(5, bytesOf(3));
    writer.write(Frame.COUNT, 4_294_967_295, 4_294_967_295);
    writer.writeData(6, bytesOf(0));
    writer.write(Frame.END, 5, 0);
    writer.write(Frame.LOST, 6, 0);
    writer.write(Frame.CLOSE, 7, 0);
  });
  assertEquals(read, [
    [Frame.CONN, 5, 2, ""],
    [Frame.DATA, 5, 3, bytesOf(3).join()],
    [Frame.COUNT, 4_294_967_295, 4_294_967_295, ""],
    [Frame.DATA, 6, 0, ""],
    [Frame.END, 5, 0, ""],
    [Frame.LOST, 6, 0, ""],
    [Frame.CLOSE, 7, 0, ""],
  ]);
  assertEquals(messages.length, 1);
});

for (const [length, kind] of [[4087, "string"], [4088, "object"], [300_000, "object"]] as const) {
  Deno.test(`FrameWriter sends ${length} bytes as ${kind}`, () => {
    const [read, messages] = roundTrip((writer) => writer.writeData(9, bytesOf(length)));
    assertEquals(read.length, 1);
    assert(read[0]?.[3] === bytesOf(length).join(), "same bytes");
    assertEquals(messages.map((message) => typeof message), [kind]);
  });
}

Deno.test("FrameWriter writes what is read, for frames of random sizes", () => {
  const prng = new Prng(20);
  const expected: Written[] = [];
  const [read] = roundTrip((writer) => {
    for (let count = 0; count < 2000; count++) {
      const fd = prng.below(1000);
      if (prng.below(3) === 0) {
        writer.write(Frame.COUNT, fd, count);
        expected.push([Frame.COUNT, fd, count, ""]);
      } else {
        const bytes = bytesOf(prng.below(prng.below(50) === 0 ? 70_000 : 200));
        writer.writeData(fd, bytes);
        expected.push([Frame.DATA, fd, bytes.length, bytes.join()]);
      }
      if (prng.below(10) === 0) writer.flush();
    }
  });
  assert(JSON.stringify(read) === JSON.stringify(expected), "the same frames in the same order");
});
