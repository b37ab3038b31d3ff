/** Takes profiles of a measured window from servers that carry `profile-hook.ts`. */

import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WindowHooks } from './load-run.ts';
import { type CpuProfile, profileTop } from './profile-report.ts';
import type { LoadRun } from './report.ts';
import type { Target } from './target.ts';

const POLL_MS = 50;
const WRITE_TIMEOUT_MS = 20_000;

/** Tells every server of the target when the window begins and ends. */
export function windowHooks(target: Target): WindowHooks {
  const tellAll = (): void => {
    for (const at of target.addresses.keys()) target.signal(at, 'SIGUSR2');
  };
  return { begin: tellAll, end: tellAll };
}

/** Prints what took the time, for each server, and gives each profile a name that says what it is of. */
export async function reportProfiles(target: Target, run: LoadRun): Promise<void> {
  const leader = await target.leader();
  for (const at of target.addresses.keys()) {
    const file = target.profileFile(at);
    if (file === undefined) return;
    const deadlineMs = performance.now() + WRITE_TIMEOUT_MS;
    while (!existsSync(file) && performance.now() < deadlineMs) await sleep(POLL_MS);
    const role =
      target.addresses.length === 1 ? 'standalone' : at === leader ? 'leader' : 'learner';
    const load = run.workload.replaceAll(/[^\w]+/g, '-');
    const name = `${target.name}-${role}-${at + 1}-${load}-${run.round}.cpuprofile`;
    const kept = path.join(path.dirname(file), name);
    renameSync(file, kept);
    const profile: CpuProfile = JSON.parse(readFileSync(kept, 'utf8'));
    process.stdout.write(`\n${name}\n${profileTop(profile, run.operations)}`);
  }
}
