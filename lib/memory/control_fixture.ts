// Control memory for tests: small, and of no server.

import {
  type Control,
  makeControlMemory,
  openControl,
  planRegions,
  type RegionSizes,
} from "./regions.ts";

/** One of everything that has a size. */
const SMALL_SIZES: RegionSizes = {
  shards: 1,
  slabClasses: 1,
  lrus: 1,
  pages: 1,
  counterThreads: 1,
  countersPerThread: 1,
  tunables: 3,
  bumpsPerThread: 16,
  itemSizes: 5,
  conns: 7,
  connNameBytes: 128,
  loginWords: 7,
  prefixWords: 0,
  logRingBytes: 4096,
  logLinesBytes: 8192,
  sampleBytes: 0,
};

/** Control memory with these sizes, small where none is given. */
export function makeControl(sizes: Partial<RegionSizes> = {}): Control {
  const regions = planRegions({ ...SMALL_SIZES, ...sizes });
  return openControl(makeControlMemory(regions), regions);
}
