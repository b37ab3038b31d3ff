/** What locks and queues promise, over what clients were told. */

import { describe, hex } from '../../test/sim/checkers/describe.ts';
import type { History, Operation } from '../../test/sim/history.ts';
import { LOCK, QUEUE } from './workers.ts';

export function checkRecipes(history: History, violations: string[]): void {
  checkFences(history, violations);
  checkTaken(history, violations);
}

/** Whoever wrote under the lock held a place in line behind which nobody had written before. */
function checkFences(history: History, violations: string[]): void {
  const writes: { readonly operation: Operation; readonly place: string }[] = [];
  for (const operation of history.operations) {
    const place = operation.changes[0]?.path ?? '';
    if (operation.kind !== 'multi' || operation.outcome !== 'ok') continue;
    if (place.startsWith(`${LOCK}/`)) writes.push({ operation, place });
  }
  writes.sort((a, b) => a.operation.zxid - b.operation.zxid);
  let last = '';
  for (const { operation, place } of writes) {
    if (place <= last) {
      violations.push(
        `${describe(operation)} wrote at ${hex(operation.zxid)} with ${place} after ${last} held the lock`,
      );
    }
    last = place;
  }
}

/** An item is taken once. */
function checkTaken(history: History, violations: string[]): void {
  const takers = new Map<string, Operation>();
  for (const operation of history.operations) {
    const { kind, path, outcome } = operation;
    if (kind !== 'delete' || outcome !== 'ok' || !path.startsWith(`${QUEUE}/`)) continue;
    const other = takers.get(path);
    if (other !== undefined) {
      violations.push(`${describe(operation)} took what ${describe(other)} had taken`);
    }
    takers.set(path, operation);
  }
}
