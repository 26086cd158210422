// How this program was put together.
//
//   source    deno run main.ts   one .ts file for each module
//   bundle    deno run main.js   the modules are in a few .js files, all in one directory
//   compiled  ./memden           one executable
//
// No other module depends on where a module's file is or how its name ends, so the same source
// works in each form: code names a thread's entry as in the source, and threadModule() resolves it.

/** How a program was put together. */
export type Form = "source" | "bundle" | "compiled";

/** The form that this program is in. */
export const FORM: Form = formOf(import.meta.url, Deno.build.standalone);

/** The form of the program whose module has the URL `url`, in an executable or not. */
export function formOf(url: string, standalone: boolean): Form {
  if (standalone) return "compiled";
  return isBundled(url) ? "bundle" : "source";
}

/** Whether the module at `url` is one of a bundle: an executable may be made of either. */
function isBundled(url: string): boolean {
  return url.endsWith(".js");
}

/**
 * Where a thread's module is, in whatever form the program is in.
 *
 * @param source `new URL(…, import.meta.url)`, written out, with the name of the source's file:
 * scripts/bundle.ts finds the entries of threads by these words, and puts what it makes of each
 * beside the module that names it.
 * @param from A module of this program; given by tests.
 */
export function threadModule(source: URL, from: string = import.meta.url): URL {
  return isBundled(from) ? new URL(source.href.replace(/\.ts$/, ".js")) : source;
}
