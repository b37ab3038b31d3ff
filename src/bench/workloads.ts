/** The loads that are compared, and how they are applied. */

export interface Workload {
  /** What a write of this load does; reads are getData. */
  readonly write: 'set' | 'create';
  /** Of 100 requests, how many are writes. */
  readonly writePercent: number;
  /** Bytes of a node's data. */
  readonly size: number;
  /** Requests outstanding on each connection. */
  readonly depth: number;
  /** Part of the short suite. */
  readonly isQuick: boolean;
}

export interface LoadOptions {
  readonly connections: number;
  /** Nodes that reads and sets spread over. */
  readonly keys: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export const WORKLOADS: readonly Workload[] = [
  workload('set', 0, 1024, 1, true),
  workload('set', 0, 1024, 32, true),
  workload('set', 100, 100, 1, true),
  workload('set', 100, 100, 32, false),
  workload('set', 100, 1024, 1, false),
  workload('set', 100, 1024, 32, true),
  workload('create', 100, 1024, 1, false),
  workload('create', 100, 1024, 16, false),
  workload('set', 10, 1024, 16, true),
];

/** What a report calls it: operation, bytes, depth. */
export function workloadName({ write, writePercent, size, depth }: Workload): string {
  const operation =
    writePercent === 0
      ? 'get'
      : writePercent === 100
        ? write
        : `get:${write} ${100 - writePercent}:${writePercent}`;
  return `${operation} ${size} B d=${depth}`;
}

function workload(
  write: 'set' | 'create',
  writePercent: number,
  size: number,
  depth: number,
  isQuick: boolean,
): Workload {
  return { write, writePercent, size, depth, isQuick };
}
