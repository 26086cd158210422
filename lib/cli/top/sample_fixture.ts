// Samples for tests: lines of stats in, one moment of a server out.

import type { StatLines } from "../link/server_link.ts";
import { type Answers, type Sample, sampleOf } from "./sample.ts";

/** Lines as `name value`, one a line. */
export function linesOf(text: string): StatLines {
  const rows = text.trim().split("\n").map((line) => line.trim().split(" "));
  return new Map(rows.map(([name = "", ...value]) => [name, value.join(" ")]));
}

/** What a server might say: two classes, a thousand gets of which 900 hit. */
export const GENERAL = `pid 7
  uptime 100
  version 1.6.45
  threads 4
  curr_connections 3
  max_connections 1024
  total_connections 10
  rusage_user 1.5
  rusage_system 0.5
  cmd_get 1000
  cmd_set 200
  get_hits 900
  get_misses 100
  delete_hits 3
  delete_misses 1
  bytes_read 10000
  bytes_written 50000
  bytes 1048576
  limit_maxbytes 67108864
  curr_items 30
  total_items 200
  evictions 10
  reclaimed 2`;

const ITEMS = `items:1:number 20
  items:1:number_hot 5
  items:1:number_warm 5
  items:1:number_cold 10
  items:1:age 500
  items:1:evicted 10
  items:1:evicted_time 90
  items:5:number 10
  items:5:age 60
  items:5:evicted 0
  items:5:evicted_time 0`;

const SLABS = `1:chunk_size 96
  1:total_pages 1
  1:total_chunks 10922
  1:used_chunks 20
  5:chunk_size 240
  5:total_pages 3
  5:total_chunks 13107
  5:used_chunks 10
  active_slabs 2`;

const CONNS = `20:addr tcp:127.0.0.1:11211
  20:state conn_listening
  21:state conn_read
  22:state conn_read
  23:state conn_parse_cmd`;

/** A sample of that server, `changes` made to its lines; undefined answers are refused ones. */
export function sampleAfter(changes: {
  readonly atMs?: number;
  /** Lines of `stats` that differ. */
  readonly general?: string;
  readonly items?: string | undefined;
  readonly answers?: Partial<Answers>;
  readonly own?: Sample["own"];
} = {}): Sample {
  const answers: Answers = {
    general: new Map([...linesOf(GENERAL), ...linesOf(changes.general ?? "pid 7")]),
    items: new Map([...linesOf(ITEMS), ...linesOf(changes.items ?? "x 0")]),
    slabs: linesOf(SLABS),
    settings: linesOf("maxconns 1024"),
    conns: linesOf(CONNS),
    ...changes.answers,
  };
  return sampleOf(answers, changes.atMs ?? 0, changes.own ?? { sent: 0, received: 0 });
}
