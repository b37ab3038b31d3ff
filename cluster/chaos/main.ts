/**
 * `npm run chaos -- --minutes 10 --seed N [--servers 3|5] [--faults a,b] [--target vivarium|apache]
 * [--links namespaces|proxies]`: faults on real processes under real clients, and the judgement of
 * the simulator's checkers. Exits with 1 when something was violated, and says where to look.
 *
 * `-- --measure pauses|kills|wipes|flips|sessions [--goal N]` measures one thing instead.
 */

import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { APACHE, OURS } from './chaos-servers.ts';
import { controls } from './controls.ts';
import type { LinkChoice } from './deploy.ts';
import { DISK_FAULTS, FAULT_KINDS, type FaultKind } from './faults.ts';
import { measureLosses } from './measure/losses.ts';
import { measurePauses } from './measure/pauses.ts';
import { measureSessions } from './measure/sessions.ts';
import { print } from './measure/summary.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    servers: { type: 'string', default: '3' },
    faults: { type: 'string' },
    target: { type: 'string', default: 'vivarium' },
    links: { type: 'string', default: 'any' },
    measure: { type: 'string' },
    goal: { type: 'string', default: '20' },
    controls: { type: 'boolean', default: false },
  },
});

const minutes = Number(values.minutes);
const seed = Number(values.seed);
const goal = Number(values.goal);
const servers = Number(values.servers);
const links = linkChoice(values.links);

function linkChoice(text: string): LinkChoice {
  if (text === 'namespaces' || text === 'proxies' || text === 'any') return text;
  throw new Error(`--links is namespaces, proxies or any, not ${text}`);
}

function chosenFaults(isApache: boolean): FaultKind[] {
  // The original does not heal from what a disk does to it.
  const possible = FAULT_KINDS.filter((kind) => !(isApache && DISK_FAULTS.has(kind)));
  if (values.faults === undefined) return possible;
  return values.faults.split(',').map((name) => {
    const kind = possible.find((known) => known === name);
    if (kind === undefined) throw new Error(`--faults takes ${possible.join(', ')}, not ${name}`);
    return kind;
  });
}

async function main(): Promise<boolean> {
  if (values.controls) return await controls(links);
  switch (values.measure) {
    case undefined: {
      const kind = values.target === 'apache' ? APACHE : OURS;
      const faults = chosenFaults(kind === APACHE);
      return await runChaos({ kind, minutes, seed, servers, faults, links });
    }
    case 'pauses':
      await measurePauses({ rounds: goal, apacheRounds: goal, links });
      return true;
    case 'kills':
    case 'wipes':
    case 'flips':
      return await measureLosses({ what: values.measure, goal, minutes, seed, servers, links });
    case 'sessions':
      return await measureSessions({
        sessions: 1000,
        timeoutMs: 4000,
        leaderChanges: goal,
        minutes,
        links,
      });
    default:
      print(`--measure is pauses, kills, wipes, flips or sessions, not ${values.measure}`);
      return false;
  }
}

process.exitCode = (await main()) ? 0 : 1;
