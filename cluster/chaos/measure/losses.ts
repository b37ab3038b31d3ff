/** Servers killed, emptied and damaged under load, and whether anything acknowledged is gone. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../../../src/base/prng.ts';
import { flipBits } from '../bit-flips.ts';
import { type ChaosServers, OURS } from '../chaos-servers.ts';
import { deploy, type LinkChoice } from '../deploy.ts';
import { Ledger } from '../ledger.ts';
import { print } from './summary.ts';

export interface LossOptions {
  readonly what: 'kills' | 'wipes' | 'flips';
  /** Kills, wipes, or bits. */
  readonly goal: number;
  readonly minutes: number;
  readonly seed: number;
  readonly servers: number;
  readonly links: LinkChoice;
}

const WRITERS = 6;
const ACKS_BETWEEN = 10;
const ROUNDS_BETWEEN_CHECKS = 10;
const FLIPS_AT_ONCE = 20;
/** With half of the voters down or empty: long enough to elect, if anybody dared. */
const DARING_MS = 1500;

/** False: something was lost, or a server did not come back. */
export async function measureLosses(options: LossOptions): Promise<boolean> {
  const deployed = await deploy(OURS, options.servers, options.links);
  const { servers } = deployed;
  const ledger = new Ledger(servers, WRITERS);
  const deadline = performance.now() + options.minutes * 60_000;
  const prng = new Prng(options.seed);
  const round = ROUNDS[options.what];
  const problems: string[] = [];
  let done = 0;
  let rounds = 0;
  const check = async (): Promise<void> => {
    await servers.untilWhole();
    const found = await ledger.verify(options.what === 'flips');
    problems.push(...found.map(({ server, what }) => `server ${server} ${what}`));
    print(
      `${options.what} ${done}: ${ledger.ackCount} writes acknowledged, ${problems.length} problems, ${servers.endings.length} refusals`,
    );
  };
  try {
    await ledger.start();
    while (done < options.goal && performance.now() < deadline) {
      await ledger.untilAcked(ACKS_BETWEEN);
      done += await round(servers, prng);
      if (++rounds % ROUNDS_BETWEEN_CHECKS === 0) await check();
    }
    await check();
    if (options.what === 'flips') print(`noticed: ${noticed(servers)}`);
  } catch (error) {
    problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await ledger.stop();
  }
  problems.push(...servers.endings);
  for (const problem of problems) print(problem);
  if (problems.length > 0) print(`what the servers wrote is in ${servers.directory}`);
  await deployed.close(problems.length > 0);
  print(
    `${options.what}: ${done} in ${rounds} rounds, ${ledger.ackCount} writes acknowledged, ${problems.length} problems`,
  );
  return problems.length === 0;
}

type Round = (servers: ChaosServers, prng: Prng) => Promise<number>;

const ROUNDS: Readonly<Record<LossOptions['what'], Round>> = {
  kills: killRound,
  wipes: wipeRound,
  flips: flipRound,
};

async function killRound(servers: ChaosServers, prng: Prng): Promise<number> {
  const leader = await servers.untilLeader();
  const followers = servers.ids.filter((id) => id !== leader);
  const kind = prng.between(0, 2);
  const victims = kind === 0 ? [leader] : kind === 1 ? [pick(followers, prng)] : servers.ids;
  await Promise.all(victims.map((id) => servers.kill(id)));
  await Promise.all(victims.map((id) => servers.start(id)));
  await servers.untilWhole();
  return victims.length;
}

/**
 * Every other time the worst case: one server missed the latest writes, all stop, one that has them
 * is emptied, and the two that do not know of them start first.
 */
async function wipeRound(servers: ChaosServers, prng: Prng): Promise<number> {
  const victim = pick(servers.ids, prng);
  if (servers.ids.length !== 3 || prng.chance(0.5)) {
    await servers.kill(victim);
    servers.wipe(victim);
    await servers.start(victim);
    await servers.untilWhole();
    return 1;
  }
  const [late = 0, last = 0] = shuffled(
    servers.ids.filter((id) => id !== victim),
    prng,
  );
  await servers.kill(late);
  await servers.untilLeader();
  await sleep(prng.between(50, 300));
  await Promise.all([servers.kill(victim), servers.kill(last)]);
  servers.wipe(victim);
  await Promise.all([servers.start(victim), servers.start(late)]);
  await sleep(DARING_MS);
  await servers.start(last);
  await servers.untilWhole();
  return 1;
}

async function flipRound(servers: ChaosServers, prng: Prng): Promise<number> {
  const minority = (servers.ids.length - 1) >>> 1;
  const victims = shuffled(servers.ids, prng).slice(0, minority);
  await Promise.all(victims.map((id) => servers.kill(id)));
  const share = FLIPS_AT_ONCE / victims.length;
  let flipped = 0;
  for (const id of victims) flipped += flipBits(servers.dataDir(id), Math.ceil(share), prng);
  await Promise.all(victims.map((id) => servers.start(id)));
  await servers.untilWhole();
  for (const id of victims) servers.clearSetAside(id);
  return flipped;
}

/** Lines in which servers say that what they stored is damaged. */
function noticed(servers: ChaosServers): number {
  let count = 0;
  for (const id of servers.ids) {
    const text = readFileSync(path.join(servers.dataDir(id), '..', 'output.log'), 'utf8');
    count += text.split('\n').filter((line) => /damage/i.test(line)).length;
  }
  return count;
}

function pick(ids: readonly number[], prng: Prng): number {
  return ids[prng.between(0, ids.length - 1)] ?? 1;
}

function shuffled(ids: readonly number[], prng: Prng): number[] {
  const keyed = ids.map((id) => ({ id, key: prng.uint32() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ id }) => id);
}
