// Makes the certificates of the tests by openssl, each run anew.

/** A folder of certificates, by these names: NAME.crt and NAME.key. */
const LEAVES: readonly (readonly [name: string, authority: string])[] = [
  ["server", "ca"],
  ["renewed", "ca"],
  ["client", "ca"],
  ["stranger", "other"],
];

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd: folder,
    stdin: "null",
    stderr: "piped",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

/** Makes two authorities, two certificates of a server and two of clients, and some bad files. */
export async function makeCertificates(folder: string): Promise<void> {
  const newKey = ["-newkey", "rsa:2048", "-nodes"];
  for (const name of ["ca", "other"]) {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    await openssl(folder, ["req", "-x509", ...newKey, "-subj", `/CN=${name}`, ...files]);
  }
  // Without an extension it would be of version 1, which rustls does not verify.
  Deno.writeTextFileSync(`${folder}/leaf.cnf`, "basicConstraints=CA:FALSE\n");
  for (const [name, authority] of LEAVES) {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
    await openssl(folder, ["req", ...newKey, "-subj", `/CN=${name}`, ...files]);
    const signer = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
    const request = ["-req", "-in", `${name}.csr`, "-extfile", "leaf.cnf", "-out", `${name}.crt`];
    await openssl(folder, ["x509", ...request, ...signer]);
  }
  await openssl(folder, ["rsa", "-in", "server.key", "-outform", "DER", "-out", "server.der"]);
  Deno.writeTextFileSync(`${folder}/junk.pem`, "no certificate\n");
}
