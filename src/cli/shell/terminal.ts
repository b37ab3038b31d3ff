/**
 * A prompt at the end of a terminal, above which other text may be printed at any moment: what is
 * being typed stays where it is, below.
 */

import readline from 'node:readline';
import type { Completions } from './completion.ts';
import type { TextSink } from './output.ts';

/** What is written to: a terminal says so, and how wide it is. */
export type TerminalStream = NodeJS.WritableStream & Pick<TextSink, 'isTTY' | 'columns'>;

export interface TerminalOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: TerminalStream;
  /** Oldest first. */
  readonly history: readonly string[];
  /** Whether a line must not be offered again. */
  readonly isSecret: (line: string) => boolean;
}

export interface TerminalListener {
  complete(line: string): Promise<Completions>;
  onLine(line: string): void;
  /** Ctrl-C; `isEmpty`: nothing was typed. */
  onInterrupt(isEmpty: boolean): void;
  /** Ctrl-D on an empty line, or the terminal is gone. */
  onEnd(): void;
}

export class Terminal {
  readonly #output: TerminalStream;
  readonly #lines: readline.Interface;
  #isPrompting = false;
  #listener: TerminalListener | undefined;

  constructor({ input, output, history, isSecret }: TerminalOptions) {
    this.#output = output;
    this.#lines = readline.createInterface({
      input,
      output,
      history: [...history].reverse(),
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: null, found: Completions) => void): void => {
        const found = this.#listener?.complete(line) ?? Promise.resolve<Completions>([[], line]);
        found.then(
          (completions) => done(null, completions),
          () => done(null, [[], line]),
        );
      },
    });
    this.#lines.on('history', (lines: string[]) => {
      const [newest] = lines;
      if (newest !== undefined && isSecret(newest)) lines.shift();
    });
  }

  listen(listener: TerminalListener): void {
    this.#listener = listener;
    this.#lines.on('line', (line) => {
      this.#isPrompting = false;
      listener.onLine(line);
    });
    this.#lines.on('SIGINT', () => listener.onInterrupt(this.#lines.line === ''));
    this.#lines.on('close', () => {
      this.#isPrompting = false;
      listener.onEnd();
    });
  }

  /** Shows the prompt, or changes the one that is shown, with what is being typed behind it. */
  prompt(text: string): void {
    this.#lines.setPrompt(text);
    this.#isPrompting = true;
    this.#lines.prompt(true);
  }

  /** Changes the prompt if it is shown. */
  reprompt(text: string): void {
    if (this.#isPrompting) this.prompt(text);
  }

  /** Forgets what is being typed. */
  clear(): void {
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
  }

  close(): void {
    this.#isPrompting = false;
    this.#lines.close();
  }

  /** Text for this stream of the terminal, above the prompt if it is shown. */
  sink(stream: TerminalStream): TextSink {
    return {
      write: (text) => {
        if (!this.#isPrompting) return stream.write(text);
        this.#hidePrompt();
        stream.write(text);
        this.#lines.prompt(true);
        return true;
      },
      get isTTY() {
        return stream.isTTY;
      },
      get columns() {
        return stream.columns;
      },
    };
  }

  #hidePrompt(): void {
    const { rows } = this.#lines.getCursorPos();
    readline.moveCursor(this.#output, 0, -rows);
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    // The interface remembers in how many rows it drew, and would begin so many rows higher.
    Object.assign(this.#lines, { prevRows: 0 });
  }
}
