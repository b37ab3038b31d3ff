/**
 * How many times better than the original this server aims to be: CPU of all servers for each
 * operation, and operations in a second. Nothing is worse than the original's latency by aim.
 */

export interface Aim {
  readonly cpu: number;
  /** Undefined: no aim beyond not being slower to answer. */
  readonly throughput: number | undefined;
}

/** By the workload's name. */
type Aims = ReadonlyMap<string, Aim>;

const STANDALONE: Aims = new Map([
  ['get 1024 B d=32', aim(5, 2)],
  ['get 1024 B d=1', aim(2, 1.3)],
  ['set 100 B d=32', aim(1.5, 1.3)],
  ['set 1024 B d=1', aim(1.5)],
  ['create 1024 B d=16', aim(1.5)],
  ['get:set 90:10 1024 B d=16', aim(3)],
  ['multi of 10 sets 100 B d=1', aim(1.5)],
  ['watch fan-out', aim(3)],
  ['connect+close', aim(2)],
]);

const THREE: Aims = new Map([
  ['get 1024 B d=32', aim(5, 2)],
  ['get 1024 B d=1', aim(2, 1.5)],
  ['set 100 B d=32', aim(2, 2)],
  ['set 1024 B d=1', aim(2.5, 1.5)],
  ['create 1024 B d=16', aim(2, 2)],
  ['get:set 90:10 1024 B d=16', aim(3, 2)],
  ['multi of 10 sets 100 B d=1', aim(2)],
  ['watch fan-out', aim(3)],
  ['connect+close', aim(3, 2)],
]);

/** Undefined where nobody has set one. */
export function aimOf(workload: string, servers: number): Aim | undefined {
  const aims = servers === 1 ? STANDALONE : servers === 3 ? THREE : undefined;
  return aims?.get(workload);
}

function aim(cpu: number, throughput?: number): Aim {
  return { cpu, throughput };
}
