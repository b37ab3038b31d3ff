/**
 * What the clients of one simulation asked for and what they were told, in the order in which it
 * happened. The only thing most checkers look at: they know no more than a client could.
 */

import { CreateMode } from '../../src/base/op-code.ts';
import type { Stat } from '../../src/base/stat.ts';
import type { EventType } from '../../src/base/watch-event.ts';

export type OperationKind =
  | 'create'
  | 'delete'
  | 'set'
  | 'multi'
  | 'get'
  | 'exists'
  | 'children'
  | 'sync'
  | 'addWatch'
  | 'close';

/** One change that an operation asks for; a multi asks for several. */
export interface Change {
  readonly kind: 'create' | 'delete' | 'set' | 'check';
  readonly path: string;
  /** Unique in the history, unless the path is a counter's. Empty where there is no data. */
  readonly value: string;
  /** The version expected; -1: any. */
  readonly version: number;
  readonly mode: CreateMode;
}

/** What a client is going to ask. */
export interface Draft {
  readonly kind: OperationKind;
  readonly path: string;
  readonly watch: boolean;
  readonly changes: readonly Change[];
}

/**
 * `unknown`: the connection was lost before the answer. `failed`: answered with an error code, and
 * nothing was changed.
 */
export type Outcome = 'pending' | 'ok' | 'failed' | 'unknown';

export interface Reply {
  /** Final path of a node created. */
  readonly path?: string;
  readonly stat?: Stat;
  readonly value?: string;
  readonly names?: readonly string[];
  /** Stats after a multi's members that set data; undefined where a member has none. */
  readonly stats?: readonly (Stat | undefined)[];
  /** Why a multi changed nothing, where its header does not say it. */
  readonly error?: number;
}

export interface Operation extends Draft {
  /** Place in `History.operations`. */
  readonly id: number;
  readonly client: number;
  readonly session: SessionRecord;
  /** The highest zxid that anybody had been acknowledged a write of when this one was sent. */
  readonly ackedBefore: number;
  /** Virtual time. */
  readonly sentMs: number;
  /** Virtual time; 0 while there is no answer. */
  answeredMs: number;
  outcome: Outcome;
  /** Of the answer; 0 while there is none. */
  error: number;
  zxid: number;
  reply: Reply;
}

/**
 * `closed`: its closing was acknowledged. `closing`: its closing was asked for, and no more is known.
 * `expired`: a server said that it is gone. `abandoned`: its client died.
 */
export type SessionState = 'live' | 'closing' | 'closed' | 'expired' | 'abandoned';

/**
 * `replicated`: every server knows it. `local`: as far as is known, only the server at which it began
 * does, until it creates an ephemeral node. `fixed`: so it stays, and no such node is created.
 * `temporary`: it began at a server without a quorum.
 */
export type SessionKind = 'replicated' | 'local' | 'fixed' | 'temporary';

export interface SessionRecord {
  readonly client: number;
  /** Host of the server at which it began. */
  readonly home: string;
  kind: SessionKind;
  /** When the client asked for it: its server may have died before the answer arrived. */
  readonly askedMs: number;
  /** Whether it asked for an ephemeral node, whatever became of that. */
  askedEphemeral: boolean;
  readonly id: bigint;
  /** As agreed with the server. */
  timeoutMs: number;
  state: SessionState;
  /** When the client sent the last thing that was answered. */
  aliveMs: number;
  /** When the client was told that the session had expired. */
  expiredMs: number;
  /** Host of the server that told it; empty before. */
  expiredBy: string;
  /** Zxid of the acknowledged closing; 0 before. */
  closedZxid: number;
}

/** What one client saw, in the order in which it saw it. */
export type Sight =
  | { readonly kind: 'connected'; readonly session: SessionRecord; readonly isNew: boolean }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'reply'; readonly operation: Operation }
  | {
      readonly kind: 'event';
      readonly type: EventType;
      readonly path: string;
      /** -1 when it was missed and told later. */
      readonly zxid: number;
    };

export class History {
  readonly operations: Operation[] = [];
  readonly sessions: SessionRecord[] = [];
  /** By client. */
  readonly sights: Sight[][] = [];
  readonly #nowMs: () => number;
  #highestAcked = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs();
  }

  get highestAcked(): number {
    return this.#highestAcked;
  }

  /** The number of a client that joins. */
  addClient(): number {
    return this.sights.push([]) - 1;
  }

  saw(client: number, sight: Sight): void {
    this.sights[client]?.push(sight);
  }

  sessionBegan(
    client: number,
    id: bigint,
    timeoutMs: number,
    home = '',
    kind: SessionKind = 'replicated',
    askedMs = this.nowMs,
  ): SessionRecord {
    const session: SessionRecord = {
      client,
      home,
      kind,
      askedMs,
      askedEphemeral: false,
      id,
      timeoutMs,
      state: 'live',
      aliveMs: askedMs,
      expiredMs: 0,
      expiredBy: '',
      closedZxid: 0,
    };
    this.sessions.push(session);
    return session;
  }

  sessionExpired(session: SessionRecord, by = ''): void {
    session.state = 'expired';
    session.expiredBy = by;
    session.expiredMs = this.nowMs;
  }

  /** What the client sent then, in its session, was answered. */
  heard(session: SessionRecord, sentMs: number): void {
    session.aliveMs = Math.max(session.aliveMs, sentMs);
  }

  /** The operation is being sent. */
  began(session: SessionRecord, draft: Draft): Operation {
    const { kind, path, watch, changes } = draft;
    const operation: Operation = {
      kind,
      path,
      watch,
      changes,
      id: this.operations.length,
      client: session.client,
      session,
      ackedBefore: this.#highestAcked,
      sentMs: this.nowMs,
      answeredMs: 0,
      outcome: 'pending',
      error: 0,
      zxid: 0,
      reply: NO_REPLY,
    };
    this.operations.push(operation);
    if (kind === 'close') session.state = 'closing';
    if (changes.some(makesEphemeral)) session.askedEphemeral = true;
    return operation;
  }

  answered(operation: Operation, zxid: number, code: number, reply: Reply): void {
    const error = code === 0 ? (reply.error ?? 0) : code;
    operation.outcome = error === 0 ? 'ok' : 'failed';
    operation.zxid = zxid;
    operation.answeredMs = this.nowMs;
    operation.error = error;
    operation.reply = reply;
    this.heard(operation.session, operation.sentMs);
    this.saw(operation.client, { kind: 'reply', operation });
    if (error !== 0) return;
    const { session } = operation;
    if (session.kind === 'local' && operation.changes.some(makesEphemeral)) {
      session.kind = 'replicated';
    }
    if (operation.changes.length > 0 || operation.kind === 'close') {
      this.#highestAcked = Math.max(this.#highestAcked, zxid);
    }
    if (operation.kind !== 'close') return;
    operation.session.state = 'closed';
    operation.session.closedZxid = zxid;
  }

  /** There will be no answer. */
  lost(operation: Operation): void {
    operation.outcome = 'unknown';
  }
}

function makesEphemeral({ kind, mode }: Change): boolean {
  if (kind !== 'create') return false;
  return mode === CreateMode.ephemeral || mode === CreateMode.ephemeralSequential;
}

export const NO_REPLY: Reply = Object.freeze({});
