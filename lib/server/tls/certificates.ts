// Certificate files: read, parsed, and tried before a client is served with them.
//
// createSecureContext() of node:tls accepts almost anything, and a session that cannot start gives
// no reason. So each file is parsed by itself first, and the message names the bad one. Source of
// the messages and of the exit code: memcached tls.c, load_server_certificates.

import { X509Certificate } from "node:crypto";
import type { ListenerOptions, TlsMode } from "../../config/listen_address.ts";
import type { TlsSettings } from "../../config/tls_settings.ts";
import { privateKeyIn } from "./private_key.ts";
import type { Certificates, ClientCertificate, TlsContext } from "./tls_context.ts";
import { openContext } from "./tls_session.ts";
import { canDriveTls } from "./tls_wrap.ts";

/** Certificates, or why there are none. */
export type Loaded =
  | { readonly certificates: Certificates }
  | { readonly certificates: undefined; readonly reason: string };

/** What sessions are made from, by the kind of listener. */
export type TlsContexts = Readonly<Record<ServedMode, TlsContext | undefined>>;

type ServedMode = Exclude<TlsMode, "none">;

const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g;
const VERIFY_NONE = 0;
const VERIFY_REQUEST = 1;

/** The kinds of listener that the settings have. */
function kindsOf({ listen }: { readonly listen: readonly ListenerOptions[] }): ServedMode[] {
  return listen.some(({ tls }) => tls === "mutual") ? ["server", "mutual"] : ["server"];
}

/** What a listener asks of its clients. Source: memcached.c, MC_SSL_ENABLED_NOPEER and _PEER. */
function clientCertificateOf(tls: TlsMode, { sslVerifyMode }: TlsSettings): ClientCertificate {
  if (tls === "mutual") return "require";
  if (tls !== "server" || sslVerifyMode === VERIFY_NONE) return "none";
  return sslVerifyMode === VERIFY_REQUEST ? "request" : "require";
}

/** Reads the files that the settings name and tries them. */
export function loadCertificates(
  settings: TlsSettings & { readonly listen: readonly ListenerOptions[] },
): Loaded {
  const { sslChainCert, sslKey, sslCaCert, sslKeyformat } = settings;
  const chain = certificatesIn(readBytes(sslChainCert));
  if (chain === "") return bad(`Error loading the certificate chain: ${sslChainCert}`);
  const keyBytes = readBytes(sslKey);
  const key = keyBytes === undefined ? "" : privateKeyIn(keyBytes, sslKeyformat);
  if (key === "") return bad(`Error loading the key: ${sslKey}`);
  const ca = sslCaCert === null ? "" : certificatesIn(readBytes(sslCaCert));
  if (sslCaCert !== null && ca === "") return bad(`Error loading the CA certificate: ${sslCaCert}`);
  const kinds = kindsOf(settings);
  if (ca === "" && kinds.some((tls) => clientCertificateOf(tls, settings) === "require")) {
    return bad("Client certificates cannot be checked without -o ssl_ca_cert");
  }
  const certificates = { chain, key, ca };
  const contexts = openContexts(certificates, settings);
  if (contexts.basic === undefined || kinds.some((tls) => contexts[tls] === undefined)) {
    return bad("Error validating the certificate");
  }
  return { certificates };
}

function bad(reason: string): Loaded {
  return { certificates: undefined, reason };
}

/**
 * Makes the contexts of every kind of listener.
 *
 * @param before The contexts that they replace. Where the CA certificates are the same, the client
 * certificates that were verified stay so, and their sessions can be resumed.
 */
export function openContexts(
  certificates: Certificates,
  settings: TlsSettings,
  before?: TlsContexts,
): TlsContexts {
  const open = (tls: TlsMode): TlsContext | undefined => {
    const asked = clientCertificateOf(tls, settings);
    if (asked === "require" && certificates.ca === "") return undefined;
    try {
      return openContext(certificates, settings.sslMinVersion, asked);
    } catch {
      return undefined; // TLSWrap throws for some certificates, and returns an error for others.
    }
  };
  const contexts = { basic: open("basic"), server: open("server"), mutual: open("mutual") };
  if (before !== undefined) {
    keepChecked(before.server, contexts.server);
    keepChecked(before.mutual, contexts.mutual);
  }
  return contexts;
}

function keepChecked(before: TlsContext | undefined, now: TlsContext | undefined): void {
  if (before === undefined || now?.ca !== before.ca) return;
  for (const fingerprint of before.checked) now.checked.add(fingerprint);
}

/** Why this runtime cannot do `-Z`; undefined when it can. */
export function tlsObstacle(): string | undefined {
  if (canDriveTls()) return undefined;
  return `TLS needs another version of Deno than ${Deno.version.deno}: its TLSWrap is not known`;
}

/** The PEM certificates in `bytes`; empty when there is none, or a bad one. */
function certificatesIn(bytes: Uint8Array<ArrayBuffer> | undefined): string {
  if (bytes === undefined) return "";
  const found = new TextDecoder().decode(bytes).match(PEM) ?? [];
  const certificates = found.map(certificateIn);
  if (certificates.includes(undefined)) return "";
  // Encoded again: TLSWrap accepts no other label than CERTIFICATE.
  return certificates.map((certificate) => `${certificate}\n`).join("");
}

/** The certificate in `pem`; undefined where there is none. */
function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function readBytes(path: string | null): Uint8Array<ArrayBuffer> | undefined {
  if (path === null) return undefined;
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}
