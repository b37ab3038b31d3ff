/**
 * Writers go on while the leader is killed with SIGKILL: how long no write is acknowledged, and
 * whether every acknowledged one is found at every server afterwards.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorCode } from '../base/error-code.ts';
import type { Address } from '../runtime/runtime.ts';
import { numberedPath } from './load-frames.ts';
import { makeNodes, ROOT, removeNodes } from './load-nodes.ts';
import type { LoadTarget } from './load-run.ts';
import { ConnectionLostError, SessionClient, type SessionTicket } from './session-client.ts';

/** Less than an election takes, so that a server that serves again is found at once. */
const RETRY_MS = 10;
const OPEN_TIMEOUT_MS = 1000;
const LAST_ANSWER_TIMEOUT_MS = 30_000;
const DATA_BYTES = 100;

export interface FailoverOptions {
  readonly writers: number;
  /** Length of a trial; the leader is killed after a quarter and started again after 60 %. */
  readonly seconds: number;
}

export interface FailoverResult {
  readonly target: string;
  readonly trial: number;
  readonly acknowledged: number;
  /** Longest time between two acknowledgements, of whatever writers. */
  readonly longestPauseMs: number;
  /** The same before the kill: what is normal here. */
  readonly pauseBeforeMs: number;
  /** From the kill to the first acknowledgement of a write that was sent after it; undefined: no kill. */
  readonly killToWriteMs: number | undefined;
  readonly sessionsLost: number;
  /** Why this trial does not count; empty when it does. */
  readonly failures: readonly string[];
}

/** How a leader is killed and started again; undefined for servers of somebody else. */
export interface LeaderControl {
  /** Returns at once. Throws when there is no leader. */
  kill(): void;
  restart(): void;
  /** Resolves when all servers serve again. */
  ready(): Promise<void>;
}

/** Without control over the servers nobody is killed: what is measured is what happens meanwhile. */
export async function runFailover(
  target: LoadTarget,
  trial: number,
  options: FailoverOptions,
  control: LeaderControl | undefined,
): Promise<FailoverResult> {
  const progress = new Progress();
  await makeNodes(target.addresses, { keys: 0, size: 0, parents: 0, children: 0 });
  const writers = Array.from(
    { length: options.writers },
    (_, at) => new Writer(target.addresses, at, `${ROOT}/w${at}`, progress),
  );
  const running = writers.map((writer) => writer.run());
  await sleep(options.seconds * 250);
  const pauseBeforeMs = progress.longestPauseMs;
  control?.kill();
  progress.killed();
  await sleep(options.seconds * 350);
  control?.restart();
  await sleep(options.seconds * 400);
  const failures = await stopWriters(writers, running);
  await control?.ready();
  failures.push(...(await findLost(target.addresses, writers)));
  await removeNodes(target.addresses);
  return {
    target: target.name,
    trial,
    acknowledged: writers.reduce((sum, writer) => sum + writer.acknowledged, 0),
    longestPauseMs: progress.longestPauseMs,
    pauseBeforeMs,
    killToWriteMs: control === undefined ? undefined : progress.killToWriteMs,
    sessionsLost: writers.reduce((sum, writer) => sum + writer.sessionsLost, 0),
    failures,
  };
}

/** When writes of all writers were acknowledged. */
class Progress {
  #lastMs = performance.now();
  #longestPauseMs = 0;
  #killedMs = Number.POSITIVE_INFINITY;
  #killToWriteMs = Number.POSITIVE_INFINITY;

  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }

  get killToWriteMs(): number {
    return this.#killToWriteMs;
  }

  killed(): void {
    this.#killedMs = performance.now();
  }

  acknowledged(sentMs: number): void {
    const nowMs = performance.now();
    this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (sentMs < this.#killedMs) return;
    this.#killToWriteMs = Math.min(this.#killToWriteMs, nowMs - this.#killedMs);
  }
}

