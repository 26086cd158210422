// Marked blocks of a page that `deno task docs` writes; the text around them is written by hand.
//
//   <!-- table: NAME -->
//   what is generated
//   <!-- end -->

const BLOCK = /(<!-- (?:table|list|drawing): (\w+) -->\n)[^]*?(<!-- end -->)/g;

/**
 * The page `text` with each block written anew.
 *
 * @param contents What is in each block, by its name, in Markdown.
 * @throws {Error} For a block without contents, and contents without a block.
 */
export function withBlocks(text: string, contents: Readonly<Record<string, string>>): string {
  const left = new Set(Object.keys(contents));
  const page = text.replace(BLOCK, (_, begin: string, name: string, end: string) => {
    const content = contents[name];
    if (content === undefined) throw new Error(`There is nothing for the block ${name}`);
    left.delete(name);
    return `${begin}\n${content}\n\n${end}`;
  });
  if (left.size > 0) throw new Error(`No block for ${[...left].join(", ")}`);
  return page;
}
