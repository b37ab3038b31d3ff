/** Everything a chaos run does to servers. Each strikes, lasts, and is over when it returns. */

import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../../src/base/prng.ts';
import { flipBits } from './bit-flips.ts';
import type { ChaosServers } from './chaos-servers.ts';

export interface FaultContext {
  readonly servers: ChaosServers;
  readonly prng: Prng;
  /** The server whose disk is small; undefined: none is. */
  readonly smallDisk: number | undefined;
  readonly violations: string[];
}

export type Fault = (context: FaultContext) => Promise<void>;

const STRACE = '/usr/bin/strace';
const BALLAST = 'ballast';
const FLIPS = 20;
const EIO_MS = 4000;
const FULL_MS = 1500;

export const HAS_STRACE = existsSync(STRACE);

export const FAULTS = {
  kill: async ({ servers, prng }) => {
    const victim = anyOf(servers.ids, prng);
    await servers.kill(victim);
    await lasting(prng, 300);
    await servers.start(victim);
  },
  killLeader: async ({ servers, prng }) => {
    const leader = await servers.untilLeader();
    await servers.kill(leader);
    await lasting(prng, 600);
    await servers.start(leader);
  },
  killAll: async ({ servers, prng }) => {
    await Promise.all(servers.ids.map((id) => servers.kill(id)));
    for (const id of shuffled(servers.ids, prng)) await servers.start(id);
  },
  pause: async ({ servers, prng }) => {
    const victim = anyOf(servers.ids, prng);
    await paused(servers, victim, prng);
  },
  pauseLeader: async ({ servers, prng }) => {
    await paused(servers, await servers.untilLeader(), prng);
  },
  halves: async ({ servers, prng }) => {
    const ids = shuffled(servers.ids, prng);
    const few = ids.slice(0, (ids.length - 1) >>> 1);
    await apart(servers, few, ids.slice(few.length));
    await longCut(servers, prng);
  },
  /** Two halves that only one server can talk to both. */
  bridge: async ({ servers, prng }) => {
    const [, ...others] = shuffled(servers.ids, prng);
    const half = others.length >>> 1;
    await apart(servers, others.slice(0, half), others.slice(half));
    await longCut(servers, prng);
  },
  oneWay: async ({ servers, prng }) => {
    const [from = 1, to = 2] = shuffled(servers.ids, prng);
    await servers.links.cut(from, to);
    await longCut(servers, prng);
  },
  leaderAlone: async ({ servers, prng }) => {
    const leader = await servers.untilLeader();
    const others = servers.ids.filter((id) => id !== leader);
    await apart(servers, [leader], others);
    await longCut(servers, prng);
  },
  unplugLeader: async ({ servers, prng }) => {
    await servers.links.unplug(await servers.untilLeader());
    await longCut(servers, prng);
  },
  slowLink: async ({ servers, prng }) => {
    await servers.links.slow(anyOf(servers.ids, prng));
    await lasting(prng, 3000);
    await servers.links.mend();
  },
  fullDisk: async ({ servers, smallDisk, prng }) => {
    if (smallDisk === undefined) return;
    const ballast = path.join(servers.dataDir(smallDisk), BALLAST);
    servers.mayEnd(smallDisk);
    fill(ballast);
    await lasting(prng, FULL_MS);
    rmSync(ballast);
    if (!servers.isRunning(smallDisk)) await servers.start(smallDisk);
  },
  syncError: async (context) => {
    const { servers, prng, violations } = context;
    const victim = anyOf(servers.ids, prng);
    servers.mayEnd(victim);
    const failed = await failSyncs(servers, victim);
    if (failed && servers.isRunning(victim)) {
      violations.push(`server ${victim} goes on after a sync that failed`);
    }
    if (!servers.isRunning(victim)) await servers.start(victim);
  },
  bitFlips: async ({ servers, prng }) => {
    for (const id of minority(servers, prng)) {
      await servers.kill(id);
      flipBits(servers.dataDir(id), FLIPS, prng);
      await servers.start(id);
    }
  },
  wipe: async ({ servers, prng }) => {
    const victim = anyOf(servers.ids, prng);
    await servers.kill(victim);
    servers.wipe(victim);
    await servers.start(victim);
  },
  rollingRestart: async ({ servers }) => {
    for (const id of servers.ids) {
      await servers.stop(id);
      await servers.start(id);
      await servers.untilWhole();
    }
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** What works only on servers that heal by themselves. */
export const DISK_FAULTS: ReadonlySet<FaultKind> = new Set([
  'fullDisk',
  'syncError',
  'bitFlips',
  'wipe',
]);

async function paused(servers: ChaosServers, victim: number, prng: Prng): Promise<void> {
  servers.signal(victim, 'SIGSTOP');
  await lasting(prng, 1.6 * servers.kind.leaderTimeoutMs);
  servers.signal(victim, 'SIGCONT');
}

async function longCut(servers: ChaosServers, prng: Prng): Promise<void> {
  await lasting(prng, 2 * servers.kind.leaderTimeoutMs);
  await servers.links.mend();
}

async function apart(
  { links }: ChaosServers,
  some: readonly number[],
  others: readonly number[],
): Promise<void> {
  for (const one of some) {
    for (const other of others) await Promise.all([links.cut(one, other), links.cut(other, one)]);
  }
}

function minority({ ids }: ChaosServers, prng: Prng): number[] {
  return shuffled(ids, prng).slice(0, (ids.length - 1) >>> 1);
}

/** From half of the time to all of it. */
async function lasting(prng: Prng, maxMs: number): Promise<void> {
  await sleep(prng.between(maxMs / 2, maxMs));
}

function fill(file: string): void {
  const block = Buffer.alloc(1 << 16, 1);
  try {
    for (;;) writeFileSync(file, block, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Whether a sync of the server's was made to fail, within a few seconds. */
async function failSyncs(servers: ChaosServers, victim: number): Promise<boolean> {
  if (!HAS_STRACE) return false;
  const calls = 'fsync,fdatasync';
  const args = ['-f', '-p', String(servers.pid(victim)), '-e', `trace=${calls}`];
  const strace = spawn(STRACE, [...args, '-e', `inject=${calls}:error=EIO`]);
  const ended = new Promise<void>((resolve) => strace.on('close', () => resolve()));
  let isInjected = false;
  strace.stderr.on('data', (text: Buffer) => {
    isInjected ||= text.includes('INJECTED');
  });
  const deadline = performance.now() + EIO_MS;
  while (performance.now() < deadline && servers.isRunning(victim)) await sleep(20);
  strace.kill('SIGINT');
  await ended;
  return isInjected;
}

function anyOf(ids: readonly number[], prng: Prng): number {
  return ids[prng.between(0, ids.length - 1)] ?? 1;
}

function shuffled(ids: readonly number[], prng: Prng): number[] {
  const keyed = ids.map((id) => ({ id, key: prng.uint32() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ id }) => id);
}
