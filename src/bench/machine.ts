/** What the kernel says of processes and of the machine, from /proc (Linux only). */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** USER_HZ, which Linux fixes at 100 for everything it shows in /proc. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the command's name, counted from the state. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
/** Columns of the first line of /proc/stat that are not work: idle and iowait. */
const IDLE_COLUMNS = new Set([3, 4]);
/** user to steal; the two guest columns behind them are counted in user already. */
const COLUMNS = 8;

/** User and system seconds of all threads of a process, ended ones included, in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold anything; what follows its last parenthesis is regular.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Seconds that all cores together have worked since the machine started. */
export function machineBusySeconds(): number {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  const columns = line
    .trim()
    .split(/\s+/)
    .slice(1, 1 + COLUMNS);
  let ticks = 0;
  for (const [at, column] of columns.entries()) if (!IDLE_COLUMNS.has(at)) ticks += Number(column);
  return ticks / TICKS_PER_SECOND;
}

/** One line on what the numbers were taken on. */
export function machineLine(): string {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1];
  const memory = /^MemTotal:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
  const gib = Math.round(Number(memory ?? 0) / 1024 / 1024);
  return `${availableParallelism()} cores (${model ?? 'unknown'}), ${gib} GiB, Node ${process.version}`;
}
