/** What a measured window cost: the servers, this process, and everybody else on the machine. */

import { cpuSeconds, machineBusySeconds, residentBytes } from './machine.ts';

export interface Usage {
  /** Length of the window. */
  readonly seconds: number;
  /** User and system time of all servers, all threads; undefined when their processes are unknown. */
  readonly serverCpuSeconds: number | undefined;
  readonly clientCpuSeconds: number;
  /** Time that neither servers nor this process used: the noise. Coarse, may be slightly negative. */
  readonly otherCpuSeconds: number | undefined;
  /** Of all servers, at the end of the window. */
  readonly residentBytes: number | undefined;
}

/** The counters at one moment. */
export class UsageSample {
  readonly atMs = performance.now();
  readonly serverCpuSeconds: number | undefined;
  readonly clientCpuSeconds: number;
  readonly busySeconds = machineBusySeconds();
  readonly residentBytes: number | undefined;

  constructor(pids: readonly number[]) {
    this.serverCpuSeconds = sum(pids, cpuSeconds);
    const own = process.cpuUsage();
    this.clientCpuSeconds = (own.user + own.system) / 1e6;
    this.residentBytes = sum(pids, residentBytes);
  }
}

export function usageBetween(before: UsageSample, after: UsageSample): Usage {
  const serverCpuSeconds = difference(before.serverCpuSeconds, after.serverCpuSeconds);
  const clientCpuSeconds = after.clientCpuSeconds - before.clientCpuSeconds;
  const busySeconds = difference(before.busySeconds, after.busySeconds);
  const isKnown = busySeconds !== undefined && serverCpuSeconds !== undefined;
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    serverCpuSeconds,
    clientCpuSeconds,
    otherCpuSeconds: isKnown ? busySeconds - serverCpuSeconds - clientCpuSeconds : undefined,
    residentBytes: after.residentBytes,
  };
}

/** Undefined when there is nothing to add up. */
function sum(pids: readonly number[], value: (pid: number) => number): number | undefined {
  return pids.length === 0 ? undefined : pids.reduce((total, pid) => total + value(pid), 0);
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
