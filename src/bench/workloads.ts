/** The loads that are compared, and how they are applied. */

export type Operation =
  | 'get'
  | 'exists'
  | 'getChildren'
  | 'set'
  | 'create'
  | 'create+delete'
  | 'get:set'
  | 'multi'
  | 'watch fan-out'
  | 'connect+close';

export interface Workload {
  readonly operation: Operation;
  /** Bytes of a node's data. */
  readonly size: number;
  /** Requests outstanding on each connection. */
  readonly depth: number;
  /** Of 100 requests, how many are writes: 0 or 100 but for a mix. */
  readonly writePercent: number;
  /** Of the nine loads that a comparison with the original stands on. */
  readonly isMain: boolean;
}

export interface LoadOptions {
  readonly connections: number;
  /** Nodes that reads and sets spread over. */
  readonly keys: number;
  /** Connections that watch one node in a fan-out. */
  readonly watchers: number;
  /** Requests in a second, of all connections; undefined: as many as are answered. */
  readonly rate: number | undefined;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Members of one multi. */
export const MULTI_SETS = 10;
/** Names in one answer of getChildren. */
export const CHILDREN = 100;

export const WORKLOADS: readonly Workload[] = [
  main('get', 1024, 32),
  main('get', 1024, 1),
  main('set', 100, 32),
  main('set', 1024, 1),
  main('create', 1024, 16),
  main('get:set', 1024, 16, 10),
  main('multi', 100, 1),
  main('watch fan-out', 100, 1),
  main('connect+close', 0, 1),
  other('exists', 100, 32),
  other('getChildren', 0, 32),
  other('set', 100, 1),
  other('set', 1024, 32),
  other('create', 1024, 1),
  other('create+delete', 100, 16),
  other('get:set', 1024, 16, 50),
];

/** What a report calls it: operation, bytes, depth. */
export function workloadName({ operation, writePercent, size, depth }: Workload): string {
  switch (operation) {
    case 'watch fan-out':
    case 'connect+close':
      return operation;
    case 'getChildren':
      return `getChildren of ${CHILDREN} d=${depth}`;
    case 'multi':
      return `multi of ${MULTI_SETS} sets ${size} B d=${depth}`;
    case 'get:set':
      return `get:set ${100 - writePercent}:${writePercent} ${size} B d=${depth}`;
    case 'get':
    case 'exists':
    case 'set':
    case 'create':
    case 'create+delete':
      return `${operation} ${size} B d=${depth}`;
  }
}

function main(operation: Operation, size: number, depth: number, writePercent?: number): Workload {
  return workload(operation, size, depth, writePercent, true);
}

function other(operation: Operation, size: number, depth: number, writePercent?: number): Workload {
  return workload(operation, size, depth, writePercent, false);
}

function workload(
  operation: Operation,
  size: number,
  depth: number,
  writePercent: number | undefined,
  isMain: boolean,
): Workload {
  const isRead = operation === 'get' || operation === 'exists' || operation === 'getChildren';
  return { operation, size, depth, writePercent: writePercent ?? (isRead ? 0 : 100), isMain };
}
