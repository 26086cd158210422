// The ways in to a server under test: what it is started with for each, and where it then listens.
// Everything is on 127.0.0.1 or in a temporary directory.

import type { Address } from "./address.ts";

/**
 * The ways in.
 *
 * - `tcp`: plain TCP; memden with the transport it chooses
 * - `unix`: a Unix socket alone
 * - `tls`: TCP with TLS
 * - `relay`: plain TCP, memden with `--transport=relay`
 * - `relay-tls`: TCP with TLS, and that transport
 * - `no-ffi`: plain TCP, memden without the permission to call C
 */
export const WAYS = ["tcp", "unix", "tls", "relay", "relay-tls", "no-ffi"] as const;

/** One of {@linkcode WAYS}. */
export type Over = typeof WAYS[number];

/** Those of {@linkcode WAYS} that memcached has. */
export const MEMCACHED_WAYS: readonly Over[] = ["tcp", "unix", "tls"];

/** A way in that is prepared, for a server to be started. */
export interface Way {
  /** Flags of the server. */
  readonly args: readonly string[];
  /** Where it will listen. */
  readonly address: Address;
  /** Removes the files that were made for it. */
  remove(): Promise<void>;
}

/** The name `text`, if it is one of a way. */
export function parseOver(text: string): Over | undefined {
  return WAYS.find((way) => way === text);
}

/**
 * Ports to choose from: none that a kernel gives to clients (Linux: 32768 and up), for the port of
 * a server that is yet to start must not become that of somebody's connection.
 */
const PORTS = { first: 12_000, count: 20_000 } as const;

const given = new Set<number>();

/** A port for a server that is to start: free for TCP a moment ago, and never given before. */
export function freePort(): number {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (given.has(port)) continue;
    given.add(port);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Chooses a free port, or makes the directory with the socket's place or the certificate. */
export async function prepareWay(over: Over): Promise<Way> {
  const port = freePort();
  const tcp = ["-l", "127.0.0.1", "-p", String(port)];
  const address = { hostname: "127.0.0.1", port };
  switch (over) {
    case "tcp":
    case "no-ffi":
      return { args: tcp, address, remove: async () => {} };
    case "relay":
      return { args: [...tcp, "--transport=relay"], address, remove: async () => {} };
    case "unix": {
      const { dir, remove } = await makeDir();
      return { args: ["-s", `${dir}/sock`], address: { path: `${dir}/sock` }, remove };
    }
    case "tls":
    case "relay-tls": {
      const { dir, remove } = await makeDir();
      const certificate = await makeCertificate(dir);
      const files = `ssl_chain_cert=${dir}/cert.pem,ssl_key=${dir}/key.pem`;
      const relay = over === "relay-tls" ? ["--transport=relay"] : [];
      const args = [...tcp, "-Z", "-o", files, ...relay];
      return { args, address: { ...address, certificate }, remove };
    }
  }
}

/** A directory with a short name: that of a Unix socket has room for 107 bytes. */
async function makeDir(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "memden-" });
  return { dir, remove: () => Deno.remove(dir, { recursive: true }) };
}

/**
 * Makes cert.pem, which signs itself, and its key.pem in `dir`.
 *
 * @returns What is in cert.pem.
 */
export async function makeCertificate(dir: string): Promise<string> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
      ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      // A certificate that may sign others is refused as a server's own.
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`],
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`openssl: ${new TextDecoder().decode(stderr)}`);
  return await Deno.readTextFile(`${dir}/cert.pem`);
}
