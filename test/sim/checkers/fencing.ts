/**
 * Locks: whoever holds the lowest number writes it, in one multi with a check that its own node is
 * still there. So the tokens in a fenced node never go back: two holders at a time would show.
 */

import type { History } from '../history.ts';
import { describe, hex } from './describe.ts';

export function checkFencing(
  history: History,
  fences: readonly string[],
  violations: string[],
): void {
  for (const fence of fences) {
    const writes = history.operations.flatMap((operation) => {
      const change = operation.changes.find(({ kind, path }) => kind === 'set' && path === fence);
      const isDone = operation.kind === 'multi' && operation.outcome === 'ok';
      return isDone && change !== undefined ? [{ operation, token: Number(change.value) }] : [];
    });
    writes.sort((a, b) => a.operation.zxid - b.operation.zxid);
    let highest = -1;
    for (const { operation, token } of writes) {
      if (token < highest) {
        violations.push(
          `${describe(operation)} wrote as holder ${token} at ${hex(operation.zxid)} after holder ${highest} had`,
        );
      }
      highest = Math.max(highest, token);
    }
  }
}
