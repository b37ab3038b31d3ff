/** Storms over the consensus core alone: random events under a seed, then peace, in which all must agree. */

import { strict as assert } from 'node:assert';
import { COUNTER_MAX, EPOCH_NONE } from '../../src/base/ids.ts';
import { DEFAULT_TIMINGS } from '../../src/consensus/zab-state.ts';
import { ZabCluster } from './zab-cluster.ts';
import type { ZabServer } from './zab-server.ts';

export interface StormOutcome {
  readonly leaderships: number;
  readonly wipes: number;
}

const EVENTS = 1500;
const SHORT_EPOCH = 20;
/** For a leader that does not notice that another has taken its place. */
const SLOW_TIMEOUT_MS = 3000;
/** After everything has healed: until there is a leader and all others have what it has. */
const PROGRESS_MAX_MS = 10_000;

/** How likely each is to happen next. */
interface Weather {
  readonly crash: number;
  readonly powerLoss: number;
  /** One way from one server to another. */
  readonly cut: number;
  /** All ways from and to a server. */
  readonly isolate: number;
  /** All cuts end. */
  readonly clear: number;
  /** Learners lose their connections to a leader, which does not know it yet. */
  readonly desert: number;
  /** A leader that has committed what its own disk does not have dies, and is back at once. */
  readonly strip: number;
  /** A vote of the past comes again. */
  readonly echo: number;
  /** A server elects somebody for whom hardly anybody voted. */
  readonly persuade: number;
  readonly sync: number;
}

const CRASHES: Weather = {
  crash: 0.01,
  powerLoss: 0.002,
  cut: 0.01,
  isolate: 0,
  clear: 0.02,
  desert: 0,
  strip: 0,
  echo: 0,
  persuade: 0,
  sync: 0.03,
};
/** Cuts that last until servers notice, while hardly any process forgets what it has in memory. */
const LONG_CUTS: Weather = {
  ...CRASHES,
  crash: 0.001,
  powerLoss: 0.0002,
  cut: 0.003,
  isolate: 0.004,
  clear: 0.004,
};

/** What of its kind is in a storm, beside the weather that its number decides. */
function drawWeather(seed: number, cluster: ZabCluster): Weather {
  const { prng, links } = cluster;
  cluster.isSkewed = prng.chance(0.5);
  if (prng.chance(0.5)) links.lateEnds = 0.5;
  return {
    ...(seed % 7 >= 4 ? LONG_CUTS : CRASHES),
    desert: prng.chance(0.3) ? 0.05 : 0,
    strip: prng.chance(0.3) ? 0.1 : 0,
    echo: prng.chance(0.5) ? ([0.02, 0.1, 0.3][prng.between(0, 2)] ?? 0) : 0,
    persuade: prng.chance(0.3) ? 0.05 : 0,
    // Each asks for a ping: where there are many, hardly one is answered late.
    sync: prng.chance(0.5) ? 0.03 : 0.004,
  };
}

/**
 * Crashes (half of them silent in most seeds), cuts, trims, proposals, and in every other pair
 * of seeds disks that are emptied, at any time those of a minority; in some seeds cuts last and crashes
 * are rare, epochs are short, elected servers die before they serve, leaders are deserted unawares,
 * old votes come again, or what was sent arrives although its sender is gone. Then everything heals and
 * must settle; and in the end the leader's disk hangs, or it is cut off, or deposed unawares. Throws
 * what is wrong.
 */
export function storm(seed: number, isWiping = seed % 4 >= 2): StormOutcome {
  const voters = seed % 3 === 0 ? 5 : 3;
  const counterMax = seed % 5 === 1 ? SHORT_EPOCH : COUNTER_MAX;
  const lastTimeoutMs = seed % 7 === 5 ? SLOW_TIMEOUT_MS : DEFAULT_TIMINGS.peerTimeoutMs;
  const settings = { counterMax, lastTimeoutMs };
  const cluster = new ZabCluster(voters, seed % 5 === 0 ? 1 : 0, seed, settings);
  const isHunting = seed % 6 === 3;
  const { prng, servers } = cluster;
  const silence = isWiping || prng.chance(0.5) ? 0.5 : 0;
  const { crash, powerLoss, ...weather } = drawWeather(seed, cluster);
  let wipes = 0;
  for (let i = 0; i < EVENTS; i++) {
    const victim = prng.between(1, servers.length);
    const other = prng.between(1, servers.length);
    const isUp = cluster.server(victim).node !== undefined;
    if (prng.chance(crash) && isUp) {
      cluster.crash(victim, { isSilent: prng.chance(silence) });
      const mayWipe = isWiping && lostCount(cluster, voters) < (voters - 1) / 2;
      if (mayWipe && prng.chance(0.4)) {
        cluster.wipe(victim);
        wipes++;
      }
    } else if (prng.chance(powerLoss)) losePower(cluster);
    else if (prng.chance(0.03) && !isUp) cluster.start(victim);
    else if (isHunting && prng.chance(0.5)) {
      hunt(cluster, (id) => cluster.crash(id, { isSilent: prng.chance(0.5) }));
    } else if (isWiping && prng.chance(0.05) && makeForget(cluster, voters)) wipes++;
    else disturb(cluster, weather, victim, other);
  }
  heal(cluster, seed, voters);
  if (seed % 5 === 2) replaceHangingLeader(cluster, seed);
  if (seed % 5 === 3) deposeUnawares(cluster, seed, isWiping);
  if (seed % 5 === 4) cutOffLeader(cluster, seed);
  return { leaderships: cluster.chronicle.leaderOfEpoch.size, wipes };
}

