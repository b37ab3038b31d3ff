/** Numbers of sequential nodes: given once, and growing in the order of the transactions. */

import type { History } from '../history.ts';
import { describe, hex } from './describe.ts';
import { isSequential } from './timelines.ts';

interface Numbered {
  readonly zxid: number;
  readonly number: number;
  readonly what: string;
}

export function checkSequences(history: History, violations: string[]): void {
  const byPrefix = new Map<string, Numbered[]>();
  for (const operation of history.operations) {
    const change = operation.changes[0];
    if (operation.kind !== 'create' || operation.outcome !== 'ok') continue;
    if (change === undefined || !isSequential(change.mode)) continue;
    const { path = '' } = operation.reply;
    const digits = path.slice(change.path.length);
    if (!path.startsWith(change.path) || !/^\d{10}$/.test(digits)) {
      violations.push(`${describe(operation)} made ${path}, which is not a number behind its path`);
      continue;
    }
    const numbered = byPrefix.get(change.path) ?? [];
    byPrefix.set(change.path, numbered);
    numbered.push({ zxid: operation.zxid, number: Number(digits), what: describe(operation) });
  }
  for (const numbered of byPrefix.values()) {
    numbered.sort((a, b) => a.zxid - b.zxid);
    let last = -1;
    for (const { zxid, number, what } of numbered) {
      if (number <= last) {
        violations.push(`${what} got number ${number} at ${hex(zxid)} after ${last} was given`);
      }
      last = number;
    }
  }
}
