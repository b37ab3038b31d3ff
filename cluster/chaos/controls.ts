/**
 * A harness that finds nothing proves nothing, unless it finds what is known to be there: the
 * original's stale read after a sync to a leader that slept through its own end, and what servers
 * lose whose disk says of writes that they are safe when they are not.
 */

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CreateMode } from '../../src/base/op-code.ts';
import { checkHistory } from '../../test/sim/checkers/check-history.ts';
import { create, read, set, write } from '../../test/sim/drafts.ts';
import { History } from '../../test/sim/history.ts';
import { serverProgram } from '../launch.ts';
import { runRound } from './chaos-round.ts';
import { APACHE, OURS, type ServerKind } from './chaos-servers.ts';
import { deploy, type LinkChoice } from './deploy.ts';
import { print } from './measure/summary.ts';
import { OurClient } from './our-client.ts';

const SERVERS = 3;
const STALE_TRIES = 6;
const LOSS_ROUNDS = 3;
const LOSS_ROUND_MS = 12_000;
/** Of the client at the sleeping leader: it must not give up before the leader wakes. */
const RESIDENT_SESSION_MS = 120_000;
const SESSION_MS = 30_000;
const WAIT_MS = 60_000;
const REGISTER = '/r';
/** How long the lying disk keeps in memory what it says it has written. */
const LIE_MS = 250;
/** So many writes of each process are honest: a server reads back what it writes when it starts. */
const HONEST_WRITES = 40;
const LIAR = path.join('dist', 'src', 'runtime', 'node', 'level-store.js');
const HONEST = 'await batch.write({ sync });';
const LIE =
  'globalThis.writeCount = (globalThis.writeCount ?? 0) + 1;' +
  `if (globalThis.writeCount <= ${HONEST_WRITES}) await batch.write({ sync });` +
  `else setTimeout(() => batch.write({ sync: false }).catch(() => undefined), ${LIE_MS});`;

/** True: what is known was found, and not where it must not be. */
export async function controls(links: LinkChoice): Promise<boolean> {
  const losses = await lyingDisk(links);
  const ours = await staleReads(OURS, links);
  const apache = await staleReads(APACHE, links);
  return apache.length > 0 && ours.length === 0 && losses.length > 0;
}

/**
 * 1. A client is connected to the leader, which is stopped. 2. The others elect a leader, and a write
 * of another client is acknowledged there. 3. The first client asks for a sync and a read. 4. The old
 * leader goes on, and may answer before it learns that it was deposed.
 */
async function staleReads(kind: ServerKind, choice: LinkChoice): Promise<readonly string[]> {
  const { servers, close } = await deploy(kind, SERVERS, choice);
  const history = new History(() => performance.now());
  const connect = async (hosts: string, sessionTimeoutMs: number): Promise<OurClient> => {
    const client = new OurClient(history, { hosts, chroot: '', sessionTimeoutMs });
    if (!(await client.untilSession(WAIT_MS))) throw new Error(`no session at ${hosts}`);
    return client;
  };
  try {
    const maker = await connect(servers.connectString, SESSION_MS);
    await maker.perform(write(create(REGISTER, 'first', CreateMode.persistent)));
    await maker.close();
    for (let count = 0; count < STALE_TRIES; count++) {
      await servers.untilWhole();
      const leader = await servers.untilLeader();
      const resident = await connect(servers.addressText(leader), RESIDENT_SESSION_MS);
      servers.signal(leader, 'SIGSTOP');
      const next = await servers.untilLeader(leader);
      const writer = await connect(servers.addressText(next), SESSION_MS);
      await writer.perform(write(set(REGISTER, `value ${count}`, -1)));
      const asked = resident.perform(read('sync', REGISTER));
      servers.signal(leader, 'SIGCONT');
      await asked;
      if (resident.session !== undefined) await resident.perform(read('get', REGISTER));
      await Promise.all([resident.abandon(), writer.close()]);
    }
  } finally {
    await close();
  }
  const violations: string[] = [];
  const circumstances = { auditors: new Set<number>(), ended: new Set(history.sessions) };
  checkHistory(history, { ...circumstances, blindMs: WAIT_MS, crashes: new Map() }, violations);
  print(
    `stale reads after sync, leader paused ${STALE_TRIES} times, ${kind.name}: ${violations.length}`,
  );
  for (const violation of violations) print(`  ${violation}`);
  return violations;
}

/** The same rounds as ever against servers whose disk lies, all killed at once again and again. */
async function lyingDisk(choice: LinkChoice): Promise<readonly string[]> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vivarium-liar-'));
  const liar = makeLiar(directory);
  const losses: string[] = [];
  const { servers, close } = await deploy(liar, SERVERS, choice);
  try {
    for (let number = 0; number < LOSS_ROUNDS && losses.length === 0; number++) {
      const options = {
        number,
        seed: number,
        faults: ['killAll'],
        lastsMs: LOSS_ROUND_MS,
      } as const;
      const { violations } = await runRound(servers, { ...options, smallDisk: undefined });
      losses.push(...violations.filter((violation) => /lacks|though/.test(violation)));
    }
  } finally {
    await close();
    rmSync(directory, { recursive: true });
  }
  print(`losses on a disk that lies, all killed at once, ${liar.name}: ${losses.length}`);
  for (const loss of losses.slice(0, 3)) print(`  ${loss}`);
  return losses;
}

/** A copy of the package in which no write reaches the disk before its time. */
function makeLiar(directory: string): ServerKind {
  const [node = process.execPath, program = ''] = serverProgram();
  const root = path.dirname(path.dirname(program));
  for (const part of [
    'bin',
    'package.json',
    path.join('dist', 'src'),
    path.join('dist', 'cluster'),
  ]) {
    cpSync(path.join(root, part), path.join(directory, part), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  const file = path.join(directory, LIAR);
  const parts = readFileSync(file, 'utf8').split(HONEST);
  if (parts.length !== 2) throw new Error(`${LIAR} does not hold "${HONEST}" once`);
  writeFileSync(file, parts.join(LIE));
  const copy = path.join(directory, 'bin', 'vivarium.js');
  return {
    ...OURS,
    name: 'Vivarium without syncs',
    command: (config) => [node, copy, 'server', `--config=${config}`],
  };
}