function disturb(
  cluster: ZabCluster,
  {
    cut,
    isolate,
    clear,
    desert,
    strip,
    echo,
    persuade,
    sync,
  }: Omit<Weather, 'crash' | 'powerLoss'>,
  victim: number,
  other: number,
): void {
  const { prng, links, servers } = cluster;
  if (prng.chance(cut)) links.cut.add(`${victim}-${other}`);
  else if (prng.chance(isolate)) {
    const sids = servers.map(({ id }) => id);
    links.isolate(cluster.server(victim).id, sids);
  } else if (prng.chance(clear)) links.clear();
  else if (desert > 0 && prng.chance(desert)) desertLeader(cluster);
  else if (strip > 0 && prng.chance(strip)) stripLeader(cluster);
  else if (echo > 0 && prng.chance(echo)) links.echo();
  else if (persuade > 0 && prng.chance(persuade)) persuadeServer(cluster);
  else if (prng.chance(0.01)) cluster.trim(victim);
  else if (prng.chance(0.1)) cluster.propose();
  else if (prng.chance(sync)) cluster.sync();
  else cluster.step();
}

/**
 * Those who follow a leader, or want to, lose it and look for another; it learns of it late. Where
 * two ask for promises at once, they leave one that has got them.
 */
function desertLeader({ servers, links, prng }: ZabCluster): void {
  const leaders = servers.filter(({ role }) => role.name === 'leading');
  const asking = leaders.filter(({ node }) => node?.canPropose === false);
  const claiming = asking.filter(({ node }) => node?.currentEpoch === node?.acceptedEpoch);
  const isRivalry = asking.length > 1 && claiming.length > 0;
  if (!isRivalry && prng.chance(0.8)) return;
  const left = isRivalry ? claiming : leaders;
  const leader = left[prng.between(0, left.length - 1)];
  const share = prng.chance(0.5) ? 1 : 0.5;
  if (leader !== undefined) links.breakFor(leader.id, prng.chance(0.7), () => prng.chance(share));
}

/** No safety rests on elections: whoever is elected must do no harm. */
function persuadeServer({ servers, links, prng, voters }: ZabCluster): void {
  const looking = servers.filter(({ role, node }) => role.name === 'looking' && node !== undefined);
  const asking = servers.filter(({ role }) => role.name === 'leading').map(({ id }) => id);
  const server = looking[prng.between(0, looking.length - 1)];
  if (server === undefined) return;
  // Where few lead, it may lead as well.
  const others = asking.length < 2 && voters.includes(server.id) ? [...asking, server.id] : asking;
  const leader = others[prng.between(0, others.length - 1)];
  if (leader !== undefined) links.persuade(server.id, leader, voters);
}

/** Before those who follow it notice, they may have elected it again. */
function stripLeader(cluster: ZabCluster): void {
  const leader = cluster.servers.find(({ node }) => {
    return node?.canPropose && node.history.committed > node.history.durable;
  });
  if (leader === undefined) return;
  cluster.crash(leader.id, { isSilent: true });
  cluster.start(leader.id);
}

/** Everybody dies at once. */
function losePower(cluster: ZabCluster): void {
  for (const server of cluster.servers) if (server.node !== undefined) cluster.crash(server.id);
}

/**
 * Kills a server that was elected and asks for promises, when it has one beside its own: that is one
 * which nobody else may hear of. Those who are about to promise die with it, or remember nothing.
 */
function hunt({ servers, prng }: ZabCluster, crash: (id: number) => void): void {
  const elected = servers.find(({ role }) => role.name === 'leading' && !role.isServing);
  const asked = elected?.disk.state.acceptedEpoch ?? EPOCH_NONE;
  const promised = servers.filter(({ disk }) => disk.state.acceptedEpoch >= asked);
  if (elected === undefined || promised.length !== 2) return;
  const promising = servers.filter(({ writes }) => writes.length > 0);
  crash(elected.id);
  for (const { id, node } of promising) if (node !== undefined && prng.chance(0.7)) crash(id);
}

