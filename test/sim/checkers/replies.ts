/**
 * The zxids of replies: what a client is told never goes back, over reconnects neither; its writes
 * take effect in the order in which it asked; no two writes have one zxid; and whoever syncs sees
 * what anybody was acknowledged before.
 */

import type { History, Operation } from '../history.ts';
import { describe, hex } from './describe.ts';
import { isUnplaced } from './timelines.ts';

export function checkReplies(history: History, violations: string[]): void {
  const writes = new Map<number, Operation>();
  for (const sights of history.sights) {
    let lastZxid = 0;
    let lastWriteZxid = 0;
    /** Of events on this connection: what a client does not bring to the next one. */
    let lastEventZxid = 0;
    for (const sight of sights) {
      if (sight.kind === 'event') lastEventZxid = Math.max(lastEventZxid, sight.zxid);
      else if (sight.kind === 'connected') lastEventZxid = 0;
      if (sight.kind !== 'reply') continue;
      const { operation } = sight;
      const { zxid } = operation;
      const seenZxid = Math.max(lastZxid, lastEventZxid);
      if (zxid < seenZxid) {
        violations.push(
          `${describe(operation)} was answered as of ${hex(zxid)} after ${hex(seenZxid)} was seen`,
        );
      }
      lastZxid = Math.max(lastZxid, zxid);
      checkSync(operation, violations);
      // What a server refused for its own sake has no place among the writes.
      if (operation.changes.length === 0 || isUnplaced(operation)) continue;
      if (zxid <= lastWriteZxid) {
        violations.push(`${describe(operation)} took effect before one that was asked earlier`);
      }
      if (operation.outcome === 'ok' && zxid <= operation.ackedBefore) {
        violations.push(
          `${describe(operation)} took effect at ${hex(zxid)}, though ${hex(operation.ackedBefore)} was acknowledged before it was asked`,
        );
      }
      lastWriteZxid = zxid;
      checkOwnZxid(operation, writes, violations);
    }
  }
}

function checkSync(operation: Operation, violations: string[]): void {
  const { kind, outcome, zxid, ackedBefore } = operation;
  if (kind !== 'sync' || outcome !== 'ok' || zxid >= ackedBefore) return;
  violations.push(
    `${describe(operation)} ended at ${hex(zxid)}, though ${hex(ackedBefore)} was acknowledged before it began`,
  );
}

function checkOwnZxid(
  operation: Operation,
  writes: Map<number, Operation>,
  violations: string[],
): void {
  const other = writes.get(operation.zxid);
  if (other !== undefined) {
    violations.push(
      `${describe(operation)} and ${describe(other)} both have ${hex(operation.zxid)}`,
    );
  }
  writes.set(operation.zxid, operation);
}
