/** Executes commands one after another, on a session of its own, and remembers them by number. */

import { Client, KeeperError, type WatchEvent } from '../../client/index.ts';
import { type Command, type ShellControl, usageText } from './command.ts';
import { CommandError, EXIT_FAILED } from './command-error.ts';
import { eventLine } from './format.ts';
import { failureText } from './keeper-text.ts';
import { splitLine } from './line.ts';
import { ParsedOptions, parseOptions } from './options.ts';
import type { Output } from './output.ts';
import { COMMANDS } from './registry.ts';
import { type SessionOptions, ShellSession } from './shell-session.ts';
import { usageLines } from './usage.ts';

export interface ShellOptions extends SessionOptions {
  /** The servers, with a chroot if there is one. */
  readonly hosts: string;
  readonly out: Output;
  /** Nobody waits for word of the session: one command in JSON prints its answer alone. */
  readonly isSessionQuiet?: boolean;
}

/** Why a command's signal aborted; otherwise somebody pressed Ctrl-C. */
class NoServer extends Error {
  override readonly name = 'NoServer';
}

/** The command that is being executed. */
interface Running {
  readonly controller: AbortController;
  /** It waits for the next connection, however long there is none. */
  isOutliving: boolean;
}

const EVENT_NAMES: Partial<Record<WatchEvent['type'], string>> = {
  created: 'NodeCreated',
  deleted: 'NodeDeleted',
  dataChanged: 'NodeDataChanged',
  childrenChanged: 'NodeChildrenChanged',
  dataWatchRemoved: 'DataWatchRemoved',
  childWatchRemoved: 'ChildWatchRemoved',
  persistentWatchRemoved: 'PersistentWatchRemoved',
};

export class Shell implements ShellControl {
  readonly commands = COMMANDS;
  printsWatches = true;
  /** Of the last command. */
  exitCode = 0;
  /** Called when the prompt may be another. */
  onChange: () => void = () => undefined;
  readonly #options: ShellOptions;
  readonly #history = new Map<number, string>();
  #session: ShellSession;
  #commandCount = 0;
  #running: Running | undefined;
  #lastEvent: WatchEvent | undefined;
  #isOver = false;

  /** Begins to connect. Throws a `KeeperError` when `hosts` names no servers. */
  constructor(options: ShellOptions) {
    this.#options = options;
    this.#session = this.#open(options.hosts);
  }

  get host(): string {
    return this.#session.hosts;
  }

  get client(): Client {
    return this.#session.client;
  }

  get commandCount(): number {
    return this.#commandCount;
  }

  get history(): ReadonlyMap<number, string> {
    return this.#history;
  }

  /** `quit` was executed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get prompt(): string {
    return `[zk: ${this.host}(${this.#session.state}) ${this.#commandCount}] `;
  }

  /** Executes a line of the shell; a blank one is none. Resolves when it is done, well or not. */
  async execute(line: string): Promise<void> {
    const words = splitLine(line);
    if (words.length === 0) return;
    this.#history.set(this.#commandCount, line);
    await this.executeWords(words);
    this.#commandCount += 1;
  }

