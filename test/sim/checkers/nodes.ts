/**
 * Every answer about a node must show it as of the answer's zxid: with all writes acknowledged up to
 * there and no write acknowledged later, with a value that somebody wrote there, in the version that
 * follows from the writes. A lost acknowledged write, a stale read and a torn multi all break this.
 */

import { ErrorCode } from '../../../src/base/error-code.ts';
import type { Stat } from '../../../src/base/stat.ts';
import type { History, Operation } from '../history.ts';
import { describe, hex } from './describe.ts';
import {
  type Effect,
  isUnplaced,
  lastEffectAt,
  type Timeline,
  type Timelines,
} from './timelines.ts';

export function checkNodes(history: History, timelines: Timelines, violations: string[]): void {
  for (const [path, timeline] of timelines) checkOrder(path, timeline, violations);
  const children = childrenByParent(timelines);
  for (const operation of history.operations) {
    const { kind, outcome, reply } = operation;
    if (outcome === 'failed') checkRefusal(operation, timelines, violations);
    if (outcome !== 'ok') continue;
    if ((kind === 'get' || kind === 'exists') && reply.stat !== undefined) {
      const problem = problemOfNode(timelines.get(operation.path), operation.zxid, {
        stat: reply.stat,
        value: reply.value,
      });
      if (problem !== undefined) violations.push(`${describe(operation)} ${problem}`);
    } else if (kind === 'children') {
      checkNames(operation, timelines, children.get(operation.path) ?? [], violations);
    }
  }
}

function childrenByParent(timelines: Timelines): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const path of timelines.keys()) {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const paths = children.get(parent);
    if (paths === undefined) children.set(parent, [path]);
    else paths.push(path);
  }
  return children;
}

/** Acknowledged writes of one path must make sense one after the other. */
function checkOrder(path: string, { effects, possible }: Timeline, violations: string[]): void {
  const setCount = possible.filter(({ kind }) => kind === 'set').length;
  let previous: Effect | undefined;
  for (const effect of effects) {
    const wasThere = previous !== undefined && previous.kind !== 'delete';
    if (effect.kind === 'create' && wasThere && !isPossible(possible, 'delete')) {
      violations.push(`${path} was created at ${hex(effect.zxid)}, though it was there`);
    }
    const isDeletion = effect.kind === 'delete' && effect.isAsked;
    if (isDeletion && !wasThere && !isPossible(possible, 'create')) {
      violations.push(`${path} was deleted at ${hex(effect.zxid)}, though it was not there`);
    }
    if (effect.kind === 'set' && !wasThere && !isPossible(possible, 'create')) {
      violations.push(`${path} was written at ${hex(effect.zxid)}, though it was not there`);
    }
    if (effect.kind === 'set' && wasThere) {
      const before = previous?.version;
      const after = effect.version;
      if (before !== undefined && after !== undefined && !isPossible(possible, 'create')) {
        const step = after - before;
        if (step < 1 || step > 1 + setCount) {
          violations.push(
            `${path} went from version ${before} to ${after} at ${hex(effect.zxid)} in one write`,
          );
        }
      }
    }
    previous = effect;
  }
}

interface Shown {
  readonly stat: Stat;
  readonly value: string | undefined;
}

