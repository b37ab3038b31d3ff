/**
 * What the clients' acknowledged writes did to each path, in the order of zxids, and what writes of
 * unknown outcome may have done. The base of the checks of nodes and watches.
 */

import { invariant } from '../../../src/base/assert.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { CreateMode } from '../../../src/base/op-code.ts';
import type { Change, History, Operation, SessionRecord } from '../history.ts';

const SEQUENCE_DIGITS = 10;

export interface Effect {
  readonly kind: 'create' | 'set' | 'delete';
  readonly zxid: number;
  readonly value: string;
  /** Of the node after it; undefined when nobody was told. */
  readonly version: number | undefined;
  /** False: it went with its session, if it was still there. */
  readonly isAsked: boolean;
}

/** What may have happened, or not. */
export interface Possibility {
  readonly kind: 'create' | 'set' | 'delete';
  readonly value: string;
  /** If it happened, then before this zxid. */
  readonly beforeZxid: number;
}

export interface Timeline {
  /** Ascending. */
  readonly effects: Effect[];
  readonly possible: Possibility[];
}

export type Timelines = ReadonlyMap<string, Timeline>;

export function buildTimelines(history: History): Timelines {
  const timelines = new Map<string, Timeline>();
  const at = (path: string): Timeline => {
    let timeline = timelines.get(path);
    if (timeline === undefined) {
      timeline = { effects: [], possible: [] };
      timelines.set(path, timeline);
    }
    return timeline;
  };
  const following = followingZxids(history);
  for (const operation of history.operations) {
    if (operation.outcome === 'ok') addEffects(operation, at);
    else if (operation.outcome !== 'failed') {
      addPossibilities(operation, following[operation.id] ?? Number.POSITIVE_INFINITY, at);
    }
  }
  addUnnumbered(history, following, timelines);
  for (const timeline of timelines.values()) {
    // Stable, so that the changes of one multi keep their order.
    timeline.effects.sort((a, b) => a.zxid - b.zxid);
  }
  return timelines;
}

/**
 * For each operation the zxid of the next write that its session was answered. A session's requests
 * take effect in their order, on whatever connection: what it asked before took effect before that
 * zxid, or never.
 */
function followingZxids(history: History): number[] {
  const zxids: number[] = [];
  const next = new Map<SessionRecord, number>();
  for (const operation of [...history.operations].reverse()) {
    const { id, session, zxid, kind, changes } = operation;
    zxids[id] = next.get(session) ?? Number.POSITIVE_INFINITY;
    // The end of a session that only its server knows has no place in the order.
    const isOrderedEnd = kind === 'close' && session.kind === 'replicated';
    const isWrite = (changes.length > 0 && !isUnplaced(operation)) || isOrderedEnd;
    if (zxid > 0 && isWrite) next.set(session, zxid);
  }
  return zxids;
}

/** Index of the last effect at or before a zxid; -1 when there is none. */
export function lastEffectAt(effects: readonly Effect[], zxid: number): number {
  let low = 0;
  let high = effects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const effect = effects[middle];
    if (effect !== undefined && effect.zxid <= zxid) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** No transaction was made of it, so that the zxid of its answer says nothing of its order. */
export function isUnplaced({ error }: Operation): boolean {
  return error === ErrorCode.throttledOp || error === ErrorCode.notReadOnly;
}

export function isEphemeral(mode: CreateMode): boolean {
  return mode === CreateMode.ephemeral || mode === CreateMode.ephemeralSequential;
}

export function isSequential(mode: CreateMode): boolean {
  return mode === CreateMode.persistentSequential || mode === CreateMode.ephemeralSequential;
}

/** The path that a create really made; undefined when nobody was told its number. */
export function createdPath(operation: Operation, change: Change): string | undefined {
  return isSequential(change.mode) ? operation.reply.path : change.path;
}

function addEffects(operation: Operation, at: (path: string) => Timeline): void {
  const { changes, zxid, reply, session } = operation;
  for (const [index, change] of changes.entries()) {
    const { kind, value } = change;
    if (kind === 'check') continue;
    const path = kind === 'create' ? createdPath(operation, change) : change.path;
    invariant(path !== undefined, 'a node was created and nobody knows which');
    const stat = operation.kind === 'multi' ? reply.stats?.[index] : reply.stat;
    const version = kind === 'create' ? 0 : stat?.version;
    at(path).effects.push({ kind, zxid, value, version, isAsked: true });
    if (kind === 'create' && isEphemeral(change.mode)) endWithSession(session, at(path));
  }
}

function addPossibilities(
  operation: Operation,
  beforeZxid: number,
  at: (path: string) => Timeline,
): void {
  const { changes, session } = operation;
  for (const change of changes) {
    const { kind, path, value } = change;
    // What number such a node was given, if it was made, is for `addUnnumbered` to guess.
    if (kind === 'check' || isSequential(change.mode)) continue;
    at(path).possible.push({ kind, value, beforeZxid });
    if (kind === 'create' && isEphemeral(change.mode)) endWithSession(session, at(path));
  }
}

/**
 * A sequential node whose number nobody was told has a path that others find by listing its parent:
 * any that somebody used, and nobody was told to have made, may be the one.
 */
function addUnnumbered(
  history: History,
  following: readonly number[],
  timelines: ReadonlyMap<string, Timeline>,
): void {
  for (const { id, outcome, changes, session } of history.operations) {
    if (outcome === 'ok' || outcome === 'failed') continue;
    const beforeZxid = following[id] ?? Number.POSITIVE_INFINITY;
    for (const { kind, path: prefix, value, mode } of changes) {
      if (kind !== 'create' || !isSequential(mode)) continue;
      for (const [path, timeline] of timelines) {
        if (path.slice(0, -SEQUENCE_DIGITS) !== prefix) continue;
        if (timeline.effects.some((effect) => effect.kind === 'create')) continue;
        timeline.possible.push({ kind: 'create', value, beforeZxid });
        if (isEphemeral(mode)) endWithSession(session, timeline);
      }
    }
  }
}

function endWithSession(session: SessionRecord, timeline: Timeline): void {
  const { state, closedZxid: zxid } = session;
  const end = { kind: 'delete', value: '' } as const;
  if (state === 'closed')
    timeline.effects.push({ ...end, zxid, version: undefined, isAsked: false });
  else if (state !== 'live') {
    timeline.possible.push({ ...end, beforeZxid: Number.POSITIVE_INFINITY });
  }
}
