/** The command line of the project's own programs: simulator, mutants, small worlds, chaos, fuzzer. */

import { parseArgs } from 'node:util';

const EXIT_USAGE = 2;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

type Option =
  | { readonly type: 'string'; readonly default?: string }
  | { readonly type: 'boolean'; readonly default: boolean };

/** What an option without a default may lack. */
type Values<T extends Readonly<Record<string, Option>>> = {
  readonly [Name in keyof T]: T[Name] extends { readonly type: 'boolean' }
    ? boolean
    : T[Name] extends { readonly default: string }
      ? string
      : string | undefined;
};

export class ToolCommand {
  readonly #usage: string;

  /** `usage`: what `--help` prints, and what stands below a complaint. */
  constructor(usage: string) {
    this.#usage = usage;
  }

  /** The values of these options; ends the program when something else is asked. */
  options<const T extends Readonly<Record<string, Option>>>(options: T): Values<T> {
    if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
      process.stdout.write(this.#usage);
      process.exit(0);
    }
    try {
      return parseArgs({ options }).values as unknown as Values<T>;
    } catch (error) {
      this.refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** The value of an option as a number; ends the program when it is none, or out of bounds. */
  wholeNumber(name: string, text: string, min: number, max: number = NO_LIMIT): number {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
    const range = max === NO_LIMIT ? `of at least ${min}` : `from ${min} to ${max}`;
    this.refuse(`--${name} is a whole number ${range}, not '${text}'`);
  }

  /** The one of `known` that has this name; ends the program when there is none. */
  oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
    const found = known.find((candidate) => candidate === text);
    if (found !== undefined) return found;
    this.refuse(`--${name} is one of ${known.join(', ')}, not '${text}'`);
  }

  /** Ends the program: it cannot do what its options ask. */
  refuse(problem: string): never {
    process.stderr.write(`${problem}\n\n${this.#usage}`);
    process.exit(EXIT_USAGE);
  }
}
