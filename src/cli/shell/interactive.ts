/** A person at a terminal: one line after another, in the order in which they were typed. */

import { complete } from './completion.ts';
import { HistoryFile, historyPath, isSecret } from './history-file.ts';
import { Output } from './output.ts';
import { Shell, type ShellOptions } from './shell.ts';
import { Terminal, type TerminalStream } from './terminal.ts';

const EXIT_INTERRUPTED = 130;

export interface InteractiveStreams {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
}

/** Resolves to the exit code: that of the last command. */
export async function runInteractive(
  options: Omit<ShellOptions, 'out'>,
  { stdin, stdout, stderr }: InteractiveStreams,
  isJson: boolean,
  history = new HistoryFile(historyPath(process.env)),
): Promise<number> {
  const terminal = new Terminal({
    input: stdin,
    output: stdout,
    history: history.read(),
    isSecret,
  });
  const out = new Output(terminal.sink(stdout), terminal.sink(stderr), isJson);
  const shell = new Shell({ ...options, out });
  const exitCode = await new Conversation(shell, terminal, history, out).run();
  terminal.close();
  await shell.leave();
  return exitCode;
}

class Conversation {
  readonly #shell: Shell;
  readonly #terminal: Terminal;
  readonly #history: HistoryFile;
  readonly #out: Output;
  readonly #lines: string[] = [];
  #isExecuting = false;
  #isEnded = false;
  /** Ctrl-C was the last key, at an empty prompt. */
  #isWarned = false;
  #finish: (exitCode: number) => void = () => undefined;

  constructor(shell: Shell, terminal: Terminal, history: HistoryFile, out: Output) {
    this.#shell = shell;
    this.#terminal = terminal;
    this.#history = history;
    this.#out = out;
  }

  run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    const shell = this.#shell;
    this.#terminal.listen({
      complete: (line) => complete(line, shell.commands, shell.client),
      onLine: (line) => {
        this.#lines.push(line);
        if (!this.#isExecuting) this.#executeAll().catch(this.#failed);
      },
      onInterrupt: (isEmpty) => this.#interrupted(isEmpty),
      onEnd: () => this.#ended(),
    });
    shell.onChange = () => this.#terminal.reprompt(shell.prompt);
    this.#terminal.prompt(shell.prompt);
    return finished;
  }

  async #executeAll(): Promise<void> {
    this.#isExecuting = true;
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      this.#isWarned = false;
      this.#history.append(line);
      await this.#shell.execute(line);
      if (this.#shell.isOver) break;
    }
    this.#isExecuting = false;
    if (this.#shell.isOver || this.#isEnded) this.#finish(this.#shell.exitCode);
    else this.#terminal.prompt(this.#shell.prompt);
  }

  #interrupted(isEmpty: boolean): void {
    if (this.#shell.interrupt()) {
      // What was typed ahead counted on the command that does not happen.
      this.#lines.length = 0;
      return;
    }
    if (isEmpty && this.#isWarned) {
      this.#finish(EXIT_INTERRUPTED);
      return;
    }
    this.#isWarned = isEmpty;
    if (isEmpty) this.#out.note('(quit or Ctrl-D ends the shell, and so does Ctrl-C once more)');
    else this.#terminal.clear();
  }

  #ended(): void {
    this.#isEnded = true;
    if (this.#isExecuting || this.#shell.isOver) return;
    this.#out.stdout.write('\n');
    this.#finish(this.#shell.exitCode);
  }

  /** A bug: it ends the process with its stack. */
  readonly #failed = (error: unknown): void => {
    setImmediate(() => {
      throw error;
    });
  };
}
