/** Runs as they might have been, for what is made of them. */

import type { LoadRun } from '../../../src/bench/report.ts';

/** Half a CPU second and two real ones of `get 1024 B d=1` on one server. */
export function loadRun(target: string, opsPerSecond: number, round = 1): LoadRun {
  return {
    target,
    servers: 1,
    round,
    workload: 'get 1024 B d=1',
    seconds: 2,
    operations: opsPerSecond * 2,
    opsPerSecond,
    serverCpuSeconds: 1,
    clientCpuSeconds: 1,
    otherCpuSeconds: 0.2,
    residentBytes: 100e6,
    cpuSecondsPerKop: 500 / opsPerSecond,
    p50Us: 1000,
    p90Us: 1500,
    p99Us: 2000,
    p999Us: 2500,
    p9999Us: 2900,
    maxUs: 3000,
    failures: [],
  };
}
