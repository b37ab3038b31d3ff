/** A client of kazoo's in a process of its own. It holds no ephemeral nodes and sets no watches. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSessionId, SESSION_NONE } from '../../src/base/ids.ts';
import type { Stat } from '../../src/base/stat.ts';
import { isSequential } from '../../test/sim/checkers/timelines.ts';
import type { Draft, History, Operation, Reply, SessionRecord } from '../../test/sim/history.ts';
import type { HistoryClient } from './history-client.ts';

const PYTHON = '/usr/bin/python3';
const KAZOO = '/usr/lib/python3/dist-packages/kazoo';
const POLL_MS = 20;

export const HAS_KAZOO = existsSync(KAZOO);

interface KazooStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly version: number;
  readonly ephemeralOwner: string;
}

interface KazooAnswer {
  readonly session: string;
  readonly lost?: boolean;
  readonly error?: number;
  readonly zxid?: number;
  readonly reply?: Omit<Reply, 'stat'> & { readonly stat?: KazooStat };
}

export class KazooHistoryClient implements HistoryClient {
  readonly number: number;
  readonly #history: History;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #timeoutMs: number;
  #session: SessionRecord | undefined;
  #isOver = false;

  constructor(history: History, hosts: string, chroot: string, sessionTimeoutMs: number) {
    this.number = history.addClient();
    this.#history = history;
    this.#timeoutMs = sessionTimeoutMs;
    this.#process = spawn(PYTHON, [script(), hosts, chroot, String(sessionTimeoutMs)]);
    // Its threads complain while they are ended.
    this.#process.stderr.resume();
    this.#process.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    void this.#greet();
  }

  get session(): SessionRecord | undefined {
    return this.#isOver ? undefined : this.#session;
  }

  onExpired(): void {
    // Nothing it does is bound to its session.
  }

  async untilSession(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.session === undefined) {
      if (this.#isOver || performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  async perform(draft: Draft): Promise<Operation> {
    const { session } = this;
    if (session === undefined) throw new Error('a client without a session cannot ask');
    const operation = this.#history.began(session, draft);
    const [change] = draft.changes;
    const { value = '', version = -1, mode } = change ?? {};
    const sequence = mode !== undefined && isSequential(mode);
    const asked = { kind: draft.kind, path: draft.path, value, version, sequence };
    this.#process.stdin.write(`${JSON.stringify(asked)}\n`);
    const answer = await this.#answer();
    if (answer === undefined || answer.lost === true) this.#history.lost(operation);
    else {
      const { zxid = 0, error = 0 } = answer;
      this.#history.answered(operation, zxid, error, replyOf(answer));
    }
    if (answer !== undefined) this.#follow(answer.session);
    return operation;
  }

  async close(): Promise<void> {
    await this.abandon();
  }

  async abandon(): Promise<void> {
    this.#isOver = true;
    if (this.#session?.state === 'live') this.#session.state = 'abandoned';
    this.#process.kill('SIGKILL');
  }

  async #greet(): Promise<void> {
    const greeting = await this.#answer();
    if (greeting !== undefined) this.#follow(greeting.session);
  }

  async #answer(): Promise<KazooAnswer | undefined> {
    const line = await this.#lines.next();
    if (line.done === true) {
      this.#isOver = true;
      return undefined;
    }
    return JSON.parse(line.value) as KazooAnswer;
  }

  /** It begins a new session by itself when one has expired. */
  #follow(sessionText: string): void {
    const id = makeSessionId(BigInt.asIntN(64, BigInt(sessionText)));
    // Without a connection it may not say which it has.
    if (id === SESSION_NONE || this.#session?.id === id) return;
    if (this.#session !== undefined) this.#history.sessionExpired(this.#session);
    this.#session = this.#history.sessionBegan(this.number, id, this.#timeoutMs);
    const sight = { kind: 'connected', session: this.#session, isNew: true } as const;
    this.#history.saw(this.number, sight);
  }
}

function replyOf({ reply = {} }: KazooAnswer): Reply {
  const { stat, ...rest } = reply;
  if (stat === undefined) return rest;
  const { ephemeralOwner, ...numbers } = stat;
  // Of a stat only these are looked at.
  const whole = { ...numbers, ephemeralOwner: makeSessionId(BigInt(ephemeralOwner)) };
  return { ...rest, stat: whole as unknown as Stat };
}

/** Beside the sources, wherever this file was compiled to. */
function script(): string {
  let at = import.meta.dirname;
  const name = path.join('cluster', 'chaos', 'kazoo_client.py');
  while (!existsSync(path.join(at, name)) && at !== path.dirname(at)) at = path.dirname(at);
  return path.join(at, name);
}
