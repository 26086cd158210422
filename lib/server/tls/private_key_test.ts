// Goal: a key file is read as OpenSSL reads it, whatever it is labelled and whatever is around it.
// Method: make keys, write them as files of all kinds, and read them; what must be read, and what
// must not, is what memcached 1.6.18 with OpenSSL 3.0 did with each.

import { assertEquals, assertNotEquals } from "@std/assert";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { privateKeyIn } from "./private_key.ts";

const PEM = 1;
const DER = 2;

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;

function derOf(key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: type as "pkcs8", format: "der" }));
}

const FORMS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "RSA in PKCS#8": derOf(rsa, "pkcs8"),
  "RSA in PKCS#1": derOf(rsa, "pkcs1"),
  "EC in PKCS#8": derOf(ec, "pkcs8"),
  "EC in SEC1": derOf(ec, "sec1"),
  "Ed25519 in PKCS#8": derOf(ed25519, "pkcs8"),
};

/** Which forms are read under which label. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  "PRIVATE KEY": ["RSA in PKCS#8", "EC in PKCS#8", "Ed25519 in PKCS#8"],
  "ENCRYPTED PRIVATE KEY": ["RSA in PKCS#8", "EC in PKCS#8", "Ed25519 in PKCS#8"],
  "RSA PRIVATE KEY": ["RSA in PKCS#8", "RSA in PKCS#1"],
  "EC PRIVATE KEY": ["EC in PKCS#8", "EC in SEC1"],
  "DSA PRIVATE KEY": [],
  "ANY PRIVATE KEY": [],
  "OPENSSH PRIVATE KEY": [],
  "PUBLIC KEY": [],
  "CERTIFICATE": [],
};

function pemOf(label: string, der: Uint8Array<ArrayBuffer>): string {
  const lines = der.toBase64().replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function read(text: string): string {
  return privateKeyIn(new TextEncoder().encode(text), PEM);
}

for (const [label, readable] of Object.entries(LABELS)) {
  Deno.test(`privateKeyIn() reads ${readable.join(", ") || "nothing"} under ${label}`, () => {
    const found = Object.keys(FORMS).filter((form) => read(pemOf(label, FORMS[form]!)) !== "");
    assertEquals(found, readable);
  });
}

Deno.test("privateKeyIn() gives the same key, whatever its form and label", () => {
  const text = rsa.export({ type: "pkcs8", format: "pem" });
  assertEquals(read(pemOf("RSA PRIVATE KEY", FORMS["RSA in PKCS#8"]!)), text);
  assertEquals(read(pemOf("RSA PRIVATE KEY", FORMS["RSA in PKCS#1"]!)), text);
  for (const form of ["RSA in PKCS#8", "RSA in PKCS#1"]) {
    assertEquals(privateKeyIn(FORMS[form]!, DER), text);
  }
  for (const form of ["EC in PKCS#8", "EC in SEC1"]) {
    assertNotEquals(privateKeyIn(FORMS[form]!, DER), "");
  }
  assertEquals(privateKeyIn(new Uint8Array(50), DER), "");
});

const GOOD = pemOf("RSA PRIVATE KEY", FORMS["RSA in PKCS#8"]!);
const SEC1 = pemOf("EC PRIVATE KEY", FORMS["EC in SEC1"]!);
/** The object identifier of prime256v1. */
const PARAMETERS = pemOf("EC PARAMETERS", Uint8Array.fromBase64("BggqhkjOPQMBBw=="));
const JUNK = pemOf("RSA PRIVATE KEY", new Uint8Array(99).fill(7));
const ENCRYPTED = GOOD.replace("\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n");

const FILES: readonly (readonly [what: string, text: string, isRead: boolean])[] = [
  ["parameters of the curve in front", PARAMETERS + SEC1, true],
  ["text in front", `Bag Attributes\n  a-name: -- x\n\n${GOOD}`, true],
  ["text behind", `${GOOD}\nthe end`, true],
  ["CRLF", GOOD.replaceAll("\n", "\r\n"), true],
  ["blanks at the ends of lines", GOOD.replaceAll("\n", "  \n"), true],
  ["no line feed at the end", GOOD.trimEnd(), true],
  ["one long line", GOOD.replace(/(?<=[^-])\n(?=[^-])/g, ""), true],
  ["a byte order mark", `\uFEFF${GOOD}`, true],
  ["another block in front", pemOf("CERTIFICATE", new Uint8Array(9)) + GOOD, true],
  ["a block that is no key in front", JUNK + GOOD, true],
  ["two keys", GOOD + SEC1, true],
  ["indented", GOOD.replaceAll(/^/gm, " "), false],
  ["a passphrase", ENCRYPTED, false],
  ["no end", GOOD.replace(/-----END[^]*/, ""), false],
  ["another end", GOOD.replace("END RSA", "END EC"), false],
  ["nothing", "", false],
];

for (const [what, text, isRead] of FILES) {
  Deno.test(`privateKeyIn() ${isRead ? "reads" : "refuses"} a file with ${what}`, () => {
    assertEquals(read(text) !== "", isRead);
  });
}

Deno.test("privateKeyIn() takes the first of two keys", () => {
  assertEquals(read(SEC1 + GOOD), read(SEC1));
  assertEquals(read(GOOD + SEC1), read(GOOD));
});
