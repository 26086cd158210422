// Where a server under test listens, and a client's connection to it: TCP, TLS or a Unix socket.

/** Where a server listens, and what it speaks there. */
export type Address = TcpAddress | UnixAddress;

/** A TCP port. */
export interface TcpAddress {
  readonly hostname: string;
  readonly port: number;
  /** The certificate that the server must have, PEM; undefined for plain text. */
  readonly certificate?: string;
}

/** A stream socket in the file system. */
export interface UnixAddress {
  readonly path: string;
}

/** How long a TLS handshake may take, in milliseconds. */
const HANDSHAKE_MS_MAX = 10_000;

/** Connects to `address`; over TLS the handshake is done when it returns. */
export async function connectTo(address: Address): Promise<Deno.Conn> {
  if ("path" in address) {
    return await Deno.connect({ transport: "unix", path: address.path });
  }
  const conn = await Deno.connect({ hostname: address.hostname, port: address.port });
  // Without it, every write after the first waits for the server's delayed acknowledgement.
  conn.setNoDelay(true);
  return address.certificate === undefined ? conn : await secure(conn, address.certificate);
}

/** Does the handshake by hand: Deno.connectTls leaves no way to set TCP_NODELAY before it. */
async function secure(conn: Deno.TcpConn, certificate: string): Promise<Deno.TlsConn> {
  const secured = await Deno.startTls(conn, { hostname: "localhost", caCerts: [certificate] });
  let open = true;
  const close = (): void => {
    if (open) secured.close();
    open = false;
  };
  const timer = setTimeout(close, HANDSHAKE_MS_MAX);
  try {
    await secured.handshake();
    return secured;
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
