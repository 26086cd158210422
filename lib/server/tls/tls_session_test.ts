// Method: TlsSession against node:tls as the client, in memory. tests/tls does so over sockets.

import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import { makeCertificates } from "../../../tests/tls/certificates.ts";
import { loadCertificates } from "./certificates.ts";
import { ownTicketName } from "./ticket_key.ts";
import type { Certificates } from "./tls_context.ts";
import { openContext, TlsSession } from "./tls_session.ts";
import { canDriveTls } from "./tls_wrap.ts";
import type { TlsSettings } from "../../config/tls_settings.ts";

const SECURE_VERSION = 2;
const LARGE_BYTES = 40_000;
const TIMES = 5;

const folder = Deno.makeTempDirSync({ prefix: "memden-tls-" });
await makeCertificates(folder);
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function settingsWith(changes: Partial<TlsSettings>) {
  return {
    tls: true,
    sslChainCert: `${folder}/server.crt`,
    sslKey: `${folder}/server.key`,
    sslVerifyMode: 0,
    sslKeyformat: 1,
    sslCaCert: null,
    sslWbufSize: 0,
    sslSessionCache: false,
    sslMinVersion: SECURE_VERSION,
    listen: [],
    ...changes,
  };
}

function certificates(changes: Partial<TlsSettings> = {}): Certificates {
  const loaded = loadCertificates(settingsWith(changes));
  if (loaded.certificates === undefined) throw new Error(loaded.reason);
  return loaded.certificates;
}

function openSession(): TlsSession {
  const context = openContext(certificates(), SECURE_VERSION, "none");
  const session = context === undefined ? undefined : TlsSession.open(context);
  if (session === undefined) throw new Error("no session");
  return session;
}

function reason(changes: Partial<TlsSettings>): string | undefined {
  const loaded = loadCertificates(settingsWith(changes));
  return loaded.certificates === undefined ? loaded.reason : undefined;
}

/** A client whose bytes go to `session` and back at once; what arrives goes to `plain`. */
function clientOf(session: TlsSession, plain: (bytes: Uint8Array) => void): TLSSocket {
  const room = new Uint8Array(1000);
  const wire = new Duplex({
    read: () => {},
    write(bytes: Uint8Array, _encoding, done) {
      session.receive(bytes);
      for (
        let count = session.take(room, 0, 1000);
        count > 0;
        count = session.take(room, 0, 1000)
      ) {
        plain(room.slice(0, count));
      }
      pass();
      done();
    },
  });
  const pass = (): void => {
    const out = session.drain();
    if (out !== undefined) wire.push(out);
  };
  return connect({ socket: wire, rejectUnauthorized: false });
}

Deno.test("this version of Deno has all that TLS needs", () => assert(canDriveTls()));

Deno.test("TlsSession decrypts and encrypts more than a record holds", async () => {
  const session = openSession();
  const large = crypto.getRandomValues(new Uint8Array(LARGE_BYTES));
  let got = 0;
  const client = clientOf(session, (bytes) => got += bytes.length);
  await new Promise((resolve) => client.once("secureConnect", resolve));
  for (let time = 0; time < TIMES; time++) {
    await new Promise((resolve) => client.write(large, resolve));
  }
  assertEquals(got, TIMES * LARGE_BYTES);
  assert(session.isSecure);
  assert(session.isAdmitted);
  session.write(large.subarray(0, 30_000));
  const encrypted = session.drain()?.length ?? 0;
  assert(encrypted > 30_000 && encrypted < 31_000);
  client.destroy();
  session.close();
});

Deno.test("TlsSession fails on what is not TLS, and has an alert to send", () => {
  const session = openSession();
  session.receive(new TextEncoder().encode("get k\r\n"));
  assert(session.hasFailed);
  assert(!session.isSecure);
  assertEquals(session.drain()?.[0], 21);
  session.close();
});

Deno.test("openContext() refuses a key of another certificate", () => {
  const { key } = certificates({
    sslChainCert: `${folder}/renewed.crt`,
    sslKey: `${folder}/renewed.key`,
  });
  assertEquals(openContext({ ...certificates(), key }, SECURE_VERSION, "none"), undefined);
});

Deno.test("ownTicketName() is the same at every call, for every certificate", () => {
  const name = ownTicketName(certificates());
  assertEquals(name?.length, 16);
  assertEquals(ownTicketName(certificates()), name);
  const renewed = { sslChainCert: `${folder}/renewed.crt`, sslKey: `${folder}/renewed.key` };
  assertEquals(ownTicketName(certificates(renewed)), name);
});

Deno.test("loadCertificates() reads a key in DER, and one that stands with its certificate", () => {
  assertEquals(certificates({ sslKey: `${folder}/server.der`, sslKeyformat: 2 }), certificates());
  const both = `${folder}/both.pem`;
  const parts = ["server.key", "server.crt", "ca.crt"];
  Deno.writeTextFileSync(
    both,
    parts.map((name) => Deno.readTextFileSync(`${folder}/${name}`)).join(""),
  );
  const loaded = certificates({ sslChainCert: both, sslKey: both });
  assertEquals(loaded.chain.match(/BEGIN/g)?.length, 2);
  assertEquals(loaded.key, certificates().key);
});

Deno.test("loadCertificates() reads certificates of any label, with anything around them", () => {
  const plain = Deno.readTextFileSync(`${folder}/server.crt`);
  const files = [
    plain.replaceAll("\n", "\r\n"),
    plain.trimEnd(),
    `\uFEFF${plain}`,
    `a name -- of it: x\n${plain}the end`,
    plain.replaceAll("CERTIFICATE", "X509 CERTIFICATE"),
    plain.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"),
  ];
  for (const text of files) {
    const sslChainCert = `${folder}/any.crt`;
    Deno.writeTextFileSync(sslChainCert, text);
    assertEquals(certificates({ sslChainCert }), certificates(), text);
  }
});

Deno.test("loadCertificates() says which file is bad", () => {
  const junk = `${folder}/junk.pem`;
  assertEquals(reason({ sslChainCert: junk }), `Error loading the certificate chain: ${junk}`);
  assertEquals(reason({ sslKey: junk }), `Error loading the key: ${junk}`);
  assertEquals(reason({ sslCaCert: junk }), `Error loading the CA certificate: ${junk}`);
  assertEquals(reason({ sslKey: `${folder}/ca.key` }), "Error validating the certificate");
  assertEquals(reason({ sslKey: null }), "Error loading the key: null");
  for (const sslVerifyMode of [2, 3]) {
    assert(reason({ sslVerifyMode })?.includes("ssl_ca_cert"));
  }
  assertEquals(reason({ sslVerifyMode: 1 }), undefined);
  assertEquals(reason({ sslVerifyMode: 3, sslCaCert: `${folder}/ca.crt` }), undefined);
});
