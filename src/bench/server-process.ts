/** One server as a child process, its output in a file. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { invariant } from '../base/assert.ts';

const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 1;
const LOG_TAIL_CHARACTERS = 2000;

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

export class ServerProcess {
  readonly #command: CommandLine;
  readonly #directory: string;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(command: CommandLine, directory: string, logFile: string) {
    this.#command = command;
    this.#directory = directory;
    this.#logFile = logFile;
  }

  /** Undefined when it does not run. */
  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** The end of what it printed, to be shown when it failed. */
  get logTail(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-LOG_TAIL_CHARACTERS);
  }

  start(): void {
    invariant(!this.isRunning, 'a server was started twice');
    const output = openSync(this.#logFile, 'a');
    this.#child = spawn(this.#command.program, this.#command.args, {
      cwd: this.#directory,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    // A program that is not there shows as a process without pid; whoever waits for it says so.
    this.#child.on('error', () => undefined);
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(name);
  }

  /** Ends it as a loss of power would; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    while (this.isRunning) await sleep(POLL_MS);
  }

  /** Resolves when the process is gone, by force if it does not heed the request. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.pid === undefined || !this.isRunning) return;
    const isGone = once(child, 'exit');
    child.kill('SIGTERM');
    const deadline = new AbortController();
    const late = sleep(STOP_TIMEOUT_MS, undefined, { signal: deadline.signal }).then(
      () => child.kill('SIGKILL'),
      () => false,
    );
    await isGone;
    deadline.abort();
    await late;
  }
}
