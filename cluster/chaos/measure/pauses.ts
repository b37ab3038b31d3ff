/** How long nothing is written when something fails: ours and the original's, in turn, in one run. */

import { setTimeout as sleep } from 'node:timers/promises';
import { APACHE, type ChaosServers, OURS } from '../chaos-servers.ts';
import { type Deployed, deploy, type LinkChoice } from '../deploy.ts';
import { ServiceProbe } from '../service-probe.ts';
import { print, seconds, summarize } from './summary.ts';

const FAULTS = [
  'killLeader',
  'freezeLeader',
  'unplugLeader',
  'killFollower',
  'stopLeader',
  'rolling',
] as const;
type PauseFault = (typeof FAULTS)[number];

const SERVERS = 3;
const RESUME_MS = 60_000;
const ACKS_AFTER = 20;
const SETTLE_MS = 300;

export interface PauseOptions {
  readonly rounds: number;
  /** Rounds of the original: it is slower. */
  readonly apacheRounds: number;
  readonly links: LinkChoice;
}

export async function measurePauses(options: PauseOptions): Promise<void> {
  const ours = await deploy(OURS, SERVERS, options.links);
  const apache =
    options.apacheRounds > 0 ? await deploy(APACHE, SERVERS, options.links) : undefined;
  const pauses = new Map<string, number[]>();
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const fault of FAULTS) {
        await measureOne(ours, fault, pauses);
        if (apache !== undefined && round < options.apacheRounds)
          await measureOne(apache, fault, pauses);
      }
      if (round % 5 === 4 || round === options.rounds - 1) printPauses(pauses);
    }
  } finally {
    await ours.close();
    await apache?.close();
  }
}

async function measureOne(
  { servers }: Deployed,
  fault: PauseFault,
  pauses: Map<string, number[]>,
): Promise<void> {
  const probe = new ServiceProbe(servers.ids.map((id) => servers.addressText(id)));
  await probe.start();
  try {
    await probe.untilAcked(ACKS_AFTER, RESUME_MS);
    probe.mark();
    const mend = await strike(servers, fault);
    if (!(await probe.untilAcked(ACKS_AFTER, RESUME_MS))) print(`${fault}: no write for a minute`);
    const key = `${fault} ${servers.kind.name}`;
    const measured = pauses.get(key) ?? [];
    pauses.set(key, measured);
    measured.push(probe.pauseMs);
    for (const [code, count] of probe.refusals)
      print(`${key}: ${count} writes refused with ${code}`);
    await mend();
  } finally {
    await probe.stop();
  }
  await servers.untilWhole();
  await sleep(SETTLE_MS);
}

/** Resolves when the fault has had its effect; what it returns undoes it. */
async function strike(servers: ChaosServers, fault: PauseFault): Promise<() => Promise<void>> {
  const leader = await servers.untilLeader();
  const follower = servers.ids.find((id) => id !== leader) ?? 0;
  switch (fault) {
    case 'killLeader':
      await servers.kill(leader);
      await servers.untilLeader(leader);
      return () => servers.start(leader);
    case 'freezeLeader':
      servers.signal(leader, 'SIGSTOP');
      await servers.untilLeader(leader);
      return async () => servers.signal(leader, 'SIGCONT');
    case 'unplugLeader':
      await servers.links.unplug(leader);
      await servers.untilLeader(leader);
      return () => servers.links.mend();
    case 'killFollower':
      await servers.kill(follower);
      return () => servers.start(follower);
    case 'stopLeader':
      await servers.stop(leader);
      await servers.untilLeader(leader);
      return () => servers.start(leader);
    case 'rolling':
      for (const id of servers.ids) {
        await servers.stop(id);
        await servers.start(id);
        await servers.untilWhole();
      }
      return async () => undefined;
  }
}

function printPauses(pauses: ReadonlyMap<string, readonly number[]>): void {
  for (const [key, values] of [...pauses].sort()) {
    const { count, median, max } = summarize(values);
    print(`${key}: median ${seconds(median)}, maximum ${seconds(max)} of ${count}`);
  }
}
