import { assertEquals } from "@std/assert";
import { makeStore } from "../../store/store_fixture.ts";
import { publishTicketName, ticketThread } from "./ticket_names.ts";

const name = (seed: number) => Uint8Array.from({ length: 16 }, (_, at) => seed * 16 + at);

Deno.test("ticketThread() knows each thread's name, and the one it had before", () => {
  const { control } = makeStore();
  const find = (bytes: Uint8Array) => ticketThread(control, 1, new Uint8Array([0, ...bytes]), 1);
  assertEquals([find(name(1)), find(new Uint8Array(16))], [0, 0]);
  publishTicketName(control, 1, name(1));
  publishTicketName(control, 1, name(1));
  assertEquals([find(name(1)), find(name(2))], [1, 0]);
  publishTicketName(control, 1, name(2));
  publishTicketName(control, 1, name(2));
  assertEquals([find(name(1)), find(name(2))], [1, 1]);
  publishTicketName(control, 1, name(3));
  assertEquals([find(name(1)), find(name(2)), find(name(3))], [0, 1, 1]);
});
