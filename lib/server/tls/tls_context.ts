// What TLS sessions are made from: certificates, the lowest version, and what clients must show.

/** The server's certificates, and the CA certificates that client certificates are checked by. */
export interface Certificates {
  /** PEM: the server's certificate, and the intermediate ones. */
  readonly chain: string;
  /** PKCS#8 in PEM. */
  readonly key: string;
  /** PEM: the CA certificates for client certificates; empty for none. */
  readonly ca: string;
}

/** Whether a client is asked for a certificate. One that it sends is verified in any case. */
export type ClientCertificate = "none" | "request" | "require";

/** What the sessions of one kind of listener are made from. */
export interface TlsContext {
  /** Options for TLSWrap. */
  readonly parts: object;
  readonly clientCertificate: ClientCertificate;
  /** PEM: the CA certificates; empty for none, which verify no certificate. */
  readonly ca: string;
  /** SHA-256 fingerprints of client certificates that these CA certificates have verified. */
  readonly checked: Set<string>;
}

/**
 * Makes a context. {@linkcode openContext} of tls_session.ts also tries whether it can be used.
 *
 * @param minVersion `ssl_min_version`, 0..3: below 2 counts as 2, which is TLS 1.2.
 */
export function makeContext(
  certificates: Certificates,
  minVersion: number,
  clientCertificate: ClientCertificate,
): TlsContext {
  const asks = clientCertificate !== "none";
  const parts = {
    cert: certificates.chain,
    key: certificates.key,
    // Only where it is needed: TLSWrap would send the CA certificates as a part of the chain.
    ca: asks ? certificates.ca : undefined,
    minVersion: minVersion > 2 ? "TLSv1.3" : "TLSv1.2",
    maxVersion: "TLSv1.3",
    requestCert: asks,
    rejectUnauthorized: clientCertificate === "require",
  };
  return { parts, clientCertificate, ca: certificates.ca, checked: new Set<string>() };
}
