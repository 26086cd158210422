// Writes the bill of materials of a release: what the executables and the bundle are made of, as
// CycloneDX 1.6 in JSON. Packages and their hashes come from deno.lock, licenses from the packages.
//
//   deno run --allow-all scripts/sbom.ts > memden.cdx.json
//
// The same commit gives the same text: its time is that of SOURCE_DATE_EPOCH, or else none.
// Source: CycloneDX 1.6, bom-1.6.schema.json; package-url, purl-spec.

import { MEMDEN_VERSION } from "../lib/base/version.ts";
import { idOf, packageFolders, type ShippedPackage, shippedPackages } from "./shipped_packages.ts";

/** One component, as CycloneDX has it. */
interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
}

/** A bill of materials, as far as we write one. */
export interface Bom {
  readonly $schema: string;
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: 1;
  readonly metadata: { readonly timestamp?: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** What the bill is made of. */
export interface BomSource {
  readonly version: string;
  /** The runtime of the executables. */
  readonly denoVersion: string;
  readonly packages: readonly ShippedPackage[];
  /** The license of each package, by `name@version`: an SPDX identifier. */
  readonly licenses: ReadonlyMap<string, string>;
  /** Seconds since 1970; undefined for no time. */
  readonly time: number | undefined;
}

const MS_PER_SECOND = 1000;

/** The bill of materials; memden's direct dependencies come first. */
export function bomOf({ version, denoVersion, packages, licenses, time }: BomSource): Bom {
  const memden: Component = {
    type: "application",
    "bom-ref": `memden@${version}`,
    name: "memden",
    version,
    purl: `pkg:generic/memden@${version}`,
    licenses: [{ license: { id: "MIT" } }],
  };
  const deno: Component = {
    type: "platform",
    "bom-ref": `deno@${denoVersion}`,
    name: "deno",
    version: denoVersion,
    purl: `pkg:github/denoland/deno@v${denoVersion}`,
    licenses: [{ license: { id: "MIT" } }],
  };
  const libraries = packages.map((it) => libraryOf(it, licenses.get(idOf(it))));
  const needed = new Set(packages.flatMap(({ needs }) => needs));
  const own = packages.map(idOf).filter((id) => !needed.has(id));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      ...(time === undefined ? {} : { timestamp: new Date(time * MS_PER_SECOND).toISOString() }),
      component: memden,
    },
    components: [deno, ...libraries],
    dependencies: [
      { ref: memden["bom-ref"], dependsOn: [deno["bom-ref"], ...own] },
      { ref: deno["bom-ref"], dependsOn: [] },
      ...packages.map((it) => ({ ref: idOf(it), dependsOn: it.needs })),
    ],
  };
}

/** @throws {Error} For a package whose license is unknown. */
function libraryOf(it: ShippedPackage, license: string | undefined): Component {
  if (license === undefined) throw new Error(`${idOf(it)} names no license`);
  const slash = it.name.indexOf("/");
  const group = slash < 0 ? {} : { group: it.name.slice(0, slash) };
  return {
    type: "library",
    "bom-ref": idOf(it),
    ...group,
    name: it.name.slice(slash + 1),
    version: it.version,
    purl: `pkg:npm/${it.name.replace("@", "%40")}@${it.version}`,
    hashes: [{ alg: "SHA-512", content: hexOf(it.sha512) }],
    licenses: [{ license: { id: license } }],
  };
}

/** The hexadecimal form of a hash in Base64. */
function hexOf(base64: string): string {
  return Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join(
    "",
  );
}

/** The license that each package names in its package.json. */
async function licensesOf(packages: readonly ShippedPackage[]): Promise<Map<string, string>> {
  const folders = await packageFolders();
  const licenses = new Map<string, string>();
  for (const id of packages.map(idOf)) {
    const { license } = JSON.parse(await Deno.readTextFile(`${folders.get(id)}/package.json`));
    if (typeof license === "string") licenses.set(id, license);
  }
  return licenses;
}

if (import.meta.main) {
  const packages = await shippedPackages();
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  const bom = bomOf({
    version: MEMDEN_VERSION,
    denoVersion: Deno.version.deno,
    packages,
    licenses: await licensesOf(packages),
    time: epoch === undefined ? undefined : Number(epoch),
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(bom, null, 2)}\n`));
}