/**
 * Empties the disk of a server on which one relies who leads, or wants to, while another leads who may
 * not know of it, and may meet the server that has forgotten everything.
 */
function makeForget(cluster: ZabCluster, voters: number): boolean {
  const { servers, prng } = cluster;
  const leaders = servers.filter(({ role }) => role.name === 'leading');
  if (leaders.length < 2 || leaders.every(({ node }) => node?.canPropose === false)) return false;
  const victims = leaders.flatMap(({ node }) => [...(node?.leader?.learners ?? [])]);
  const vouching = victims.filter(({ isPromiseCounted }) => isPromiseCounted);
  const sid = vouching[prng.between(0, vouching.length - 1)]?.sid;
  const isUp = sid !== undefined && cluster.server(sid).node !== undefined;
  if (!isUp || lostCount(cluster, voters) >= (voters - 1) / 2) return false;
  cluster.crash(sid, { isSilent: prng.chance(0.7) });
  cluster.wipe(sid);
  cluster.start(sid);
  return true;
}

/** A server that cannot write must not lead on, however well its network is. */
function replaceHangingLeader(cluster: ZabCluster, seed: number): void {
  const hanging = settledLeader(cluster, seed);
  hanging.isHanging = true;
  cluster.propose();
  const isReplaced = (): boolean => {
    const leader = cluster.leader();
    return leader !== undefined && leader !== hanging;
  };
  assert(cluster.runUntil(isReplaced), `seed ${seed}: a leader whose disk hangs leads on`);
}

/** A leader that nobody hears must not lead on. */
function cutOffLeader(cluster: ZabCluster, seed: number): void {
  const leader = settledLeader(cluster, seed);
  cluster.links.isolate(leader.id, cluster.voters);
  const hasGone = cluster.runUntil(() => leader.node?.canPropose === false, PROGRESS_MAX_MS);
  assert(hasGone, `seed ${seed}: a leader that is cut off leads on`);
}

/**
 * All leave a leader while their answers to it are under way, and follow another, which commits
 * something. The old one is asked whether it still leads, and perhaps followed by a server that has
 * forgotten everything; only then it hears what was on its way.
 */
function deposeUnawares(cluster: ZabCluster, seed: number, isWiping: boolean): void {
  const { links, prng, chronicle, voters } = cluster;
  const old = settledLeader(cluster, seed);
  cluster.advance(prng.between(150, 250));
  for (let i = prng.between(0, 6); i > 0; i--) cluster.step();
  links.breakFor(old.id, true, () => true);
  const { length } = cluster.committed;
  const successor = (): ZabServer | undefined =>
    cluster.servers.find((server) => server !== old && server.node?.canPropose);
  cluster.runUntil(() => successor() !== undefined, PROGRESS_MAX_MS);
  cluster.propose();
  cluster.runUntil(() => chronicle.committed.length > length, PROGRESS_MAX_MS);
  cluster.sync();
  const others = voters.filter((sid) => sid !== old.id && sid !== successor()?.id);
  const victim = others[prng.between(0, others.length - 1)];
  if (isWiping && victim !== undefined && cluster.server(victim).node !== undefined) {
    cluster.crash(victim);
    cluster.wipe(victim);
    cluster.start(victim);
    links.persuade(victim, old.id, voters);
    for (let i = 0; i < 40; i++) {
      cluster.step();
      if (prng.chance(0.1)) cluster.propose();
    }
  }
  links.clear();
  const isSettled = cluster.runUntil(() => cluster.isSettled(), PROGRESS_MAX_MS);
  assert(isSettled, `seed ${seed}: no progress after a leader was deposed`);
}

function settledLeader(cluster: ZabCluster, seed: number): ZabServer {
  const leader = cluster.leader();
  assert(leader !== undefined, `seed ${seed}: the leader is gone`);
  return leader;
}

function heal(cluster: ZabCluster, seed: number, voters: number): void {
  const { servers } = cluster;
  cluster.isSkewed = false;
  cluster.links.clear();
  for (const server of servers) if (server.node === undefined) cluster.start(server.id);
  const isSettled = cluster.runUntil(() => cluster.isSettled(), PROGRESS_MAX_MS);
  assert(isSettled, `seed ${seed}: no progress after healing`);
  for (const server of servers) {
    assert.equal(server.applied.length, cluster.committed.length, `seed ${seed}`);
  }
  for (const entry of cluster.acknowledged) {
    assert(cluster.committed.includes(entry), `seed ${seed}: lost ${entry}`);
  }
  assert(lostCount(cluster, voters) === 0, `seed ${seed}: a server is not whole again`);
}

/** Voters whose disk does not hold all that they vouched for. */
function lostCount(cluster: ZabCluster, voters: number): number {
  const lost = cluster.servers.filter(
    ({ id, disk }) => id <= voters && disk.state.standing !== 'whole',
  );
  return lost.length;
}
