/** A multi is done whole or not at all: whoever lists a parent sees all it left there, or nothing. */

import type { History, Operation } from '../history.ts';
import { describe } from './describe.ts';

export function checkMultis(history: History, violations: string[]): void {
  const multis = history.operations.filter((operation) => operation.kind === 'multi');
  for (const operation of history.operations) {
    if (operation.kind !== 'children' || operation.outcome !== 'ok') continue;
    const names = new Set(operation.reply.names);
    for (const multi of multis) {
      const created = createdNames(multi, operation.path);
      const shown = created.filter((name) => names.has(name));
      if (shown.length > 0 && multi.outcome === 'failed') {
        violations.push(`${describe(operation)} shows ${shown.join(', ')} of a failed multi`);
      } else if (shown.length > 0 && shown.length < created.length) {
        violations.push(
          `${describe(operation)} shows only ${shown.join(', ')} of ${describe(multi)}`,
        );
      }
    }
  }
}

/** What the multi leaves under the parent. */
function createdNames({ changes }: Operation, parent: string): string[] {
  const deleted = new Set<string>();
  for (const { kind, path } of changes) if (kind === 'delete') deleted.add(path);
  return changes
    .filter(({ kind, path }) => kind === 'create' && !deleted.has(path))
    .filter(({ path }) => path.slice(0, path.lastIndexOf('/')) === parent)
    .map(({ path }) => path.slice(parent.length + 1));
}
