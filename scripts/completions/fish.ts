// deploy/completions/memden.fish. Source of the forms: fish's complete(1).

import { SUB_COMMANDS } from "../../lib/cli/command_line/sub_commands.ts";
import {
  GENERATED,
  type OptionRow,
  serverRows,
  subCommandRows,
  suboptionRows,
} from "../command_rows.ts";

/** The condition under which the server's options are meant. */
const SERVES = "__memden_serves";

/** The script. */
export function fishCompletion(): string {
  const names = SUB_COMMANDS.map(({ name }) => name).join(" ");
  const subCommands = SUB_COMMANDS.map(({ name, summary }) =>
    `complete -c memden -n __memden_is_first -f -a ${name} -d ${quoted(summary)}`
  );
  const perCommand = SUB_COMMANDS.flatMap((command) => {
    const condition = quoted(`__memden_runs ${command.name}`);
    return subCommandRows(command).map((row) => completeLine(row, condition));
  });
  return `# ${GENERATED}
# fish completion for memden: put it into ~/.config/fish/completions.

function __memden_runs
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]
end

function __memden_serves
    set -l words (commandline -opc)
    not contains -- "$words[2]" ${names}
end

function __memden_is_first
    test (count (commandline -opc)) -eq 1
end

# Names behind the last comma of -o, with what is before it.
function __memden_suboptions
    set -l typed (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set -l head (string match -r '^.*,' -- $typed)
    for row in \\
${suboptionRows().map((row) => `            ${suboption(row)}`).join(" \\\n")}
        echo "$head$row"
    end
end

complete -c memden -n ${SERVES} -f
${subCommands.join("\n")}
${serverRows().map((row) => completeLine(row, SERVES)).join("\n")}
${perCommand.join("\n")}
`;
}

/** `text` in single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function completeLine(row: OptionRow, condition: string): string {
  const { letter, name, help } = row;
  return [
    `complete -c memden -n ${condition}`,
    ...(letter === "" ? [] : [`-s ${letter}`]),
    ...(name === "" ? [] : [`-l ${name}`]),
    ...offered(row),
    `-d ${quoted(help)}`,
  ].join(" ");
}

/** How the value is asked for. */
function offered({ value, isValueOptional, offer, words }: OptionRow): string[] {
  if (value === "" || isValueOptional) return [];
  switch (offer) {
    case "words":
      return [`-x -a ${quoted(words.join(" "))}`];
    case "files":
      return ["-r -F"];
    case "users":
      return ["-x -a '(__fish_complete_users)'"];
    case "suboptions":
      return ["-x -a '(__memden_suboptions)'"];
    case "none":
      return ["-x"];
  }
}

/** A name, or each of its values, and what they mean behind a tab. */
function suboption({ name, value, isValueOptional, offer, words, help }: OptionRow): string {
  const forms = offer === "words"
    ? words.map((word) => `${name}=${word}`)
    : [value === "" || isValueOptional ? name : `${name}=`];
  return forms.map((form) => quoted(`${form}\t${help}`)).join(" ");
}