/** What is wrong with a node as it was shown, if anything is. */
function problemOfNode(
  timeline: Timeline | undefined,
  zxid: number,
  { stat, value }: Shown,
): string | undefined {
  if (timeline === undefined) return 'shows a node that nobody made';
  const { effects, possible } = timeline;
  if (stat.mzxid > zxid) return `shows ${hex(stat.mzxid)} in an answer as of ${hex(zxid)}`;
  const last = effects[lastEffectAt(effects, zxid)];
  if (last !== undefined && last.zxid > stat.mzxid) {
    return `shows the state of ${hex(stat.mzxid)}, though the ${last.kind} of ${hex(last.zxid)} was acknowledged and the answer is as of ${hex(zxid)}`;
  }
  const known = effects[lastEffectAt(effects, stat.mzxid)];
  if (known !== undefined && known.zxid === stat.mzxid && known.kind !== 'delete') {
    if (known.version !== undefined && known.version !== stat.version) {
      return `shows version ${stat.version} of ${hex(stat.mzxid)}, which made version ${known.version}`;
    }
    if (value !== undefined && known.value !== value) {
      return `shows ${value} of ${hex(stat.mzxid)}, which wrote ${known.value}`;
    }
    return undefined;
  }
  const isWritten = possible.some(
    (other) =>
      other.kind !== 'delete' &&
      other.beforeZxid > stat.mzxid &&
      (value === undefined || other.value === value),
  );
  return isWritten
    ? undefined
    : `shows ${value ?? 'a node'} of ${hex(stat.mzxid)}, written by nobody`;
}

function checkNames(
  operation: Operation,
  timelines: Timelines,
  known: readonly string[],
  violations: string[],
): void {
  const { path: parent, zxid, reply } = operation;
  const names = new Set(reply.names);
  for (const path of known) {
    const isShown = names.delete(path.slice(parent.length + 1));
    const problem = problemOfPresence(timelines.get(path), zxid, isShown);
    if (problem !== undefined) violations.push(`${describe(operation)} ${problem}: ${path}`);
  }
  for (const name of names) {
    // A sequential node whose create was never answered has a name that only its parent shows.
    if (!name.startsWith('q-')) {
      violations.push(`${describe(operation)} shows a node that nobody made: ${name}`);
    }
  }
}

/** A refusal says whether the node was there. */
function checkRefusal(operation: Operation, timelines: Timelines, violations: string[]): void {
  const { kind, path, zxid, error } = operation;
  if (kind === 'multi' || isUnplaced(operation)) return;
  let isThere: boolean;
  if (error === ErrorCode.noNode) isThere = false;
  else if (error === ErrorCode.nodeExists || error === ErrorCode.badVersion) isThere = true;
  else {
    // Nobody is refused for the end of a session that has not ended.
    const { state, kind: sessionKind, askedEphemeral } = operation.session;
    const isEnded = error === ErrorCode.sessionExpired && state !== 'live';
    const isFixed =
      error === ErrorCode.ephemeralOnLocalSession && sessionKind === 'fixed' && askedEphemeral;
    if (!isEnded && !isFixed) violations.push(`${describe(operation)} was refused with ${error}`);
    return;
  }
  const problem = problemOfPresence(timelines.get(path), zxid, isThere);
  if (problem !== undefined) violations.push(`${describe(operation)} ${problem}`);
}

function problemOfPresence(
  timeline: Timeline | undefined,
  zxid: number,
  isShown: boolean,
): string | undefined {
  const effects = timeline?.effects ?? [];
  const possible = timeline?.possible ?? [];
  const last = effects[lastEffectAt(effects, zxid)];
  const isThere = last !== undefined && last.kind !== 'delete';
  if (isShown && !isThere && !isPossible(possible, 'create', last)) {
    return last === undefined
      ? `shows as of ${hex(zxid)} what was not yet made`
      : `shows as of ${hex(zxid)} what was deleted at ${hex(last.zxid)}`;
  }
  if (!isShown && isThere && !isPossible(possible, 'delete', last)) {
    return `lacks as of ${hex(zxid)} what was written at ${hex(last.zxid)}`;
  }
  return undefined;
}

/** Whether a write of unknown outcome may have followed the last one known. */
function isPossible(
  possible: Timeline['possible'],
  kind: Effect['kind'],
  last: Effect | undefined = undefined,
): boolean {
  const zxid = last?.zxid ?? Number.NEGATIVE_INFINITY;
  return possible.some((other) => other.kind === kind && other.beforeZxid > zxid);
}
