// deploy/completions/_memden, for zsh's completion system. Source of the forms: zshcompsys(1),
// _arguments and _values.

import { OPERAND, SUB_COMMANDS } from "../../lib/cli/command_line/sub_commands.ts";
import { GENERATED, type OptionRow, serverRows, spellings } from "../command_rows.ts";
import { subCommandRows, suboptionRows } from "../command_rows.ts";

/** The script. */
export function zshCompletion(): string {
  const commands = SUB_COMMANDS.map((command) => {
    const rows = subCommandRows(command).map((row) => `        ${argument(row)} \\`);
    return `    ${command.name})
      shift words
      (( CURRENT-- ))
      _arguments -s \\
${rows.join("\n")}
        ${quoted(`1:${OPERAND.name}:_memden_address`)}
      ;;`;
  });
  const names = SUB_COMMANDS.map(({ name, summary }) =>
    `${name}:${summary.replaceAll(":", "\\:")}`
  );
  return `#compdef memden
# ${GENERATED}
# zsh completion for memden: put it into a folder of $fpath.

_memden_address() {
  _alternative 'hosts:host:_hosts' 'files:Unix socket:_files'
}

_memden_sub_command() {
  local -a names=(
${names.map((name) => `    ${quoted(name)}`).join("\n")}
  )
  _describe 'sub-command' names
}

_memden_suboption() {
  _values -s , 'option' \\
${suboptionRows().map((row) => `    ${suboption(row)}`).join(" \\\n")}
}

_memden() {
  case $words[2] in
${commands.join("\n")}
    *)
      _arguments -s \\
${serverRows().map((row) => `        ${argument(row)} \\`).join("\n")}
        '1:sub-command:_memden_sub_command'
      ;;
  esac
}

# Called by the completion system under the file's name, and defined when it is sourced.
if [[ $funcstack[1] == _memden ]]; then
  _memden "$@"
else
  compdef _memden memden
fi
`;
}

/** `text` in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `text` between brackets: what ends them is escaped. */
function explanation(text: string): string {
  return `[${text.replace(/[\\[\]:]/g, "\\$&")}]`;
}

/** One option for _arguments; the two spellings exclude each other unless it may be repeated. */
function argument(row: OptionRow): string {
  const all = spellings(row);
  const hasValue = row.value !== "" && !row.isValueOptional;
  const ends = all.map((it) => !hasValue ? it : it.startsWith("--") ? `${it}=` : `${it}+`);
  const rest = explanation(row.help) + (hasValue ? action(row) : "");
  const group = row.repeats ? "*" : all.length > 1 ? `(${all.join(" ")})` : "";
  if (all.length === 1) return quoted(group + ends.join("") + rest);
  return `${quoted(group)}{${ends.join(",")}}${quoted(rest)}`;
}

function suboption(row: OptionRow): string {
  const hasValue = row.value !== "";
  return quoted(row.name + explanation(row.help) + (hasValue ? action(row) : ""));
}

/** What is offered as a value. */
function action({ value, offer, words }: OptionRow): string {
  const message = value.replaceAll(":", "\\:");
  switch (offer) {
    case "words":
      return `:${message}:(${words.join(" ")})`;
    case "files":
      return `:${message}:_files`;
    case "users":
      return `:${message}:_users`;
    case "suboptions":
      return `:${message}:_memden_suboption`;
    case "none":
      return `:${message}: `;
  }
}
