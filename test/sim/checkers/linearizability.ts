/**
 * Registers by the clock alone, without trust in any zxid: what clients wrote, and read behind a
 * sync, must fit one order in which each operation takes effect between its asking and its answer.
 *
 * Values are written once each, so no search is needed (Gibbons and Korach, 1997). A write and the
 * reads of its value are a cluster; its zone lies between the first end and the last beginning of
 * any of them. A zone is forward when the first of them ended before the last began: in all that
 * time the value must have been there. An order exists if no two forward zones overlap, no other
 * zone lies within a forward one, and no read ended before its value was written.
 */

import type { History, Operation } from '../history.ts';
import { describe } from './describe.ts';

interface Cluster {
  readonly value: string;
  readonly write: Operation | undefined;
  readonly writtenFromMs: number;
  firstEndMs: number;
  lastBeginMs: number;
}

interface Zone {
  readonly value: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly isForward: boolean;
}

/** `registers`: paths that exist from the start and are only ever set, each time to a new value. */
export function checkLinearizability(
  history: History,
  registers: readonly string[],
  violations: string[],
): void {
  for (const path of registers) {
    const clusters = clustersOf(history, path, violations);
    checkZones(path, clusters.map(zoneOf), violations);
  }
}

function clustersOf(history: History, path: string, violations: string[]): Cluster[] {
  const clusters = new Map<string, Cluster>();
  for (const operation of history.operations) {
    if (operation.outcome === 'failed') continue;
    const change = operation.changes.find((one) => one.path === path && one.kind !== 'check');
    if (change === undefined) continue;
    // Nobody knows when, or whether, a write without an answer took effect.
    const endMs = operation.outcome === 'ok' ? operation.answeredMs : Number.POSITIVE_INFINITY;
    clusters.set(change.value, {
      value: change.value,
      write: operation,
      writtenFromMs: operation.sentMs,
      firstEndMs: endMs,
      lastBeginMs: operation.sentMs,
    });
  }
  for (const { read, sync } of readsBehindSync(history, path)) {
    const cluster = clusters.get(read.reply.value ?? '');
    if (cluster === undefined) continue;
    if (read.answeredMs < cluster.writtenFromMs) {
      violations.push(`${describe(read)} shows what was written only later`);
    }
    cluster.firstEndMs = Math.min(cluster.firstEndMs, read.answeredMs);
    cluster.lastBeginMs = Math.max(cluster.lastBeginMs, sync.sentMs);
  }
  return [...clusters.values()].filter(({ firstEndMs }) => Number.isFinite(firstEndMs));
}

/** A read right behind a sync of its session that succeeded; together they are one operation. */
function readsBehindSync(
  history: History,
  path: string,
): { readonly read: Operation; readonly sync: Operation }[] {
  const pairs: { read: Operation; sync: Operation }[] = [];
  const before = new Map<number, Operation>();
  for (const operation of history.operations) {
    const sync = before.get(operation.client);
    before.set(operation.client, operation);
    if (operation.kind !== 'get' || operation.path !== path || operation.outcome !== 'ok') continue;
    const isBehind = sync?.kind === 'sync' && sync.outcome === 'ok';
    if (isBehind && sync.session === operation.session) pairs.push({ read: operation, sync });
  }
  return pairs;
}

function zoneOf({ value, firstEndMs, lastBeginMs }: Cluster): Zone {
  return {
    value,
    fromMs: Math.min(firstEndMs, lastBeginMs),
    toMs: Math.max(firstEndMs, lastBeginMs),
    isForward: firstEndMs < lastBeginMs,
  };
}

function checkZones(path: string, zones: readonly Zone[], violations: string[]): void {
  const forward = zones.filter(({ isForward }) => isForward).sort((a, b) => a.fromMs - b.fromMs);
  let widest: Zone | undefined;
  for (const zone of forward) {
    if (widest !== undefined && zone.fromMs < widest.toMs) {
      violations.push(
        `${path} held ${widest.value} and ${zone.value} at one time, as writes and reads behind syncs show`,
      );
    }
    if (widest === undefined || zone.toMs > widest.toMs) widest = zone;
  }
  for (const zone of zones) {
    if (zone.isForward) continue;
    const around = forward.find(({ fromMs, toMs }) => fromMs < zone.fromMs && zone.toMs < toMs);
    if (around === undefined) continue;
    violations.push(
      `${path} was set to ${zone.value} while it held ${around.value} without a break`,
    );
  }
}
