// What the system and the runtime say when a socket cannot be bound.

import { Errno } from "../../sys/errno.ts";
import { errorText } from "../../sys/libc.ts";
import { localAddress } from "../../sys/socket.ts";
import { Refusal } from "./listen_plan.ts";

const CAUSES: Readonly<Record<string, Refusal["cause"]>> = {
  EADDRINUSE: "taken",
  EADDRNOTAVAIL: "absent",
  EAFNOSUPPORT: "absent",
  EPROTONOSUPPORT: "absent",
};

/** Why a call failed, by its errno. */
export function refusalOf(code: number): Refusal {
  const [name = ""] = Object.entries(Errno).find(([, number]) => number === code) ?? [];
  return new Refusal(CAUSES[name] ?? "other", errorText(code));
}

/**
 * Why the runtime could not bind. Its error has the errno's name, and the number in its message.
 */
export function refusalOfError(error: Error & { readonly code?: string }): Refusal {
  const reason = error.message.replace(/ \(os error \d+\)$/, "");
  return new Refusal(CAUSES[error.code ?? ""] ?? "other", reason);
}

/** The port that a socket is bound to; 0 for a Unix socket. */
export function portOfSocket(fd: number): number {
  const bound = localAddress(fd);
  return bound?.family === "tcp" ? bound.port : 0;
}