  /** The same for words that are already apart. Rejects only for what is a bug. */
  async executeWords(words: readonly string[]): Promise<void> {
    try {
      const exitCode = await this.#dispatch(words);
      // What ends the shell leaves it the code of the command before.
      if (!this.#isOver) this.exitCode = exitCode;
    } catch (error) {
      this.exitCode = this.#tellFailure(error);
    }
  }

  /** Ends the command that runs; false when none does. */
  interrupt(): boolean {
    const running = this.#running;
    running?.controller.abort();
    return running !== undefined;
  }

  /** False when there is no session within its timeout; then the shell is at its end. */
  async waitForConnection(): Promise<boolean> {
    const { client } = this;
    const isReached = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#options.sessionTimeoutMs);
      client.once('connected', () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    if (!isReached) {
      const { lastFailure } = this.#session;
      const cause = lastFailure === undefined ? undefined : new NoServer(lastFailure);
      this.exitCode = this.#tellFailure(new KeeperError('CONNECTION_LOSS', 'connect', { cause }));
    }
    return isReached;
  }

  /** Ends the session without a word of it, as at the end of the input. */
  async leave(): Promise<void> {
    this.#isOver = true;
    await this.close();
  }

  // For commands ----------------------------------------------------------------------------------

  async connect(hosts: string): Promise<void> {
    const before = this.#session;
    const next = this.#open(hosts);
    if (before.isAlive) await before.client.close();
    this.#session = next;
    this.onChange();
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  async redo(number: number): Promise<void> {
    const line = this.#history.get(number) ?? '';
    const words = splitLine(line);
    if (words[0] === 'redo') throw new CommandError('No redoing redos');
    this.#history.set(this.#commandCount, line);
    await this.#dispatch(words);
  }

  async quit(): Promise<void> {
    await this.close();
    this.#isOver = true;
  }

  async connectBeside(hosts: string, signal: AbortSignal): Promise<Client> {
    const { sessionTimeoutMs, readOnly, runtime } = this.#options;
    const client = new Client({ hosts, sessionTimeoutMs, readOnly, runtime });
    const giveUp = (): void => void client.close();
    signal.addEventListener('abort', giveUp);
    try {
      await client.connect();
      return client;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  // Inside ----------------------------------------------------------------------------------------

  #open(hosts: string): ShellSession {
    const { sessionTimeoutMs, readOnly, runtime, isSessionQuiet = false } = this.#options;
    return new ShellSession(
      hosts,
      { sessionTimeoutMs, readOnly, runtime },
      {
        told: (state) => {
          if (!this.#isOver && !isSessionQuiet) this.#printEvent(state, 'None', null);
        },
        foundNoServer: (sentence) => {
          const running = this.#running;
          if (running?.isOutliving === false) running.controller.abort(new NoServer(sentence));
        },
        changed: () => this.onChange(),
      },
    );
  }

  async #dispatch(words: readonly string[]): Promise<number> {
    const [name = '', ...rest] = words;
    const command = this.commands.get(name);
    if (command === undefined) {
      if (!this.#options.out.isJson) {
        for (const line of usageLines(this.commands)) this.#options.out.note(line);
      }
      throw new CommandError(`Command not found: Command not found ${name}`, 'NOT_FOUND');
    }
    if (command.isLocal !== true && !this.#session.isAlive) {
      this.#options.out.answer(['Not connected'], { error: { message: 'Not connected' } });
      return EXIT_FAILED;
    }
    await this.#run(command, rest);
    return 0;
  }

  async #run(command: Command, words: readonly string[]): Promise<void> {
    const isPlain = command.options === undefined;
    const options = isPlain
      ? new ParsedOptions(words, new Map())
      : parseOptions(words, command.options);
    if (options.words.length < (command.wordsMin ?? 0)) throw new CommandError(usageText(command));
    const running: Running = { controller: new AbortController(), isOutliving: false };
    const { signal } = running.controller;
    this.#session.countAnew();
    this.#running = running;
    try {
      await command.run({
        options,
        words: options.words,
        signal,
        client: this.client,
        out: this.#options.out,
        outlive: () => {
          running.isOutliving = true;
        },
        listener: this.#onEvent,
        shell: this,
      });
    } catch (error) {
      const isInterrupted = signal.aborted && !(signal.reason instanceof NoServer);
      if (!isInterrupted || command.isEndless !== true) throw reasonBehind(error, signal);
    } finally {
      this.#running = undefined;
    }
  }

  /** An event for several watches is printed once. */
  readonly #onEvent = (event: WatchEvent): void => {
    if (event === this.#lastEvent) return;
    this.#lastEvent = event;
    const name = EVENT_NAMES[event.type];
    if (name === undefined) return;
    const zxid = 'zxid' in event ? event.zxid : undefined;
    this.#printEvent('SyncConnected', name, event.path, zxid);
  };

  #printEvent(...[state, type, path, zxid]: Parameters<typeof eventLine>): void {
    if (!this.printsWatches) return;
    this.#options.out.event(eventLine(state, type, path, zxid), { state, type, path, zxid });
  }

  /** Returns the exit code. */
  #tellFailure(error: unknown): number {
    const { out } = this.#options;
    if (error instanceof CommandError) {
      const { message, code, exitCode } = error;
      out.failure([message], { message, code });
      return exitCode;
    }
    if (!(error instanceof KeeperError)) throw error;
    const { code, path, outcomeUnknown, cause } = error;
    const message = failureText(error);
    const reason = cause instanceof NoServer ? cause.message : undefined;
    const lines = [message];
    if (reason !== undefined) lines.push(reason);
    // What the client itself refuses, it gives a reason for; the original's words have none.
    const isOwn = code === 'BAD_ARGUMENTS' && !error.message.includes(': bad arguments ');
    if (isOwn) lines.push(error.message);
    if (outcomeUnknown) {
      lines.push('The connection was lost before the answer: it may have been done.');
    }
    out.failure(lines, { message, code, path, outcomeUnknown, reason });
    return EXIT_FAILED;
  }
}

/** An operation that was given up says why: there is no server, or somebody pressed Ctrl-C. */
function reasonBehind(error: unknown, { aborted, reason }: AbortSignal): unknown {
  if (!aborted || !(error instanceof KeeperError) || error.code !== 'ABORTED') return error;
  if (!(reason instanceof NoServer)) return new CommandError('Interrupted', 'FAILED');
  const { operation, path, outcomeUnknown } = error;
  return new KeeperError('CONNECTION_LOSS', operation, { path, outcomeUnknown, cause: reason });
}
