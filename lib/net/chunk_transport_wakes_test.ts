// When ChunkTransport gives out a connection as ready, and as what.

import { assertEquals } from "@std/assert";
import { ChunkTransport, SEND_CHUNK_MAX, SEND_WINDOW } from "./chunk_transport.ts";

const FD = 5;
const STRANGER = 9;
const NOT_AT_ALL = 0;
const HALF = SEND_WINDOW / 2;

/** What is given out now, in words. */
function given(transport: ChunkTransport): string {
  const count = transport.wait(NOT_AT_ALL);
  const words = Array.from({ length: count }, (_, index) =>
    [
      transport.fdAt(index),
      ...(transport.isHangup(index) ? ["hangup"] : []),
      ...(transport.isGone(index) ? ["gone"] : []),
    ].join(" "));
  return words.join(", ");
}

/** A transport with the connection FD, and `inFlight` bytes on their way to its client. */
function opened(inFlight = 0): ChunkTransport {
  const transport = new ChunkTransport([], { send: () => {}, taken: () => {}, close: () => {} });
  transport.open(FD);
  for (let left = inFlight; left > 0;) {
    left -= transport.sendBytes(FD, new Uint8Array(Math.min(left, SEND_CHUNK_MAX)));
  }
  return transport;
}

function arrive(transport: ChunkTransport): void {
  transport.arrived(FD, new Uint8Array(3));
}

interface Case {
  readonly name: string;
  readonly inFlight?: number;
  readonly acts: (transport: ChunkTransport) => void;
  readonly ready: string;
}

const CASES: readonly Case[] = [
  { name: "nothing has happened", acts: (one) => one.waitReadable(FD), ready: "" },
  { name: "bytes arrive", acts: arrive, ready: "5" },
  {
    name: "bytes arrive twice: it is ready once",
    acts: (one) => {
      arrive(one);
      arrive(one);
    },
    ready: "5",
  },
  {
    name: "bytes have arrived before it waits for them",
    acts: (one) => {
      one.waitWritable(FD);
      one.wait(NOT_AT_ALL);
      arrive(one);
      one.waitReadable(FD);
    },
    ready: "5",
  },
  {
    name: "bytes arrive while it waits for room",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitWritable(FD);
      arrive(one);
    },
    ready: "",
  },
  {
    name: "bytes arrive while it waits for either",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitWritable(FD);
      one.waitEither(FD);
      arrive(one);
    },
    ready: "5",
  },
  {
    name: "the window comes free while it waits for either",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitEither(FD);
      one.sent(FD, HALF);
    },
    ready: "5",
  },
  { name: "the client has ended", acts: (one) => one.ended(FD, false), ready: "5 hangup" },
  {
    name: "the client has ended before it waits for bytes",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitWritable(FD);
      one.ended(FD, false);
      one.waitReadable(FD);
    },
    ready: "5 hangup",
  },
  {
    name: "the client has ended while it waits for room",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitWritable(FD);
      one.ended(FD, false);
    },
    ready: "",
  },
  {
    name: "the client is lost while it waits for room",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitWritable(FD);
      one.ended(FD, true);
    },
    ready: "5 hangup gone",
  },
  {
    name: "the client is lost, and then has ended",
    acts: (one) => {
      one.ended(FD, true);
      one.ended(FD, false);
    },
    ready: "5 hangup gone",
  },
  {
    name: "half of the window is free",
    inFlight: HALF,
    acts: (one) => one.waitWritable(FD),
    ready: "5",
  },
  {
    name: "less than half of the window is free",
    inFlight: HALF + 1,
    acts: (one) => one.waitWritable(FD),
    ready: "",
  },
  {
    name: "half of the window comes free",
    inFlight: HALF + 2,
    acts: (one) => {
      one.waitWritable(FD);
      one.sent(FD, 2);
    },
    ready: "5",
  },
  {
    name: "less than half of the window comes free",
    inFlight: HALF + 2,
    acts: (one) => {
      one.waitWritable(FD);
      one.sent(FD, 1);
    },
    ready: "",
  },
  {
    name: "the window comes free while it waits for bytes",
    inFlight: SEND_WINDOW,
    acts: (one) => {
      one.waitReadable(FD);
      one.sent(FD, SEND_WINDOW);
    },
    ready: "",
  },
  {
    name: "something happens to a connection that is closed",
    acts: (one) => {
      one.arrived(STRANGER, new Uint8Array(3));
      one.ended(STRANGER, true);
      one.sent(STRANGER, 1);
      one.waitEither(STRANGER);
    },
    ready: "",
  },
];

for (const { name, inFlight, acts, ready } of CASES) {
  Deno.test(`ChunkTransport.wait() when ${name}: ${ready === "" ? "nothing" : ready}`, () => {
    const transport = opened(inFlight);
    acts(transport);
    assertEquals(given(transport), ready);
    assertEquals(given(transport), "", "it is given out once");
  });
}

Deno.test("ChunkTransport.wait() gives out a connection again when more happens", () => {
  const transport = opened();
  for (let time = 0; time < 3; time++) {
    arrive(transport);
    assertEquals(given(transport), "5");
  }
});
