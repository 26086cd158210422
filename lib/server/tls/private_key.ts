// Finds the private key of a server in a file in PEM or DER.
//
// A PEM file may have other blocks before the key, and a label that does not fit its block: PKCS#8
// under `RSA PRIVATE KEY` is common. So each block is parsed in every form that OpenSSL reads under
// its label; the first key is the one.
// Source: OpenSSL 3.0, SSL_CTX_use_PrivateKey_file, which memcached calls in tls.c.

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
 * @returns The key as PKCS#8 in PEM; empty when there is none that can be read without a
 * passphrase.
 */
export function privateKeyIn(bytes: Uint8Array<ArrayBuffer>, form: number): string {
  if (form === FORM_DER) return pemOf(keyOf(bytes, { forms: DER_FORMS }));
  for (const [, label = "", body = ""] of new TextDecoder().decode(bytes).matchAll(BLOCK)) {
    const labelled = LABELS.get(label);
    const der = fromBase64(body);
    if (labelled === undefined || der === undefined) continue;
    const key = keyOf(der, labelled);
    if (key !== undefined) return pemOf(key);
  }
  return "";
}

function keyOf(der: Uint8Array<ArrayBuffer>, { forms, kind }: Labelled): KeyObject | undefined {
  for (const form of forms) {
    const key = parseKey(der, form);
    if (key === undefined) continue;
    return kind === undefined || key.asymmetricKeyType === kind ? key : undefined;
  }
  return undefined;
}

function parseKey(der: Uint8Array<ArrayBuffer>, type: DerForm): KeyObject | undefined {
  try {
    return createPrivateKey({ key: der as never, format: "der", type });
  } catch {
    return undefined;
  }
}

function pemOf(key: KeyObject | undefined): string {
  if (key === undefined) return "";
  try {
    return key.export({ type: "pkcs8", format: "pem" }) as string;
  } catch {
    return "";
  }
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
