// deploy/completions/memden.bash: works with and without the package bash-completion.
//
// Bash cuts words at `=` and `:`, as COMP_WORDBREAKS says, and a reply must be what replaces the
// last piece alone. So candidates are made for the whole word, and what is before the piece is
// taken off in the end.

import { SUB_COMMANDS } from "../../lib/cli/command_line/sub_commands.ts";
import { GENERATED, type OptionRow, serverRows, spellings } from "../command_rows.ts";
import { subCommandRows, suboptionRows } from "../command_rows.ts";

/** The options of the server, by the name "", and of each sub-command. */
type Commands = readonly (readonly [name: string, rows: readonly OptionRow[]])[];

const NAMES = SUB_COMMANDS.map(({ name }) => name);

/** The script. */
export function bashCompletion(): string {
  const commands: Commands = [
    ["", serverRows()],
    ...SUB_COMMANDS.map((it) => [it.name, subCommandRows(it)] as const),
  ];
  return `# ${GENERATED}
# bash completion for memden: source it, or put it into bash-completion's folder as "memden".

${valueFunctions(commands)}
${mainFunction(commands)}
complete -F _memden memden
`;
}

function valueFunctions(commands: Commands): string {
  return `# Says what there is to choose as a value: _memden_value COMMAND OPTION TYPED
_memden_value() {
  case "$1 $2" in
${commands.flatMap(([name, rows]) => valueCases(name, rows)).join("\n")}
  esac
}

# The same for what stands behind the last comma of -o.
_memden_suboption() {
  local head= last=\${1##*,}
  [[ $1 == *,* ]] && head=\${1%"$last"}
  case "$last" in
${suboptionCases().join("\n")}
    *=*) ;;
    *) compgen -P "$head" -W '${suboptionNames()}' -- "$last" ;;
  esac
}
`;
}

function mainFunction(commands: Commands): string {
  return `_memden() {
  local line word words option command= cut candidate
  line=\${COMP_LINE:0:COMP_POINT}
  word=\${line##*[[:space:]]}
  # What bash takes for the word begins behind the last character that it cuts at.
  cut=\${COMP_WORDS[COMP_CWORD]}
  case "$cut" in = | :) cut= ;; esac
  cut=\${word%"$cut"}
  read -ra words <<<"\${line%"$word"}"
  case "\${words[1]-}" in ${NAMES.join(" | ")}) command=\${words[1]} ;; esac
  option=\${words[\${#words[@]} - 1]}

  local takes_value=
  case "$command $option" in
${commands.map(([name, rows]) => takesValueCase(name, rows)).join("\n")}
  esac

  COMPREPLY=()
  while IFS= read -r candidate; do
    [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
    [[ -e \${candidate#*=} ]] && compopt -o filenames 2>/dev/null
    COMPREPLY+=("\${candidate#"$cut"}")
  done < <(
    if [[ $takes_value ]]; then
      _memden_value "$command" "$option" "$word"
    elif [[ $word == --*=* ]]; then
      _memden_value "$command" "\${word%%=*}" "\${word#*=}" | while IFS= read -r candidate; do
        printf '%s=%s\\n' "\${word%%=*}" "$candidate"
      done
    elif [[ $word == -* ]]; then
      case "$command" in
${commands.map(([name, rows]) => optionsCase(name, rows)).join("\n")}
      esac
    elif [[ $command ]]; then
      compgen -A hostname -- "$word"
      compgen -f -- "$word"
    elif [[ \${#words[@]} -eq 1 ]]; then
      compgen -W '${NAMES.join(" ")}' -- "$word"
    fi
  )
}
`;
}

/** What offers values, by the kind of offer; \`$3\` is what was typed. */
function offered({ offer, words }: OptionRow): string | undefined {
  switch (offer) {
    case "words":
      return `compgen -W '${words.join(" ")}' -- "$3"`;
    case "files":
      return 'compgen -f -- "$3"';
    case "users":
      return 'compgen -u -- "$3"';
    case "suboptions":
      return '_memden_suboption "$3"';
    case "none":
      return undefined;
  }
}

function valueCases(command: string, rows: readonly OptionRow[]): string[] {
  return rows.flatMap((row) => {
    const does = offered(row);
    if (does === undefined) return [];
    const patterns = spellings(row).map((spelling) => `"${command} ${spelling}"`);
    return [`    ${patterns.join(" | ")}) ${does} ;;`];
  });
}

function suboptionCases(): string[] {
  return suboptionRows().flatMap(({ name, offer, words }) => {
    if (offer === "words") {
      const list = words.map((word) => `${name}=${word}`).join(" ");
      return [`    ${name}=*) compgen -P "$head" -W '${list}' -- "$last" ;;`];
    }
    if (offer !== "files") return [];
    return [`    ${name}=*) compgen -P "\${head}${name}=" -f -- "\${last#*=}" ;;`];
  });
}

function suboptionNames(): string {
  return suboptionRows().map(({ name, value, isValueOptional }) =>
    value === "" || isValueOptional ? name : `${name}=`
  ).join(" ");
}

/** Options whose value is the next word. */
function takesValueCase(command: string, rows: readonly OptionRow[]): string {
  const patterns = rows.filter(({ value, isValueOptional }) => value !== "" && !isValueOptional)
    .flatMap(spellings).map((spelling) => `"${command} ${spelling}"`);
  return `    ${patterns.join(" | ")}) takes_value=1 ;;`;
}

/** A long option with a value ends in `=`; it stands beside its letter. */
function optionsCase(command: string, rows: readonly OptionRow[]): string {
  const words = rows.flatMap((row) => {
    const hasValue = row.value !== "" && !row.isValueOptional;
    return spellings(row).map((it) => hasValue && it.startsWith("--") ? `${it}=` : it);
  });
  return `        ${command === "" ? "''" : command}) compgen -W '${
    words.join(" ")
  }' -- "$word" ;;`;
}
