/**
 * The syntax of Java property files, in which every `zoo.cfg` is written: comments, continuation
 * lines, escapes, and `=`, `:` or blanks between key and value.
 */

/** One key of a file, with the line its key stands on (counted from 1). */
export interface Property {
  readonly key: string;
  /** Without blanks at either end: the original trims what plain properties would keep. */
  readonly value: string;
  readonly line: number;
}

/** A place where the text is not a property file. */
export interface PropertySyntaxError {
  readonly line: number;
  readonly found: string;
  readonly expected: string;
}

export type ParsedProperties =
  | { readonly ok: true; readonly properties: readonly Property[] }
  | { readonly ok: false; readonly error: PropertySyntaxError };

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

const BLANKS = ' \t\f';
const SEPARATORS = '=:';

/** Reads all properties in the order of the file, duplicates included: which of them counts is the reader's rule. */
export function parseProperties(text: string): ParsedProperties {
  const properties: Property[] = [];
  for (const logical of logicalLines(text)) {
    const keyEnd = findKeyEnd(logical.text);
    const key = resolveEscapes(logical.text.slice(0, keyEnd));
    const value = resolveEscapes(logical.text.slice(findValueStart(logical.text, keyEnd)));
    if (key === undefined || value === undefined) {
      const expected = 'four hexadecimal digits after \\u';
      return { ok: false, error: { line: logical.line, found: logical.text, expected } };
    }
    properties.push({ key, value: value.trim(), line: logical.line });
  }
  return { ok: true, properties };
}

/** Joins continuation lines and leaves out blank lines and comments. */
function logicalLines(text: string): LogicalLine[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const joined: LogicalLine[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let part = stripLeadingBlanks(lines[i] ?? '');
    // A comment never continues, whatever it ends with, and never starts inside a continued line.
    if (part === '' || part.startsWith('#') || part.startsWith('!')) continue;
    let whole = '';
    while (endsWithContinuation(part)) {
      whole += part.slice(0, -1);
      i++;
      part = stripLeadingBlanks(lines[i] ?? '');
    }
    whole += part;
    if (whole !== '') joined.push({ text: whole, line });
  }
  return joined;
}

/** An odd number of backslashes at the end: the last one is not itself escaped. */
function endsWithContinuation(line: string): boolean {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count++;
  return count % 2 === 1;
}

function stripLeadingBlanks(line: string): string {
  let start = 0;
  while (start < line.length && BLANKS.includes(line.charAt(start))) start++;
  return line.slice(start);
}

/** The first separator or blank that no backslash takes the meaning of. */
function findKeyEnd(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '\\') i++;
    else if (SEPARATORS.includes(char) || BLANKS.includes(char)) return i;
  }
  return line.length;
}

/** Blanks, at most one separator, blanks again: the value begins behind them. */
function findValueStart(line: string, keyEnd: number): number {
  let start = keyEnd;
  while (start < line.length && BLANKS.includes(line.charAt(start))) start++;
  if (start < line.length && SEPARATORS.includes(line.charAt(start))) start++;
  while (start < line.length && BLANKS.includes(line.charAt(start))) start++;
  return start;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** undefined when a `\u` is not followed by four hexadecimal digits. */
function resolveEscapes(raw: string): string | undefined {
  if (!raw.includes('\\')) return raw;
  let text = '';
  for (let i = 0; i < raw.length; i++) {
    if (raw[i] !== '\\') {
      text += raw.charAt(i);
      continue;
    }
    i++;
    const escaped = raw.charAt(i);
    if (escaped === 'u') {
      const digits = raw.slice(i + 1, i + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) return undefined;
      text += String.fromCharCode(Number.parseInt(digits, 16));
      i += 4;
    } else {
      text += ESCAPES[escaped] ?? escaped;
    }
  }
  return text;
}
