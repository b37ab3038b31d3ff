/** What a command of the shell is, and what it is given. */

import type { Client, WatchListener } from '../../client/index.ts';
import { CommandError } from './command-error.ts';
import type { OptionSpec, ParsedOptions } from './options.ts';
import type { Output } from './output.ts';

/** What commands about the shell itself need of it. */
export interface ShellControl {
  /** The connect string in the prompt. */
  readonly host: string;
  /** Lines executed before this one. */
  readonly commandCount: number;
  /** By number; an executed line's own is there while it is executed. */
  readonly history: ReadonlyMap<number, string>;
  readonly commands: ReadonlyMap<string, Command>;
  printsWatches: boolean;
  /** Begins a new session, on these servers. Throws a `KeeperError` for text that names none. */
  connect(hosts: string): Promise<void>;
  close(): Promise<void>;
  /** Executes the line of that number in place of the present one. */
  redo(number: number): Promise<void>;
  /** Ends the session; no line is read after this one. */
  quit(): Promise<void>;
  /** A client beside the shell's own, for the time of this command. */
  connectBeside(hosts: string, signal: AbortSignal): Promise<Client>;
}

export interface Invocation {
  readonly options: ParsedOptions;
  /** Words behind the command that are no options. */
  readonly words: readonly string[];
  /** Every operation takes it: it aborts when the connection is lost for good, or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly client: Client;
  readonly out: Output;
  /** From now on a lost connection does not end the command: it goes on with the next. */
  readonly outlive: () => void;
  /** Prints what watches tell. */
  readonly listener: WatchListener;
  readonly shell: ShellControl;
}

export interface Command {
  readonly name: string;
  /** Behind the name in the list of commands; the original's own where it has the command. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly options?: OptionSpec;
  /** Words it cannot do without. Default 0. */
  readonly wordsMin?: number;
  /** It works without a session, and takes its words as they are. */
  readonly isLocal?: boolean;
  /** Ends at Ctrl-C as it should: it runs until then. */
  readonly isEndless?: boolean;
  run(call: Invocation): Promise<void> | void;
}

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

export function usageText({ name, usage }: Command): string {
  return `${name} ${usage}`;
}

/** The word at an index; commands say with `wordsMin` which there are. */
export function wordAt(call: Invocation, index: number): string {
  const word = call.words[index];
  if (word === undefined) throw new CommandError(`word ${index + 1} is missing`);
  return word;
}

/** A whole number of 32 bits. Throws a `CommandError` that says what it is of. */
export function intOf(text: string, what: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= INT_MIN && value <= INT_MAX) return value;
  throw new CommandError(`${what} must be an int value, "${text}" is none`);
}

/** The version asked for with `-v`; undefined for any. */
export function versionOf({ options }: Invocation): number | undefined {
  const text = options.value('v');
  return text === undefined ? undefined : intOf(text, '-v argument');
}

/** The old way to ask for a watch: any second word. */
export function wantsWatch(call: Invocation, instead: string): boolean {
  if (call.words.length > 1) {
    const [name] = instead.split(' ');
    call.out.note(`'${name} path [watch]' has been deprecated. Please use '${instead}' instead.`);
    return true;
  }
  return call.options.has('w');
}
