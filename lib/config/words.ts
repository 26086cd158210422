// Words as a shell splits them: blanks, quotes, backslashes. Nothing is expanded.

import { ExitCode, SettingsError } from "./settings_error.ts";

/** Characters that a backslash stands before between double quotes; elsewhere it is itself. */
const ESCAPED_IN_QUOTES = '"\\$`';

/**
 * Splits `text` into words.
 *
 * @param comment Where this character is met outside quotes, in a word too, the text ends; ""
 * for none.
 * @throws {SettingsError} When a quote is not closed.
 */
export function splitWords(text: string, comment = ""): string[] {
  const words: string[] = [];
  let word: string | undefined = undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (quote !== "" && char === quote) quote = "";
    else if (isEscape(char, next, quote)) {
      word = (word ?? "") + next;
      at++;
    } else if (quote !== "") word += char;
    else if (char === comment) break;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= ""; // Quotes around nothing are a word.
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw new SettingsError(`${quote} is not closed`, ExitCode.USAGE);
  return word === undefined ? words : [...words, word];
}

/** Whether `char` is a backslash that makes `next` an ordinary character. */
function isEscape(char: string, next: string, quote: string): boolean {
  if (char !== "\\" || next === "" || quote === "'") return false;
  return quote === "" || ESCAPED_IN_QUOTES.includes(next);
}
