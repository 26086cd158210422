// Writes the license texts of the packages in a release: most licenses require them in copies.
//
//   deno run --allow-all scripts/notices.ts > THIRD_PARTY_LICENSES

import { idOf, packageFolders, shippedPackages } from "./shipped_packages.ts";

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)\b/i;
const RULE = "-".repeat(80);

/** One package and the texts of its files. */
export interface Notice {
  readonly id: string;
  /** The license that it names. */
  readonly license: string;
  readonly texts: readonly string[];
}

/** The whole text. A package without a license text is named with its license. */
export function noticesText(notices: readonly Notice[], denoVersion: string): string {
  const parts = notices.map(({ id, license, texts }) =>
    [RULE, `${id} (${license})`, "", ...texts.map((text) => `${text.trim()}\n`)].join("\n")
  );
  return `memden is under the MIT License (file LICENSE). It contains these npm packages, and the
executables the runtime of Deno ${denoVersion}, whose licenses are at
https://github.com/denoland/deno/blob/v${denoVersion}/LICENSE.md

${parts.join("\n")}`;
}

async function readNotice(id: string, folder: string): Promise<Notice> {
  const { license } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const files = names.filter((name) => LICENSE_FILE.test(name));
  const texts = await Promise.all(files.map((name) => Deno.readTextFile(`${folder}/${name}`)));
  return { id, license: String(license), texts };
}

if (import.meta.main) {
  const folders = await packageFolders();
  const ids = (await shippedPackages()).map(idOf);
  const notices = await Promise.all(ids.map((id) => readNotice(id, folders.get(id) ?? "")));
  Deno.stdout.writeSync(new TextEncoder().encode(noticesText(notices, Deno.version.deno)));
}
