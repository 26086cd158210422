// `stats conns`: one group of lines for each connection and listener, whichever thread has it.
// Source of names and order: memcached memcached.c, process_stats_conns.

import { ConnState, stateName } from "../../net/conn_state.ts";
import type { ConnRow, ConnTable } from "../../stats/conn_table.ts";
import type { ConnSummary } from "../../stats/stats_view.ts";

/** Where a connection comes from, and which of our addresses it came to, as text. */
export interface ConnAddresses {
  readonly peer: string;
  readonly local: string;
}

type Line = readonly [name: string, value: string];

/**
 * The lines of `stats conns`.
 *
 * @param now Seconds since start.
 * @param addressesOf Of an open connection or listener; undefined when it has just closed.
 */
export function connLines(
  table: ConnTable,
  now: number,
  addressesOf: (row: ConnRow) => ConnAddresses | undefined,
): readonly Line[] {
  const lines: Line[] = [];
  for (const row of table.rows()) {
    const addresses = addressesOf(row);
    if (addresses === undefined) continue;
    const { peer, local } = addresses;
    const isListener = row.state === ConnState.LISTENING;
    lines.push([`${row.fd}:addr`, isListener ? local : peer]);
    if (!isListener) lines.push([`${row.fd}:listen_addr`, local]);
    lines.push([`${row.fd}:state`, shownState(row.state as ConnState)]);
    lines.push([`${row.fd}:secs_since_last_cmd`, String(Math.max(0, now - row.lastCommand))]);
  }
  return lines;
}

/** Counts connections by state, and listeners. */
export function summarizeConns(table: ConnTable): ConnSummary {
  const states: Record<string, number> = {};
  let listening = 0;
  let open = 0;
  for (const { state } of table.rows()) {
    if (state === ConnState.LISTENING) {
      listening++;
      continue;
    }
    const name = shownState(state as ConnState);
    states[name] = (states[name] ?? 0) + 1;
    open++;
  }
  return { listening, open, states };
}

/** The state as memcached shows it: there, an idle connection is in conn_read. */
function shownState(state: ConnState): string {
  return stateName(state === ConnState.WAITING ? ConnState.READ : state);
}
