/** Histories written by hand, for the tests of the checkers. */

import { ErrorCode } from '../../../src/base/error-code.ts';
import { makeSessionId, SESSION_NONE, type SessionId, type Zxid } from '../../../src/base/ids.ts';
import { CreateMode } from '../../../src/base/op-code.ts';
import type { Stat } from '../../../src/base/stat.ts';
import type { EventType } from '../../../src/base/watch-event.ts';
import { create, read, set, write } from '../drafts.ts';
import { type Draft, History, type Operation, type Reply, type SessionRecord } from '../history.ts';
import { checkHistory } from './check-history.ts';
import type { Crashes } from './expiry.ts';

/** What a node's Stat says, where it matters. */
export function stat(mzxid: number, version = 0, owner: bigint = SESSION_NONE): Stat {
  const zxid = mzxid as Zxid;
  return {
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctimeMs: 0,
    mtimeMs: 0,
    version,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: owner as SessionId,
    dataLength: 0,
    numChildren: 0,
  };
}

/** One client of a tale, with one session. Each method is one thing that it asked and was told. */
export class Teller {
  readonly history: History;
  readonly number: number;
  readonly session: SessionRecord;

  constructor(history: History) {
    this.history = history;
    this.number = history.addClient();
    this.session = history.sessionBegan(this.number, makeSessionId(BigInt(this.number + 1)), 1000);
    history.saw(this.number, { kind: 'connected', session: this.session, isNew: true });
  }

  ask(draft: Draft): Operation {
    return this.history.began(this.session, draft);
  }

  created(path: string, zxid: number, mode: CreateMode = CreateMode.persistent): void {
    this.#told(write(create(path, dataOf(path), mode)), zxid, { path });
  }

  createdSequential(prefix: string, path: string, zxid: number): void {
    this.#told(write(create(prefix, path, CreateMode.persistentSequential)), zxid, { path });
  }

  wrote(path: string, value: string, version: number, zxid: number): void {
    this.#told(write(set(path, value, -1)), zxid, { stat: stat(zxid, version) });
  }

  deleted(path: string, zxid: number): void {
    const change = { ...create(path, '', CreateMode.persistent), kind: 'delete' } as const;
    this.#told(write(change), zxid, {});
  }

  read(path: string, value: string, shown: Stat, zxid: number, watch = false): void {
    this.#told(read('get', path, watch), zxid, { value, stat: shown });
  }

  listed(path: string, names: readonly string[], zxid: number, watch = false): void {
    this.#told(read('children', path, watch), zxid, { names, stat: stat(zxid) });
  }

  missed(path: string, zxid: number): void {
    this.#told(read('get', path), zxid, {}, ErrorCode.noNode);
  }

  synced(zxid: number): void {
    this.#told(read('sync', '/'), zxid, {});
  }

  /** Asked and never answered. */
  lost(draft: Draft): void {
    this.history.lost(this.ask(draft));
  }

  closed(zxid: number): void {
    this.#told(read('close', ''), zxid, {});
  }

  notified(type: EventType, path: string, zxid: number): void {
    this.history.saw(this.number, { kind: 'event', type, path, zxid });
  }

  multi(paths: readonly string[], zxid: number): void {
    const changes = paths.map((path) => create(path, dataOf(path), CreateMode.persistent));
    this.#told({ kind: 'multi', path: '', watch: false, changes }, zxid, {});
  }

  #told(draft: Draft, zxid: number, reply: Reply, error: number = ErrorCode.ok): void {
    this.history.answered(this.ask(draft), zxid, error, reply);
  }
}

/** The value that `created` gives a node. */
export function dataOf(path: string): string {
  return `value of ${path}`;
}

/** What the checkers say of a tale with two clients; the second one audits. */
export function judge(
  tell: (first: Teller, second: Teller) => void,
  crashes: Crashes = new Map(),
): string[] {
  let nowMs = 0;
  const history = new History(() => nowMs++);
  const first = new Teller(history);
  const second = new Teller(history);
  tell(first, second);
  const violations: string[] = [];
  const auditors = new Set([second.number]);
  const ended = new Set(history.sessions.filter(({ state }) => state !== 'live'));
  checkHistory(history, { auditors, ended, blindMs: 100, crashes }, violations);
  return violations;
}
