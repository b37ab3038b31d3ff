/** What the kernel says of processes and of the machine, from /proc (Linux only). */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** USER_HZ, which Linux fixes at 100 for everything it shows in /proc. */
const TICKS_PER_SECOND = 100;
/** Of a line of /proc/net/tcp: the state of a socket that listens, and where its inode stands. */
const STATE_LISTEN = '0A';
const INODE_FIELD = 9;
/** Fields of /proc/PID/stat behind the command's name, counted from the state. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
/** Columns of the first line of /proc/stat that are not work: idle and iowait. */
const IDLE_COLUMNS = new Set([3, 4]);
/** user to steal; the two guest columns behind them are counted in user already. */
const COLUMNS = 8;

/**
 * Has the disks hold what was written so far, so that nobody's syncs wait for what others left to be
 * written. Does nothing where there is no program for it.
 */
export function settleDisks(): void {
  spawnSync('sync', { stdio: 'ignore' });
}

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

/** Seconds that all cores together have worked since the machine started; undefined without /proc. */
export function machineBusySeconds(): number | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  const columns = line
    .trim()
    .split(/\s+/)
    .slice(1, 1 + COLUMNS);
  let ticks = 0;
  for (const [at, column] of columns.entries()) if (!IDLE_COLUMNS.has(at)) ticks += Number(column);
  return ticks / TICKS_PER_SECOND;
}

/**
 * Processes of this machine that listen on the TCP ports, each once. Only those whose files this user
 * may look at, and none without /proc.
 */
export function listeningPids(ports: readonly number[]): number[] {
  if (!existsSync('/proc/net/tcp')) return [];
  const wanted = new Set(ports);
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue;
    for (const inode of listeningInodes(readFileSync(table, 'latin1'), wanted)) {
      sockets.add(`socket:[${inode}]`);
    }
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => openFiles(pid).some((file) => sockets.has(file))).map(Number);
}

/** From the text of /proc/net/tcp: inodes of the sockets that listen on one of the ports. */
export function listeningInodes(table: string, ports: ReadonlySet<number>): string[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
    return state === STATE_LISTEN && ports.has(port) ? (fields[INODE_FIELD] ?? []) : [];
  });
}

/** Where the descriptors of a process lead; none when it is gone or another user's. */
function openFiles(pid: string): string[] {
  const directory = `/proc/${pid}/fd`;
  const descriptors = orNothing(() => readdirSync(directory)) ?? [];
  return descriptors.flatMap(
    (descriptor) => orNothing(() => readlinkSync(`${directory}/${descriptor}`)) ?? [],
  );
}

/** Processes end and files close while they are looked at, and some must not be looked at. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** One line on what the numbers were taken on. */
export function machineLine(): string {
  const model = cpus()[0]?.model ?? 'unknown';
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${availableParallelism()} cores (${model}), ${gib} GiB, Node ${process.version}`;
}
