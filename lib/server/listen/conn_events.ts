// The log lines about connections that come and go, for `watch connevents`.
// Source: memcached logger.c, _logger_parse_cne and _logger_parse_cce.

import { CLOSE_REASONS, type CloseReason } from "../../net/conn_record.ts";
import { type EventLog, LogType } from "../../log/event_log.ts";

/** `tcp:127.0.0.1:11211`, `tcp6:[::1]:11211`, `unix:/path` */
const ADDRESS = /^(?:tcp:|tcp6:\[)(.*?)\]?:(\d+)$/;

/** @param peer As `stats conns` shows it; undefined when the connection is gone. */
function endpoint(peer: string | undefined): string {
  if (peer?.startsWith("unix:")) return "rip=unix rport=0 transport=local";
  const [, host = "unknown", port = "0"] = ADDRESS.exec(peer ?? "") ?? [];
  return `rip=${host} rport=${port} transport=tcp`;
}

/** Logs a connection that has come. */
export function logConnNew(log: EventLog, fd: number, peer: string | undefined): void {
  log.text(LogType.CONNEVENT, `type=conn_new ${endpoint(peer)} cfd=${fd}`);
}

/** Characters that would end a line or break its fields. */
// deno-lint-ignore no-control-regex -- the pattern is about control characters
const CONTROLS = /[\x00-\x1f\x7f-\uffff]/g;

/**
 * Logs that a client violated the TLS protocol, or that a handshake failed.
 *
 * @param message Why; "" when the client just went away.
 * Source: memcached tls.c, ssl_accept; its logger.c, LOGGER_CONNECTION_TLSERROR.
 */
export function logTlsError(log: EventLog, fd: number, message: string): void {
  const text = message.replaceAll(CONTROLS, " ").trim() || "connection ended in the handshake";
  log.text(LogType.CONNEVENT, `type=conntlserr fd=${fd} msg=${text}`);
}

/** Logs a connection that is about to be closed. */
export function logConnClose(
  log: EventLog,
  fd: number,
  peer: string | undefined,
  reason: CloseReason,
): void {
  const text = `type=conn_close ${endpoint(peer)} reason=${CLOSE_REASONS[reason]} cfd=${fd}`;
  log.text(LogType.CONNEVENT, text);
}
