/** The client library of this package, its answers and its wire written down. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorCode } from '../../src/base/error-code.ts';
import { CreateMode } from '../../src/base/op-code.ts';
import type { EventType } from '../../src/base/watch-event.ts';
import { Client, isKeeperError, type NodeMode } from '../../src/client/index.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import {
  type Change,
  type Draft,
  type History,
  NO_REPLY,
  type Operation,
  type Reply,
  type SessionRecord,
} from '../../test/sim/history.ts';
import type { HistoryClient } from './history-client.ts';
import { tapped } from './wire-tap.ts';

export interface OurClientOptions {
  readonly hosts: string;
  /** All paths are below it; nobody is told. */
  readonly chroot: string;
  readonly sessionTimeoutMs: number;
}

const POLL_MS = 5;
const RECONNECT_DELAY = { minMs: 5, maxMs: 100 };

interface Heard {
  readonly type: EventType;
  readonly path: string;
  readonly zxid: number;
}

export class OurClient implements HistoryClient {
  readonly number: number;
  readonly #history: History;
  readonly #client: Client;
  #session: SessionRecord | undefined;
  #expired: () => void = () => undefined;
  /** Of the last reply; 0 while none has come for the operation under way. */
  #replyZxid = 0;
  /** What came behind a reply that the client has yet to hand out. */
  #heard: Heard[] = [];

  constructor(history: History, { hosts, chroot, sessionTimeoutMs }: OurClientOptions) {
    this.number = history.addClient();
    this.#history = history;
    const listener = {
      replied: (zxid: number): void => {
        this.#replyZxid = zxid;
      },
      notified: (type: number, path: string, zxid: number): void =>
        this.#notified({ type: type as EventType, path: path.slice(chroot.length), zxid }),
    };
    this.#client = new Client({
      hosts,
      chroot,
      sessionTimeoutMs,
      renewSession: true,
      reconnectDelay: RECONNECT_DELAY,
      runtime: tapped(createNodeRuntime(), listener),
    });
    this.#follow();
    // It goes on trying whether or not the first attempts succeed.
    this.#client.connect().catch(() => undefined);
  }

  get session(): SessionRecord | undefined {
    return this.#session?.state === 'live' ? this.#session : undefined;
  }

  onExpired(listener: () => void): void {
    this.#expired = listener;
  }

  async untilSession(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.session === undefined) {
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  async perform(draft: Draft): Promise<Operation> {
    const session = this.session;
    if (session === undefined) throw new Error('a client without a session cannot ask');
    const operation = this.#history.began(session, draft);
    this.#replyZxid = 0;
    try {
      const reply = await this.#ask(operation);
      this.#settle(operation, ErrorCode.ok, reply);
    } catch (error) {
      if (!isKeeperError(error)) throw error;
      const isAnswer = this.#replyZxid !== 0 && error.number !== undefined;
      if (isAnswer) this.#settle(operation, error.number ?? 0, NO_REPLY);
      else this.#history.lost(operation);
    }
    this.#flushHeard();
    return operation;
  }

  async close(): Promise<void> {
    const session = this.session;
    if (session === undefined || !this.#client.isConnected) {
      await this.abandon();
      return;
    }
    const draft = { kind: 'close', path: '', watch: false, changes: [] } as const;
    const operation = this.#history.began(session, draft);
    this.#replyZxid = 0;
    await this.#client.close();
    if (this.#replyZxid === 0) this.#history.lost(operation);
    else this.#settle(operation, ErrorCode.ok, NO_REPLY);
    this.#flushHeard();
  }

  async abandon(): Promise<void> {
    if (this.#session?.state === 'live') this.#session.state = 'abandoned';
    await this.#client.close({ closeSession: false });
  }

  #follow(): void {
    this.#client.on('connected', ({ sessionId, sessionTimeoutMs, isNewSession }) => {
      if (isNewSession || this.#session === undefined) {
        this.#session = this.#history.sessionBegan(this.number, sessionId, sessionTimeoutMs);
      }
      const session = this.#session;
      this.#history.saw(this.number, { kind: 'connected', session, isNew: isNewSession });
    });
    this.#client.on('disconnected', () => {
      this.#flushHeard();
      this.#history.saw(this.number, { kind: 'disconnected' });
    });
    this.#client.on('expired', () => {
      if (this.#session?.state === 'live') this.#history.sessionExpired(this.#session);
      this.#expired();
    });
  }

  #settle(operation: Operation, code: number, reply: Reply): void {
    this.#history.answered(operation, this.#replyZxid, code, reply);
    this.#replyZxid = 0;
  }

  #notified(heard: Heard): void {
    if (this.#replyZxid !== 0) this.#heard.push(heard);
    else this.#history.saw(this.number, { kind: 'event', ...heard });
  }

  #flushHeard(): void {
    this.#replyZxid = 0;
    for (const heard of this.#heard) this.#history.saw(this.number, { kind: 'event', ...heard });
    this.#heard = [];
  }

  async #ask({ kind, path, watch: isWatching, changes }: Operation): Promise<Reply> {
    const client = this.#client;
    // Events are taken from the wire, where they have their place among replies.
    const watch = isWatching ? (): void => undefined : undefined;
    const [change] = changes;
    switch (kind) {
      case 'create':
        return change === undefined ? NO_REPLY : await this.#create(change);
      case 'set':
        return { stat: await client.set(path, change?.value ?? '', { version: change?.version }) };
      case 'delete':
        await client.delete(path, { version: change?.version });
        return NO_REPLY;
      case 'multi':
        return await this.#multi(changes);
      case 'get': {
        const { data, stat } = await client.get(path, { watch });
        return { stat, value: data?.toString() ?? '' };
      }
      case 'exists': {
        const stat = await client.exists(path, { watch });
        return stat === undefined ? { error: ErrorCode.noNode } : { stat };
      }
      case 'children': {
        const { children, stat } = await client.children(path, { watch, stat: true });
        return { names: children, stat };
      }
      case 'sync':
        await client.sync(path);
        return NO_REPLY;
      default:
        throw new Error(`no worker asks for ${kind}`);
    }
  }

  async #create({ path, value, mode }: Change): Promise<Reply> {
    const made = await this.#client.create(path, value, { mode: modeName(mode), stat: true });
    return { path: made.path, stat: made.stat };
  }

  async #multi(changes: readonly Change[]): Promise<Reply> {
    const multi = this.#client.multi();
    for (const { kind, path, value, version, mode } of changes) {
      if (kind === 'create') multi.create(path, value, { mode: modeName(mode) });
      else if (kind === 'set') multi.set(path, value, { version });
      else if (kind === 'delete') multi.delete(path, { version });
      else multi.check(path, { version });
    }
    const results: readonly object[] = await multi.commit();
    return { stats: results.map((result) => statOf(result)) };
  }
}

function statOf(result: object): Reply['stat'] {
  return 'stat' in result ? (result.stat as Reply['stat']) : undefined;
}

function modeName(mode: CreateMode): NodeMode {
  switch (mode) {
    case CreateMode.ephemeral:
      return 'ephemeral';
    case CreateMode.ephemeralSequential:
      return 'ephemeralSequential';
    case CreateMode.persistentSequential:
      return 'persistentSequential';
    default:
      return 'persistent';
  }
}
