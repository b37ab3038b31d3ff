/** A line of the shell: taken apart into words as the original does it, and put together again. */

/** Words end at white space; one that begins with a quote ends at the next such quote, and has no escapes. */
const WORD = /[ \t\v\f\r\n]*([^"'][^ \t\v\f\r\n]*|"[^"]*"|'[^']*')[ \t\v\f\r\n]*/g;
const QUOTED = /^(["'])(.*)\1$/;
const OPEN_WORD = /(?:^|[ \t])("[^"]*|'[^']*|[^"' \t][^ \t]*)$/;

/** The words of a line, without the quotes around them; none for a blank line. */
export function splitLine(line: string): string[] {
  if (line.trim() === '') return [];
  return Array.from(line.matchAll(WORD), ([, word = '']) => {
    return QUOTED.test(word) ? word.slice(1, -1) : word;
  });
}

/** The word in which a line ends, with a quote that is still open in front; empty behind a blank. */
export function lastWord(line: string): string {
  return OPEN_WORD.exec(line)?.[1] ?? '';
}

/** A word as it must stand in a line to come out of `splitLine` as it is; as well as can be for both quotes in one. */
export function quoteWord(word: string): string {
  if (word !== '' && !/^["']|[ \t\v\f\r\n]/.test(word)) return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}
