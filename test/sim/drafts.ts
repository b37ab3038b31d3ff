/** What a simulated client can ask for, put into words. */

import { invariant } from '../../src/base/assert.ts';
import { CreateMode } from '../../src/base/op-code.ts';
import type { Change, Draft, OperationKind } from './history.ts';

export function create(path: string, value: string, mode: CreateMode): Change {
  return { kind: 'create', path, value, version: -1, mode };
}

export function set(path: string, value: string, version: number): Change {
  return { kind: 'set', path, value, version, mode: CreateMode.persistent };
}

export function remove(path: string): Change {
  return { kind: 'delete', path, value: '', version: -1, mode: CreateMode.persistent };
}

export function check(path: string, version: number): Change {
  return { kind: 'check', path, value: '', version, mode: CreateMode.persistent };
}

export function write(change: Change): Draft {
  invariant(change.kind !== 'check', 'a check is part of a multi');
  return { kind: change.kind, path: change.path, watch: false, changes: [change] };
}

export function read(kind: OperationKind, path: string, watch = false): Draft {
  return { kind, path, watch, changes: [] };
}
