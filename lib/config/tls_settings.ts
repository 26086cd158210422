// Settings of TLS: `-Z` and the `ssl_…` sub-options.
//
// Field names are memcached's `settings.ssl_…`. Source: memcached tls.c and memcached.c, main().

import { ExitCode, SettingsError } from "./settings_error.ts";
import type { Values } from "./values.ts";

const KIB = 1024;

/** What the server needs to speak TLS. */
export interface TlsSettings {
  /** Whether `-Z` was given. */
  readonly tls: boolean;
  /** File of the certificate chain, PEM; null without TLS. */
  readonly sslChainCert: string | null;
  /** File of the private key; null without TLS. */
  readonly sslKey: string | null;
  /** Client certificates: 0 none, 1 request, 2 require, 3 require once. */
  readonly sslVerifyMode: number;
  /** Form of the private key: 1 PEM, 2 DER. */
  readonly sslKeyformat: number;
  /** File of the authorities of client certificates, PEM; null for none: no certificate is good. */
  readonly sslCaCert: string | null;
  /** Bytes. */
  readonly sslWbufSize: number;
  readonly sslSessionCache: boolean;
  /** Lowest version: 0 for TLS 1.0 up to 3 for TLS 1.3. */
  readonly sslMinVersion: number;
}

/** What `stats settings` calls the versions. */
const VERSION_NAMES = ["tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3"] as const;

/** Reads the settings of TLS. */
export function tlsSettings(values: Values): TlsSettings {
  return {
    tls: values.isOn("enable-ssl"),
    sslChainCert: values.text("ssl_chain_cert"),
    sslKey: values.text("ssl_key"),
    sslVerifyMode: values.number("ssl_verify_mode"),
    sslKeyformat: values.number("ssl_keyformat"),
    sslCaCert: values.text("ssl_ca_cert"),
    sslWbufSize: values.number("ssl_wbuf_size") * KIB,
    sslSessionCache: values.isOn("ssl_session_cache"),
    sslMinVersion: values.number("ssl_min_version"),
  };
}

/** @throws {SettingsError} For TLS without a certificate or without TCP. */
export function checkTls(
  settings: TlsSettings & { readonly listen: readonly unknown[] },
): void {
  if (!settings.tls) return;
  if (settings.sslChainCert === null) throw unusable("-Z needs -o ssl_chain_cert=<file>");
  if (settings.sslKey === null) throw unusable("-Z needs -o ssl_key=<file>");
  if (settings.listen.length === 0) throw unusable("-Z needs a TCP port");
}

function unusable(message: string): SettingsError {
  return new SettingsError(`Cannot use TLS: ${message}`, ExitCode.USAGE);
}

/** The lines of `stats settings` about TLS. */
export const tlsRows: readonly (readonly [
  name: string,
  value: (s: TlsSettings) => string | number | boolean,
])[] = [
  ["ssl_enabled", (s) => s.tls],
  ["ssl_chain_cert", (s) => s.sslChainCert ?? "(null)"],
  ["ssl_key", (s) => s.sslKey ?? "(null)"],
  ["ssl_verify_mode", (s) => s.sslVerifyMode],
  ["ssl_keyformat", (s) => s.sslKeyformat],
  ["ssl_ciphers", () => "NULL"],
  ["ssl_ca_cert", (s) => s.sslCaCert ?? "NULL"],
  ["ssl_wbuf_size", (s) => s.sslWbufSize],
  ["ssl_session_cache", (s) => s.sslSessionCache],
  ["ssl_kernel_tls", () => false],
  ["ssl_min_version", (s) => VERSION_NAMES[s.sslMinVersion]!],
];
