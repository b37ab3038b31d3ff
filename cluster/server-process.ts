/**
 * Starts and ends the processes of a local ensemble. A process is known by its id together with the
 * moment it started, because the system gives ids of ended processes to new ones.
 */

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Opaque text, equal only for the same process. */
  readonly startTime: string;
}

/** How a process ended: by itself with a code, or by a signal. */
export type ProcessEnd = { readonly code: number } | { readonly signal: string };

export interface StartedProcess {
  readonly process: ServerProcess;
  /** Resolves when the process has ended. */
  readonly ended: Promise<ProcessEnd>;
  /** Lets this program end while the process goes on. */
  release(): void;
}

const POLL_MS = 20;

/** Starts a program in a process group of its own, so that Ctrl-C at the terminal reaches only us. */
export function startProcess(
  command: readonly string[],
  outputFile: string,
): Promise<StartedProcess> {
  const [program = process.execPath, ...args] = command;
  const output = openSync(outputFile, 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.on('exit', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('spawn', () => {
      const pid = child.pid ?? 0;
      const startTime = readStartTime(pid) ?? 'ended';
      resolve({ process: { pid, startTime }, ended, release: () => child.unref() });
    });
  });
}

/** True while the very process that was started is there. */
export function isAlive({ pid, startTime }: ServerProcess): boolean {
  return readStartTime(pid) === startTime;
}

/** Sends a signal; false when the process has ended before. */
export function signalProcess(target: ServerProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch (error) {
    // It may end between the look and the signal; anything else is a real problem.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Resolves to whether the process has ended within the time. */
export async function waitForEnd(target: ServerProcess, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(target)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Asks to stop, waits, and then insists. Resolves when the process has ended. */
export async function stopProcess(target: ServerProcess, graceMs: number): Promise<void> {
  if (!signalProcess(target, 'SIGTERM')) return;
  if (await waitForEnd(target, graceMs)) return;
  signalProcess(target, 'SIGKILL');
  await waitForEnd(target, graceMs);
}

/** undefined when there is no such process, or only what its parent has not yet collected. */
function readStartTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTimeFromPs(pid);
  try {
    // The name in parentheses may hold anything, so fields are counted from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, startTime] = [fields[0], fields[17], fields[19]];
    // A killed process keeps its ports and files until its last thread has left a sync to disk.
    const hasEnded = state === 'Z' && threads === '1';
    return hasEnded ? undefined : startTime;
  } catch {
    return undefined;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
