/** Memory, start and recovery of our servers and of Debian's Apache ZooKeeper, one after the other. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolCommand } from '../cluster/tool-command.ts';
import { cpuSeconds, machineLine, residentBytes } from '../src/bench/machine.ts';
import { apacheKind, ownProgram, vivariumKind } from '../src/bench/server-kinds.ts';
import { SessionClient } from '../src/bench/session-client.ts';
import { type ServerKind, Target } from '../src/bench/target.ts';
import { loadTree } from '../src/bench/tree-load.ts';
import { lookAtLearner } from './learner.ts';
import { lookAtPauses } from './pauses.ts';
import { DATA_BYTES, TREE_LOAD } from './write-load.ts';

const USAGE = `npm run bench:memory -- [options]

Memory, start and recovery of servers of this build and of Debian's Apache ZooKeeper in turn.

  --targets A,B  vivarium,apache (the default), or one of them
  --servers N    1 (the default), or an ensemble
  --nodes N,M    sizes of the trees (default 200000,1000000)
  --look A,B     empty,tree (the default): servers without nodes, and with them; learner: three
                 servers, of which one loses its disk and catches up while the others take writes;
                 pauses: of ours alone, while the tree grows and beside checkpoints
`;

const command = new ToolCommand(USAGE);
const SETTLE_MS = 3000;
/** Before idling is measured: compilers and the first look at the disk are done by then. */
const WARM_MS = 20_000;
/** In whole rounds of pings, and long enough: the processor's time is told in hundredths of a second. */
const IDLE_MS = 20_000;
const SESSION_TIMEOUT_MS = 30_000;
/** As clients that negotiated that do. */
const PING_INTERVAL_MS = 10_000;
const LOOKS = ['empty', 'tree', 'learner', 'pauses'] as const;
const IDLE_SESSIONS = [1, 1000];

type Look = (typeof LOOKS)[number];

interface Plan {
  readonly kinds: readonly ServerKind[];
  readonly serverCount: number;
  readonly nodeCounts: readonly number[];
  readonly looks: readonly Look[];
}

async function main(): Promise<void> {
  const plan = readPlan();
  process.stdout.write(`${machineLine()}\n`);
  const directory = mkdtempSync(path.join(tmpdir(), 'vivarium-memory-'));
  try {
    for (const look of plan.looks) {
      for (const nodeCount of look === 'empty' ? [0] : plan.nodeCounts) {
        for (const kind of plan.kinds) await lookAt(look, kind, nodeCount, plan, directory);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function lookAt(
  look: Look,
  kind: ServerKind,
  nodeCount: number,
  plan: Plan,
  directory: string,
): Promise<void> {
  switch (look) {
    case 'empty':
      await lookAtEmpty(kind, plan, directory);
      return;
    case 'tree':
      await lookAtTree(kind, nodeCount, plan, directory);
      return;
    case 'learner':
      say(kind, ...(await lookAtLearner(kind, nodeCount, directory)));
      return;
    case 'pauses':
      // A hook in Node watches them.
      if (kind.name !== 'apache') say(kind, ...(await lookAtPauses(nodeCount, directory)));
  }
}

function readPlan(): Plan {
  const values = command.options({
    targets: { type: 'string', default: 'vivarium,apache' },
    servers: { type: 'string', default: '1' },
    nodes: { type: 'string', default: '200000,1000000' },
    look: { type: 'string', default: 'empty,tree' },
  });
  const kinds = values.targets.split(',').map((text) => {
    const name = command.oneOf('targets', text, ['vivarium', 'apache']);
    return name === 'apache' ? apacheKind(name) : vivariumKind(name, [ownProgram()], undefined);
  });
  const nodeCounts = values.nodes.split(',').map((text) => command.wholeNumber('nodes', text, 1));
  const looks = values.look.split(',').map((text) => command.oneOf('look', text, LOOKS));
  const serverCount = command.wholeNumber('servers', values.servers, 1);
  return { kinds, serverCount, nodeCounts, looks };
}

async function lookAtEmpty(kind: ServerKind, plan: Plan, directory: string): Promise<void> {
  const beganMs = performance.now();
  const target = await Target.start(kind, plan.serverCount, directory);
  try {
    say(kind, `empty start to first answer: ${elapsed(beganMs)}; ${cpuOf(target)} of CPU`);
    await sleep(SETTLE_MS);
    say(kind, `empty: ${memoryOf(target)}`);
    for (const count of IDLE_SESSIONS) say(kind, await idleCpu(target, count));
  } finally {
    await target.stop();
  }
}

/** Share of a core that a server uses while sessions do nothing but say that they live. */
async function idleCpu(target: Target, count: number): Promise<string> {
  const { addresses } = target;
  const clients: SessionClient[] = [];
  for (let i = 0; i < count; i++) {
    const address = addresses[i % addresses.length];
    if (address !== undefined) clients.push(await SessionClient.open(address, SESSION_TIMEOUT_MS));
  }
  let turn = 0;
  let lostCount = 0;
  const pingFor = async (ms: number): Promise<void> => {
    const beganMs = performance.now();
    for (let next = beganMs; next < beganMs + ms; next += PING_INTERVAL_MS / count) {
      await sleep(Math.max(0, next - performance.now()));
      await clients[turn++ % count]?.exists('/').catch(() => {
        lostCount += 1;
      });
    }
  };
  await pingFor(WARM_MS);
  const before = cpuSum(target);
  const beganMs = performance.now();
  await pingFor(IDLE_MS);
  const share = (cpuSum(target) - before) / (performance.now() - beganMs) / addresses.length;
  for (const client of clients) client.destroy();
  const lost = lostCount === 0 ? '' : `, ${lostCount} sessions lost`;
  return `idle, ${count} sessions: ${(share * 100_000).toFixed(2)} % of a core each${lost}`;
}

async function lookAtTree(
  kind: ServerKind,
  nodeCount: number,
  plan: Plan,
  directory: string,
): Promise<void> {
  const target = await Target.start(kind, plan.serverCount, directory);
  try {
    const result = await loadTree(target, nodeCount, DATA_BYTES, TREE_LOAD);
    await sleep(SETTLE_MS);
    say(
      kind,
      `${nodeCount} nodes: ${memoryOf(target)}; ${result.failures.join(', ') || 'verified'}`,
    );
    await target.kill();
    const beganMs = performance.now();
    target.restart();
    await target.ready();
    say(kind, `${nodeCount} nodes: restart ${elapsed(beganMs)}; ${cpuOf(target)} of CPU`);
    await sleep(SETTLE_MS);
    say(kind, `${nodeCount} nodes, after the restart: ${memoryOf(target)}`);
  } finally {
    await target.stop();
  }
}

function cpuSum(target: Target): number {
  return target.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function cpuOf(target: Target): string {
  return `${cpuSum(target).toFixed(2)} s`;
}

function memoryOf(target: Target): string {
  return target.pids.map((pid) => `${Math.round(residentBytes(pid) / 1e6)} MB`).join(', ');
}

function elapsed(sinceMs: number): string {
  return `${Math.round(performance.now() - sinceMs)} ms`;
}

function say(kind: ServerKind, ...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${kind.name.padEnd(10)} ${line}\n`);
}

await main();