/** Creates one node after another, with one session, at whatever server takes it. */
class Writer {
  readonly parent: string;
  readonly #addresses: readonly Address[];
  readonly #progress: Progress;
  readonly #failures: string[] = [];
  #addressAt: number;
  #client: SessionClient | undefined;
  #ticket: SessionTicket | undefined;
  #isStopped = false;
  #isFinished = false;
  #acknowledged = 0;
  #sessionsLost = 0;

  constructor(
    addresses: readonly Address[],
    firstAddress: number,
    parent: string,
    progress: Progress,
  ) {
    this.parent = parent;
    this.#addresses = addresses;
    this.#addressAt = firstAddress;
    this.#progress = progress;
  }

  /** Nodes 0 to this one, exclusive, have been acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get sessionsLost(): number {
    return this.#sessionsLost;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  async run(): Promise<void> {
    await this.#createUntilDone(this.parent);
    while (!this.#isStopped && this.#failures.length === 0) {
      const sentMs = performance.now();
      const isDone = await this.#createUntilDone(numberedPath(this.parent, this.#acknowledged));
      if (!isDone) break;
      this.#acknowledged += 1;
      this.#progress.acknowledged(sentMs);
    }
    await this.#client?.close();
    this.#isFinished = true;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Gives up on an answer that does not come. */
  abort(): void {
    if (this.#isFinished) return;
    this.#failures.push(`${this.parent}: a write was never answered`);
    this.#client?.destroy();
  }

  /** False when the writer was stopped before an answer came. */
  async #createUntilDone(path: string): Promise<boolean> {
    let isRetry = false;
    while (!this.#isStopped || this.#client !== undefined) {
      const client = this.#client ?? (await this.#open());
      if (client === undefined) continue;
      try {
        const code = await client.create(path, new Uint8Array(DATA_BYTES));
        // A try whose answer was lost may have been carried out.
        if (code === ErrorCode.ok || (isRetry && code === ErrorCode.nodeExists)) return true;
        this.#failures.push(`create ${path}: error ${code}`);
        return false;
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) throw error;
        this.#client = undefined;
        isRetry = true;
      }
    }
    return false;
  }

  async #open(): Promise<SessionClient | undefined> {
    const address = this.#addresses[this.#addressAt % this.#addresses.length];
    this.#addressAt += 1;
    if (address === undefined) throw new RangeError('a target without servers');
    try {
      this.#client = await SessionClient.open(address, OPEN_TIMEOUT_MS, this.#ticket);
      this.#ticket = this.#client.ticket;
      return this.#client;
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      if (error.code === 'SESSION_GONE') {
        this.#sessionsLost += 1;
        this.#ticket = undefined;
      }
      await sleep(RETRY_MS);
      return undefined;
    }
  }
}

async function stopWriters(
  writers: readonly Writer[],
  running: readonly Promise<void>[],
): Promise<string[]> {
  for (const writer of writers) writer.stop();
  const late = setTimeout(() => {
    for (const writer of writers) writer.abort();
  }, LAST_ANSWER_TIMEOUT_MS);
  await Promise.all(running);
  clearTimeout(late);
  return writers.flatMap((writer) => [...writer.failures]);
}

async function findLost(
  addresses: readonly Address[],
  writers: readonly Writer[],
): Promise<string[]> {
  const failures: string[] = [];
  for (const address of addresses) {
    const client = await SessionClient.open(address, OPEN_TIMEOUT_MS);
    await client.sync();
    for (const { parent, acknowledged } of writers) {
      const found = new Set(await client.children(parent));
      let lost = 0;
      for (let number = 0; number < acknowledged; number++) {
        if (!found.has(numberedPath('', number).slice(1))) lost += 1;
      }
      if (lost > 0) failures.push(`port ${address.port}: ${lost} writes below ${parent} lost`);
    }
    await client.close();
  }
  return failures;
}
