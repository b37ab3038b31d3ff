/** Programs in other languages that are driven line by line, and answer each line with one of JSON. */

import { strict as assert } from 'node:assert';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class LineProgram {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  /** Program and arguments; what it prints on standard error is shown. */
  constructor(command: readonly string[]) {
    const [program = '', ...args] = command;
    this.#process = spawn(program, args);
    this.#process.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when it has printed its first line. */
  async ready(): Promise<this> {
    await this.#answer();
    return this;
  }

  async ask<T>(command: string): Promise<T> {
    this.#process.stdin.write(`${command}\n`);
    return (await this.#answer()) as T;
  }

  /** Ends the program whatever it is doing. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }

  async #answer(): Promise<unknown> {
    const line = await this.#lines.next();
    assert(line.done !== true, 'the program ended');
    return JSON.parse(line.value);
  }
}
