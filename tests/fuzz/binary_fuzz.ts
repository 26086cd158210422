// Goal: whatever packets come, in whatever pieces, each gets the response that a model says, the
// stream never loses its place, and nothing in the store is broken.
// Method: random requests on a few keys, loud and quiet, now and then an unknown command or a value
// that is too large, answered by a model as well; played whole and in pieces, on stores of the same
// kind. Then the header of one packet is edited: what came before it is answered as before, and
// what comes after it is still made of whole responses.

import { Prng } from "../../lib/base/prng.ts";
import { converse, type Cut } from "../../lib/net/network_fixture.ts";
import { checkStore } from "../../lib/store/check.ts";
import type { StoreShape } from "../../lib/store/plan.ts";
import { makeStore, testClock } from "../../lib/store/store_fixture.ts";
import {
  bytesOfLatin1,
  HEADER_BYTES,
  joined,
  Op,
  packet,
  type Parts,
  readResponses,
  type Response,
} from "../support/packets.ts";
import { restartProblems } from "../support/restarted.ts";
import { BinaryModel, drawRequest, ITEM_BYTES_MAX } from "./binary_model.ts";
import type { FuzzOptions } from "./store_fuzz.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20 };
const REQUESTS_MAX = 150;
const LAST_OPAQUE = 0x0ddba11;

/** Plays one round and returns what is wrong, with the seed that plays it again. */
export function fuzzBinary({ seed, operations }: FuzzOptions): string[] {
  const prng = new Prng(seed);
  const count = Math.min(operations, REQUESTS_MAX);
  const drawn: Parts[] = Array.from({ length: count }, (_, at) => drawRequest(prng, at));
  const slabChunkMax = prng.pick([1024, 2 ** 19]);
  const model = new BinaryModel(slabChunkMax);
  const requests: Parts[] = [];
  const expected: Response[] = [];
  for (const request of [...drawn, { op: Op.NOOP, opaque: LAST_OPAQUE }]) {
    if (model.isOpen(request)) continue;
    requests.push(request);
    expected.push(...model.answer(request));
  }
  const shape = { slabChunkMax, itemSizeMax: ITEM_BYTES_MAX };
  const cut = { recv: 1 + prng.below(40), send: 1 + prng.below(200) };
  const input = joined(requests.map(packet));
  const problems = [
    ...compare(play(input, WHOLE, shape), expected, "whole"),
    ...compare(play(input, cut, shape), expected, JSON.stringify(cut)),
    ...edit(prng, requests, shape, cut),
  ];
  return problems.map((problem) => `--seed ${seed}: ${problem}`);
}

/** A response as text; of its version only whether it has one. */
function show({ op, status, opaque, cas, extras, key, value }: Response): string {
  return JSON.stringify([op, status, opaque, cas > 0n, extras, key, value]);
}

interface Play {
  readonly responses: readonly Response[];
  readonly problems: readonly string[];
}

function play(input: Uint8Array<ArrayBuffer>, cut: Cut, shape: Partial<StoreShape>): Play {
  const store = makeStore(shape, testClock());
  const { client } = converse(input, cut, store);
  const problems = [...checkStore(store).problems, ...restartProblems(store)]
    .map((problem) => `store: ${problem}`);
  try {
    return { responses: readResponses(bytesOfLatin1(client.text)), problems };
  } catch (error) {
    return { responses: [], problems: [...problems, String(error)] };
  }
}

function compare(
  { responses, problems }: Play,
  expected: readonly Response[],
  how: string,
): string[] {
  const all = problems.map((problem) => `${how}: ${problem}`);
  for (let at = 0; at < Math.max(responses.length, expected.length); at++) {
    const got = responses[at] === undefined ? "nothing" : show(responses[at]!);
    const wanted = expected[at] === undefined ? "nothing" : show(expected[at]!);
    if (got === wanted) continue;
    return [...all, `${how}: response ${at} is ${got.slice(0, 200)}, not ${wanted.slice(0, 200)}`];
  }
  return all;
}

/** Numbers without the spaces behind them, which depend on what was sent before. */
function unpadded({ responses, problems }: Play): Play {
  const bare = responses.map((response) => ({
    ...response,
    value: response.value.replace(/^(\d{1,20}) +$/, "$1"),
  }));
  return { responses: bare, problems };
}

/** Plays the requests with one header changed. */
function edit(
  prng: Prng,
  requests: readonly Parts[],
  shape: Pick<StoreShape, "slabChunkMax" | "itemSizeMax">,
  cut: Cut,
): string[] {
  const which = prng.below(requests.length - 1);
  const bytes = requests.map(packet);
  for (let edits = 1 + prng.below(3); edits > 0; edits--) {
    // The first byte of all says that these are packets.
    const at = which === 0 ? 1 + prng.below(HEADER_BYTES - 1) : prng.below(HEADER_BYTES);
    bytes[which]![at] = prng.pick([0, 1, 4, 8, 0x7f, 0xff, prng.below(256)]);
  }
  const model = new BinaryModel(shape.slabChunkMax);
  const before = requests.slice(0, which).flatMap((request) => model.answer(request));
  const input = joined(bytes);
  const whole = play(input, WHOLE, shape);
  const cutUp = play(input, cut, shape);
  const first = { ...whole, responses: whole.responses.slice(0, before.length) };
  return [
    ...compare(first, before, `packet ${which} edited, before it`),
    ...compare(unpadded(cutUp), unpadded(whole).responses, `packet ${which} edited, cut`),
  ];
}
