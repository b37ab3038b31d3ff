/** What a measured window cost: the servers, this process, and everybody else on the machine. */

import { cpuSeconds, machineBusySeconds, residentBytes } from './machine.ts';

export interface Usage {
  /** Length of the window. */
  readonly seconds: number;
  /** User and system time of all servers, all threads. */
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  /** Time that neither servers nor this process used: the noise. Coarse, may be slightly negative. */
  readonly otherCpuSeconds: number;
  /** Of all servers, at the end of the window. */
  readonly residentBytes: number;
}

/** The counters at one moment. */
export class UsageSample {
  readonly atMs = performance.now();
  readonly serverCpuSeconds: number;
  readonly clientCpuSeconds: number;
  readonly busySeconds = machineBusySeconds();
  readonly residentBytes: number;

  constructor(pids: readonly number[]) {
    this.serverCpuSeconds = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const own = process.cpuUsage();
    this.clientCpuSeconds = (own.user + own.system) / 1e6;
    this.residentBytes = pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
  }
}

export function usageBetween(before: UsageSample, after: UsageSample): Usage {
  const serverCpuSeconds = after.serverCpuSeconds - before.serverCpuSeconds;
  const clientCpuSeconds = after.clientCpuSeconds - before.clientCpuSeconds;
  const busySeconds = after.busySeconds - before.busySeconds;
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    serverCpuSeconds,
    clientCpuSeconds,
    otherCpuSeconds: busySeconds - serverCpuSeconds - clientCpuSeconds,
    residentBytes: after.residentBytes,
  };
}
