// Certificate files: read, looked through, and tried before anybody is served with them.
//
// createSecureContext() of node:tls accepts almost anything, and a session that cannot be started
// gives no reason. So each file is read for itself first, and the sentence names the bad one.
// Source of the sentences and of the exit code: memcached tls.c, load_server_certificates.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { ListenManner, TlsMode } from "../config/listen_address.ts";
import type { TlsSettings } from "../config/tls_settings.ts";
import {
  canDriveTls,
  type Certificates,
  type ClientCertificate,
  openContext,
  type TlsContext,
} from "./tls_wrap.ts";

/** Certificates, or why there are none. */
export type Loaded =
  | { readonly certificates: Certificates }
  | { readonly certificates: undefined; readonly reason: string };

/** By how its connections are served, what a listener's sessions are made from. */
export type TlsContexts = Readonly<Record<Exclude<TlsMode, "none">, TlsContext | undefined>>;

const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g;
/** The key itself: a file may have its certificate, or the parameters of its curve, in front. */
const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+?-----END [A-Z ]+-----/;
const FORMAT_DER = 2;
/** Forms of a private key without PEM around it. */
const DER_TYPES = ["pkcs8", "pkcs1", "sec1"] as const;
const VERIFY_NONE = 0;
const VERIFY_REQUEST = 1;

/** Whether some listener may ask clients for certificates. */
function asksClients(
  settings: TlsSettings & { readonly listen: readonly ListenManner[] },
): boolean {
  return clientCertificateOf("server", settings) !== "none" ||
    settings.listen.some(({ tls }) => tls === "mutual");
}

/** What a listener asks of its clients. Source: memcached.c, MC_SSL_ENABLED_NOPEER and _PEER. */
function clientCertificateOf(tls: TlsMode, { sslVerifyMode }: TlsSettings): ClientCertificate {
  if (tls === "mutual") return "require";
  if (tls !== "server" || sslVerifyMode === VERIFY_NONE) return "none";
  return sslVerifyMode === VERIFY_REQUEST ? "request" : "require";
}

/** Reads the files that the settings name and tries them. */
export function loadCertificates(
  settings: TlsSettings & { readonly listen: readonly ListenManner[] },
): Loaded {
  const { sslChainCert, sslKey, sslCaCert, sslKeyformat } = settings;
  const chain = certificatesIn(readBytes(sslChainCert));
  if (chain === "") return bad(`Error loading the certificate chain: ${sslChainCert}`);
  const key = keyIn(readBytes(sslKey), sslKeyformat);
  if (key === "") return bad(`Error loading the key: ${sslKey}`);
  const ca = sslCaCert === null ? "" : certificatesIn(readBytes(sslCaCert));
  if (sslCaCert !== null && ca === "") return bad(`Error loading the CA certificate: ${sslCaCert}`);
  const asks = asksClients(settings);
  if (asks && ca === "") return bad("Client certificates cannot be checked without -o ssl_ca_cert");
  const certificates = { chain, key, ca };
  const contexts = openContexts(certificates, settings);
  if (contexts.basic === undefined || (asks && contexts.mutual === undefined)) {
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
 * @param before The contexts they replace: clients that these know, and whose authorities stay,
 * may go on with the sessions they have.
 */
export function openContexts(
  certificates: Certificates,
  settings: TlsSettings,
  before?: TlsContexts,
): TlsContexts {
  const open = (tls: TlsMode): TlsContext | undefined => {
    const asked = clientCertificateOf(tls, settings);
    if (asked !== "none" && certificates.ca === "") return undefined;
    return attempt(() => openContext(certificates, settings.sslMinVersion, asked));
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

/** Why `-Z` cannot be had with this runtime; undefined when it can. */
export function tlsObstacle(): string | undefined {
  if (canDriveTls()) return undefined;
  return `TLS needs another version of Deno than ${Deno.version.deno}: its TLSWrap is not known`;
}

/** The PEM certificates in `bytes`; empty when there is none, or a bad one. */
function certificatesIn(bytes: Uint8Array<ArrayBuffer> | undefined): string {
  if (bytes === undefined) return "";
  const found = new TextDecoder().decode(bytes).match(PEM) ?? [];
  const isGood = found.every((pem) => attempt(() => new X509Certificate(pem)) !== undefined);
  return isGood ? found.map((pem) => `${pem}\n`).join("") : "";
}

/** The private key in `bytes` as PKCS#8 in PEM; empty when there is none that can be read. */
function keyIn(bytes: Uint8Array<ArrayBuffer> | undefined, format: number): string {
  if (bytes === undefined) return "";
  let key: KeyObject | undefined;
  if (format === FORMAT_DER) {
    for (const type of DER_TYPES) {
      key ??= attempt(() => createPrivateKey({ key: bytes as never, format: "der", type }));
    }
  } else {
    const [pem = ""] = PEM_KEY.exec(new TextDecoder().decode(bytes)) ?? [];
    key = attempt(() => createPrivateKey(pem));
  }
  const text = attempt(() => key?.export({ type: "pkcs8", format: "pem" }));
  return typeof text === "string" ? text : "";
}

function readBytes(path: string | null): Uint8Array<ArrayBuffer> | undefined {
  return path === null ? undefined : attempt(() => Deno.readFileSync(path));
}

/** What a call gives; undefined when it throws: a file that cannot be used is an ordinary thing. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
    // deno-lint-ignore house/catch-place -- Deno and node:crypto refuse a file by throwing.
  } catch {
    return undefined;
  }
}
