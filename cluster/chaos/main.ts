/** The command line of chaos. */

import { ToolCommand } from '../tool-command.ts';
import { runChaos } from './chaos.ts';
import { APACHE, OURS } from './chaos-servers.ts';
import { controls } from './controls.ts';
import type { LinkChoice } from './deploy.ts';
import { DISK_FAULTS, FAULT_KINDS, type FaultKind } from './faults.ts';
import { measureLosses } from './measure/losses.ts';
import { measurePauses } from './measure/pauses.ts';
import { measureSessions } from './measure/sessions.ts';

const USAGE = `npm run chaos -- [options]

Strikes real servers under real clients, and has the simulator's checkers judge what they saw. Exits
with 1 when something was violated, and says where to look.

  --minutes N      (default 10)
  --seed S         of faults and of what clients draw (default 1)
  --servers N      3 (the default) or 5
  --faults A,B     these alone
  --target WHAT    vivarium (the default) or apache
  --links HOW      namespaces, proxies, or any that can be had (the default)
  --controls       finds what is known to be wrong elsewhere, or fails
  --measure WHAT   pauses, kills, wipes, flips or sessions instead; --goal N of it (default 20)
`;
const MEASURES = ['pauses', 'kills', 'wipes', 'flips', 'sessions'] as const;
const LINKS = ['namespaces', 'proxies', 'any'] as const satisfies readonly LinkChoice[];

const command = new ToolCommand(USAGE);
const values = command.options({
  minutes: { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  servers: { type: 'string', default: '3' },
  faults: { type: 'string' },
  target: { type: 'string', default: 'vivarium' },
  links: { type: 'string', default: 'any' },
  measure: { type: 'string' },
  goal: { type: 'string', default: '20' },
  controls: { type: 'boolean', default: false },
});

const minutes = command.wholeNumber('minutes', values.minutes, 1);
const seed = command.wholeNumber('seed', values.seed, 0);
const goal = command.wholeNumber('goal', values.goal, 1);
const servers = Number(command.oneOf('servers', values.servers, ['3', '5']));
const links = command.oneOf('links', values.links, LINKS);

function chosenFaults(isApache: boolean): FaultKind[] {
  // The original does not heal from what a disk does to it.
  const possible = FAULT_KINDS.filter((kind) => !(isApache && DISK_FAULTS.has(kind)));
  if (values.faults === undefined) return possible;
  return values.faults.split(',').map((name) => command.oneOf('faults', name, possible));
}

async function main(): Promise<boolean> {
  if (values.controls) return await controls(links);
  if (values.measure === undefined) {
    const target = command.oneOf('target', values.target, ['vivarium', 'apache']);
    const kind = target === 'apache' ? APACHE : OURS;
    const faults = chosenFaults(kind === APACHE);
    return await runChaos({ kind, minutes, seed, servers, faults, links });
  }
  const what = command.oneOf('measure', values.measure, MEASURES);
  switch (what) {
    case 'pauses':
      await measurePauses({ rounds: goal, apacheRounds: goal, links });
      return true;
    case 'kills':
    case 'wipes':
    case 'flips':
      return await measureLosses({ what, goal, minutes, seed, servers, links });
    case 'sessions':
      return await measureSessions({
        sessions: 1000,
        timeoutMs: 4000,
        leaderChanges: goal,
        minutes,
        links,
      });
  }
}

process.exitCode = (await main()) ? 0 : 1;
