/**
 * Options of a command, by the rules and with the complaints of the library that the original uses:
 * anywhere among the words, one letter or a whole name behind one dash, letters joined (`-sw`), values
 * behind a blank, behind `=` or right behind the letter, and `--` before words that begin with a dash.
 */

import { CommandError } from './command-error.ts';

export interface OptionSpec {
  readonly flags?: readonly string[];
  readonly values?: readonly string[];
  /** Options of which one may be given, with the words that describe each in a complaint. */
  readonly oneOf?: {
    readonly names: Readonly<Record<string, string>>;
    readonly isRequired: boolean;
  };
}

/** What was given. */
export class ParsedOptions {
  /** Words that are no options, without the command itself. */
  readonly words: readonly string[];
  readonly #given: ReadonlyMap<string, string | undefined>;

  constructor(words: readonly string[], given: ReadonlyMap<string, string | undefined>) {
    this.words = words;
    this.#given = given;
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** Of an option that takes one; undefined if it was not given. */
  value(name: string): string | undefined {
    return this.#given.get(name);
  }
}

/** `words` are those behind the command. Throws a `CommandError`. */
export function parseOptions(words: readonly string[], spec: OptionSpec): ParsedOptions {
  return new Parser(spec).parse(words);
}

class Parser {
  readonly #spec: OptionSpec;
  readonly #words: string[] = [];
  readonly #given = new Map<string, string | undefined>();
  #chosen: string | undefined;
  /** The option whose value comes next. */
  #awaiting: string | undefined;

  constructor(spec: OptionSpec) {
    this.#spec = spec;
  }

  parse(words: readonly string[]): ParsedOptions {
    let isOnlyWords = false;
    for (const word of words) {
      if (isOnlyWords) this.#words.push(word);
      else if (word === '--') isOnlyWords = true;
      else if (this.#awaiting !== undefined && !this.#isOption(word)) this.#takeValue(word);
      else if (word.startsWith('-') && word.length > 1) this.#take(word);
      else this.#words.push(word);
    }
    this.#refuseMissingValue();
    const { oneOf } = this.#spec;
    if (oneOf?.isRequired === true && this.#chosen === undefined) {
      const list = Object.entries(oneOf.names).map(([name, text]) => `-${name} ${text}`);
      throw complaint('MissingOption', `Missing required option: [${list.join(', ')}]`);
    }
    return new ParsedOptions(this.#words, this.#given);
  }

  #take(word: string): void {
    const [name = '', ...rest] = word.slice(1).split('=');
    if (rest.length > 0 && name.length === 1 && this.#takesValue(name)) {
      this.#choose(name);
      this.#takeValue(rest.join('='));
    } else if (rest.length === 0 && this.#isKnown(name)) this.#choose(name);
    else if (rest.length === 0 && name.length > 1) this.#takeLetters(word);
    else throw unrecognized(word);
  }

  #takeLetters(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? '';
      if (!this.#isKnown(letter)) throw unrecognized(word);
      this.#choose(letter);
      if (this.#awaiting !== undefined && at + 1 < word.length) {
        this.#takeValue(word.slice(at + 1));
        return;
      }
    }
  }

  #choose(name: string): void {
    this.#refuseMissingValue();
    if (this.#isOneOf(name)) {
      if (this.#chosen !== undefined && this.#chosen !== name) {
        throw complaint(
          'AlreadySelected',
          `The option '${name}' was specified but an option from this group has already been ` +
            `selected: '${this.#chosen}'`,
        );
      }
      this.#chosen = name;
    }
    if (this.#takesValue(name)) this.#awaiting = name;
    else this.#given.set(name, undefined);
  }

  /** The first value of an option counts. */
  #takeValue(value: string): void {
    const name = this.#awaiting ?? '';
    if (!this.#given.has(name)) this.#given.set(name, value);
    this.#awaiting = undefined;
  }

  #refuseMissingValue(): void {
    if (this.#awaiting === undefined) return;
    throw complaint('MissingArgument', `Missing argument for option: ${this.#awaiting}`);
  }

  /** Whether a word is an option rather than the value of the one before it; `-1` is a value. */
  #isOption(word: string): boolean {
    if (!word.startsWith('-') || word.length === 1) return false;
    if (Number.isFinite(Number(word))) return false;
    const name = word.slice(1).split('=')[0] ?? '';
    return this.#isKnown(name) || this.#isKnown(name[0] ?? '');
  }

  #isKnown(name: string): boolean {
    const { flags = [] } = this.#spec;
    return flags.includes(name) || this.#takesValue(name) || this.#isOneOf(name);
  }

  #takesValue(name: string): boolean {
    return this.#spec.values?.includes(name) ?? false;
  }

  #isOneOf(name: string): boolean {
    return Object.hasOwn(this.#spec.oneOf?.names ?? {}, name);
  }
}

function unrecognized(word: string): CommandError {
  return complaint('UnrecognizedOption', `Unrecognized option: ${word}`);
}

/** The original prints the name of the class in front; scripts that match its text find it here too. */
function complaint(kind: string, text: string): CommandError {
  return new CommandError(`org.apache.commons.cli.${kind}Exception: ${text}`);
}
