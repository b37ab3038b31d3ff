/**
 * Watches of each client: an event comes only for a watch, once, and before any answer that could
 * show what it announces. Watches outlive connections, because clients bring them to the next one.
 */

import { ErrorCode } from '../../../src/base/error-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import type { History, Operation } from '../history.ts';
import { isRecursive } from '../lasting-watch.ts';
import { describe, hex } from './describe.ts';
import { lastEffectAt, type Timelines } from './timelines.ts';

interface Watch {
  readonly kind: 'data' | 'child';
  readonly path: string;
  /** On a node that was not there: of such a watch a reconnect forgives a creation already undone. */
  readonly isForMissing: boolean;
  /** State that the client knows; undefined: that of the next answer. */
  sinceZxid: number | undefined;
  /** Last state that the client was shown before the event, if one came. */
  untilZxid: number;
}

export function checkWatches(history: History, timelines: Timelines, violations: string[]): void {
  const childChanges = zxidsByParent(timelines);
  for (const [client, sights] of history.sights.entries()) {
    const watcher = new Watcher(client, violations);
    for (const sight of sights) {
      if (sight.kind === 'reply') watcher.replied(sight.operation);
      else if (sight.kind === 'event') watcher.notified(sight.type, sight.path);
      else if (sight.kind === 'connected') watcher.connected(sight.isNew);
    }
    for (const watch of watcher.finish()) {
      const zxid = firstChange(watch, timelines, childChanges);
      if (zxid === undefined) continue;
      violations.push(
        `client ${client} saw ${hex(watch.untilZxid)} without the event that its ${watch.kind} watch on ${watch.path} owed it for ${hex(zxid)}`,
      );
    }
  }
}

class Watcher {
  readonly #client: number;
  readonly #violations: string[];
  readonly #armed = new Map<string, Watch>();
  readonly #over: Watch[] = [];
  /** Paths watched for good: see lasting-watches.ts. */
  readonly #lasting = new Set<string>();

  constructor(client: number, violations: string[]) {
    this.#client = client;
    this.#violations = violations;
  }

  connected(isNew: boolean): void {
    if (isNew) {
      this.#over.push(...this.#armed.values());
      this.#armed.clear();
      this.#lasting.clear();
      return;
    }
    for (const watch of this.#armed.values()) {
      if (watch.isForMissing) watch.sinceZxid = undefined;
    }
  }

  replied(operation: Operation): void {
    const { zxid, kind, path } = operation;
    if (kind === 'addWatch' && operation.outcome === 'ok') this.#lasting.add(path);
    for (const watch of this.#armed.values()) {
      watch.sinceZxid ??= zxid;
      watch.untilZxid = zxid;
    }
    if (kind === 'get' || kind === 'exists') this.#seen('data', operation);
    if (kind === 'children') this.#seen('child', operation);
    if (!operation.watch) return;
    const isForMissing = kind === 'exists' && operation.error === ErrorCode.noNode;
    if (operation.outcome !== 'ok' && !isForMissing) return;
    const watchKind = kind === 'children' ? 'child' : 'data';
    const key = `${watchKind} ${path}`;
    if (this.#armed.has(key)) return;
    this.#armed.set(key, {
      kind: watchKind,
      path,
      isForMissing,
      sinceZxid: zxid,
      untilZxid: zxid,
    });
  }

  notified(type: EventType, path: string): void {
    const kinds: Watch['kind'][] =
      type === EventType.nodeChildrenChanged
        ? ['child']
        : type === EventType.nodeDeleted
          ? ['data', 'child']
          : ['data'];
    let isExpected = false;
    for (const kind of kinds) {
      const watch = this.#armed.get(`${kind} ${path}`);
      if (watch === undefined) continue;
      isExpected = true;
      this.#armed.delete(`${kind} ${path}`);
      this.#over.push(watch);
    }
    if (isExpected || this.#isWatchedForGood(path)) return;
    this.#violations.push(
      `client ${this.#client} got event ${type} for ${path}, of which it has no watch`,
    );
  }

  #isWatchedForGood(path: string): boolean {
    const parent = path.slice(0, path.lastIndexOf('/'));
    return this.#lasting.has(path) || (this.#lasting.has(parent) && isRecursive(parent));
  }

  finish(): readonly Watch[] {
    this.#over.push(...this.#armed.values());
    return this.#over;
  }

  /** Whatever wrote it: data newer than the watch is shown only after the event. */
  #seen(kind: Watch['kind'], operation: Operation): void {
    const watch = this.#armed.get(`${kind} ${operation.path}`);
    const stat = operation.reply.stat;
    if (watch?.sinceZxid === undefined || stat === undefined) return;
    const zxid = kind === 'data' ? stat.mzxid : stat.pzxid;
    if (zxid > watch.sinceZxid) {
      this.#violations.push(
        `${describe(operation)} shows ${hex(zxid)} before the event of the watch set at ${hex(watch.sinceZxid)}`,
      );
    }
  }
}

/** Ascending zxids of acknowledged changes to the children of each parent. */
function zxidsByParent(timelines: Timelines): Map<string, number[]> {
  const zxids = new Map<string, number[]>();
  for (const [path, { effects, possible }] of timelines) {
    const mayBeGone = possible.some(({ kind }) => kind === 'delete');
    const parent = path.slice(0, path.lastIndexOf('/'));
    const list = zxids.get(parent) ?? [];
    zxids.set(parent, list);
    let isThere = false;
    for (const { kind, zxid } of effects) {
      // The end of a session changes nothing where its client has, or may have, deleted the node.
      if (kind === 'create' || (isThere && !mayBeGone && kind === 'delete')) list.push(zxid);
      if (kind !== 'set') isThere = kind === 'create';
    }
  }
  for (const list of zxids.values()) list.sort((a, b) => a - b);
  return zxids;
}

/** The first acknowledged change that the watch should have told of before its last answer. */
function firstChange(
  { kind, path, sinceZxid, untilZxid }: Watch,
  timelines: Timelines,
  childChanges: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  if (sinceZxid === undefined) return undefined;
  let zxid: number | undefined;
  if (kind === 'child') {
    zxid = childChanges.get(path)?.find((change) => change > sinceZxid);
  } else {
    const effects = timelines.get(path)?.effects ?? [];
    zxid = effects[lastEffectAt(effects, sinceZxid) + 1]?.zxid;
  }
  return zxid !== undefined && zxid <= untilZxid ? zxid : undefined;
}
