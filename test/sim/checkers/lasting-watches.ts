/**
 * Watches that stay, persistent and recursive: while a connection lasts, every change of what they
 * cover is told once, in order, and before any answer that could show it.
 */

import { EventType } from '../../../src/base/watch-event.ts';
import type { History } from '../history.ts';
import { isRecursive } from '../lasting-watch.ts';
import { hex } from './describe.ts';
import { type Effect, lastEffectAt, type Timelines } from './timelines.ts';

const TYPES: Readonly<Record<Effect['kind'], EventType>> = {
  create: EventType.nodeCreated,
  set: EventType.nodeDataChanged,
  delete: EventType.nodeDeleted,
};

/** What one connection of a client has been told. */
interface Told {
  /** By path watched: the state up to which the client knows; undefined: that of the next answer. */
  readonly since: Map<string, number | undefined>;
  readonly events: Set<string>;
  lastZxid: number;
}

export function checkLastingWatches(
  history: History,
  timelines: Timelines,
  violations: string[],
): void {
  for (const [client, sights] of history.sights.entries()) {
    /** Paths watched in this session, which the client brings to the next connection. */
    const own = new Set<string>();
    let told: Told = { since: new Map(), events: new Set(), lastZxid: 0 };
    const settle = (): void => checkOwed(client, told, timelines, violations);
    for (const sight of sights) {
      if (sight.kind === 'disconnected') {
        settle();
        told.since.clear();
      } else if (sight.kind === 'connected') {
        if (sight.isNew) own.clear();
        const since = new Map([...own].map((path) => [path, undefined] as const));
        told = { since, events: new Set(), lastZxid: 0 };
      } else if (sight.kind === 'reply') {
        const { kind, path, outcome, zxid } = sight.operation;
        told.lastZxid = Math.max(told.lastZxid, zxid);
        for (const [watched, from] of told.since) {
          if (from === undefined) told.since.set(watched, zxid);
        }
        if (kind !== 'addWatch' || outcome !== 'ok') continue;
        own.add(path);
        if (!told.since.has(path)) told.since.set(path, zxid);
      } else if (told.since.size > 0) {
        noteEvent(client, sight, told, violations);
      }
    }
    settle();
  }
}

function noteEvent(
  client: number,
  event: { readonly type: EventType; readonly path: string; readonly zxid: number },
  told: Told,
  violations: string[],
): void {
  const { type, path, zxid } = event;
  const isCovered = [...told.since.keys()].some((watched) => covers(watched, path));
  if (!isCovered || zxid < 0 || type === EventType.nodeChildrenChanged) return;
  const key = `${type} ${path} ${zxid}`;
  if (told.events.has(key)) {
    violations.push(`client ${client} was told twice of ${path} at ${hex(zxid)}`);
  }
  if (zxid <= told.lastZxid) {
    violations.push(
      `client ${client} heard of ${path} at ${hex(zxid)} after it had seen ${hex(told.lastZxid)}`,
    );
  }
  told.events.add(key);
}

function checkOwed(
  client: number,
  { since, events, lastZxid }: Told,
  timelines: Timelines,
  violations: string[],
): void {
  for (const [watched, from] of since) {
    if (from === undefined) continue;
    for (const [path, { effects }] of timelines) {
      if (!covers(watched, path)) continue;
      for (let i = lastEffectAt(effects, from) + 1; i < effects.length; i++) {
        const effect = effects[i];
        if (effect === undefined || effect.zxid > lastZxid) break;
        // What goes with a session may have gone before.
        if (!effect.isAsked || events.has(`${TYPES[effect.kind]} ${path} ${effect.zxid}`)) continue;
        violations.push(
          `client ${client} saw ${hex(lastZxid)} and was not told of the ${effect.kind} of ${path} at ${hex(effect.zxid)}, though it watches ${watched} for good`,
        );
      }
    }
  }
}

function covers(watched: string, path: string): boolean {
  return watched === path || (isRecursive(watched) && path.startsWith(`${watched}/`));
}
