// Settings of values on flash: the `ext_…` sub-options and what the command `extstore` changes.
// memden keeps no value on flash: they are shown, as memcached shows them without `ext_path`.
//
// Field names are memcached's `settings.ext_…`. Source: memcached storage.c, storage_read_config;
// memcached.c, process_stat_settings.

import type { Values } from "./values.ts";

const MIB = 1024 * 1024;

/** What would decide about values on flash. */
export interface ExtSettings {
  /** Bytes. */
  readonly extItemSize: number;
  /** Seconds. */
  readonly extItemAge: number;
  /** Seconds. */
  readonly extLowTtl: number;
  /** Reads; 0 for never. */
  readonly extRecacheRate: number;
  /** Bytes. */
  readonly extWbufSize: number;
  /** Pages. */
  readonly extCompactUnder: number;
  /** Pages. */
  readonly extDropUnder: number;
  /** Microseconds. */
  readonly extMaxSleep: number;
  readonly extMaxFrag: number;
  readonly extDropUnread: boolean;
  /** Share of memory to hold free; an option by itself, which is shown among these. */
  readonly slabAutomoveFreeratio: number;
}

/** Reads the settings of values on flash. */
export function extSettings(values: Values): ExtSettings {
  return {
    extItemSize: values.number("ext_item_size"),
    extItemAge: values.number("ext_item_age"),
    extLowTtl: values.number("ext_low_ttl"),
    extRecacheRate: values.number("ext_recache_rate"),
    extWbufSize: values.number("ext_wbuf_size") * MIB,
    extCompactUnder: values.number("ext_compact_under"),
    extDropUnder: values.number("ext_drop_under"),
    extMaxSleep: values.number("ext_max_sleep"),
    extMaxFrag: values.number("ext_max_frag"),
    extDropUnread: values.isOn("ext_drop_unread"),
    slabAutomoveFreeratio: values.number("slab_automove_freeratio"),
  };
}

/** The lines of `stats settings` about values on flash. */
export const extRows: readonly (readonly [
  name: string,
  value: (s: ExtSettings) => string | number | boolean,
])[] = [
  ["ext_item_size", (s) => s.extItemSize],
  ["ext_item_age", (s) => s.extItemAge],
  ["ext_low_ttl", (s) => s.extLowTtl],
  ["ext_recache_rate", (s) => s.extRecacheRate],
  ["ext_wbuf_size", (s) => s.extWbufSize],
  ["ext_compact_under", (s) => s.extCompactUnder],
  ["ext_drop_under", (s) => s.extDropUnder],
  ["ext_max_sleep", (s) => s.extMaxSleep],
  ["ext_max_frag", (s) => s.extMaxFrag.toFixed(2)],
  ["slab_automove_freeratio", (s) => s.slabAutomoveFreeratio.toFixed(3)],
  ["ext_drop_unread", (s) => s.extDropUnread],
];
