// The private key of a server, out of a file in PEM or DER.
//
// A file may have anything in front of the key, and a label may be older than what it labels:
// PKCS#8 under `RSA PRIVATE KEY` is common. So every block is looked at, and tried as each form
// that OpenSSL reads under its label; the first that is a key is the key.
// Source: OpenSSL SSL_CTX_use_PrivateKey_file, which is what memcached calls, asked of 3.0.

import { createPrivateKey, type KeyObject } from "node:crypto";

const FORM_DER = 2;

/** Forms of a private key without PEM around it. */
type DerForm = "pkcs8" | "pkcs1" | "sec1";
const DER_FORMS: readonly DerForm[] = ["pkcs8", "pkcs1", "sec1"];

/** What may be under a label: in which forms, and of which kind; any kind where none is named. */
interface Labelled {
  readonly forms: readonly DerForm[];
  readonly kind?: string;
}

const LABELS: ReadonlyMap<string, Labelled> = new Map<string, Labelled>([
  ["PRIVATE KEY", { forms: ["pkcs8"] }],
  ["RSA PRIVATE KEY", { forms: ["pkcs1", "pkcs8"], kind: "rsa" }],
  ["EC PRIVATE KEY", { forms: ["sec1", "pkcs8"], kind: "ec" }],
  ["ENCRYPTED PRIVATE KEY", { forms: ["pkcs8"] }],
]);

/** A block of PEM. Lines may end in blanks or CR; with the header of a passphrase it is none. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----\s*\n([^-]*)^-----END \1-----/gm;

/**
 * Finds the private key in `bytes`.
 *
 * @param form 1 PEM, 2 DER.
 * @returns It as PKCS#8 in PEM; empty when there is none that can be read without a passphrase.
 */
export function privateKeyIn(bytes: Uint8Array<ArrayBuffer>, form: number): string {
  if (form === FORM_DER) return textOf(keyOf(bytes, { forms: DER_FORMS }));
  for (const [, label = "", body = ""] of new TextDecoder().decode(bytes).matchAll(BLOCK)) {
    const labelled = LABELS.get(label);
    const der = attempt(() => Uint8Array.fromBase64(body));
    if (labelled === undefined || der === undefined) continue;
    const key = keyOf(der, labelled);
    if (key !== undefined) return textOf(key);
  }
  return "";
}

function keyOf(der: Uint8Array<ArrayBuffer>, { forms, kind }: Labelled): KeyObject | undefined {
  for (const type of forms) {
    const key = attempt(() => createPrivateKey({ key: der as never, format: "der", type }));
    if (key === undefined) continue;
    return kind === undefined || key.asymmetricKeyType === kind ? key : undefined;
  }
  return undefined;
}

function textOf(key: KeyObject | undefined): string {
  const text = attempt(() => key?.export({ type: "pkcs8", format: "pem" }));
  return typeof text === "string" ? text : "";
}

/** What a call gives; undefined when it throws: bytes that are no key are an ordinary thing. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
    // node:crypto refuses a key by throwing.
  } catch {
    return undefined;
  }
}
