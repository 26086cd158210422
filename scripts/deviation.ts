// A row of the table of differences in docs/protocol.md.

/** One difference: what memcached does, what memden does, the reason. */
export type Deviation = readonly [memcached: string, memden: string, why: string];
