import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateMode } from '../../src/base/op-code.ts';
import { create, read, set, write } from './drafts.ts';
import { PROFILE, SHAPE, Stage } from './stage.ts';

test('sync: a deposed leader that has not noticed does not answer (ZOOKEEPER-1675)', async () => {
  // Whoever leads first must be the slow one to notice: the one with the highest number wins.
  const stage = new Stage({ ...SHAPE, peerTimeoutsMs: [250, 250, 3000] });
  await stage.wholeUnderHighest();
  const old = stage.leader();
  assert.equal(old.id, 3);
  const lagging = await stage.clientOf(old);
  await stage.done(lagging, write(create('/x', 'old', CreateMode.persistent)));

  stage.world.network.partition([old.hostName], ['s1', 's2']);
  await stage.until(() => stage.cluster.leader() !== old, 'another server leads');
  const current = await stage.clientOf(stage.leader());
  const written = await stage.done(current, write(set('/x', 'new', -1)));

  assert.equal(stage.cluster.view(old)?.mode, 'leader', 'the old leader should not have noticed');
  const sync = stage.ask(lagging, read('sync', '/x'));
  await stage.world.runFor(500);
  assert.equal(sync.outcome, 'pending', 'a leader of nobody confirmed that it leads');

  stage.world.network.heal();
  const isDeposed = (): boolean => stage.cluster.view(old)?.mode === 'follower';
  await stage.until(isDeposed, 'the old leader follows');
  await stage.until(() => lagging.isConnected, 'the client is connected again');
  const again = await stage.done(lagging, read('sync', '/x'));
  assert(again.zxid >= written.zxid);
  assert.equal((await stage.done(lagging, read('get', '/x'))).reply.value, 'new');
});

test('sync: a learner behind the log (SNAP) gets the state whole, at the first attempt', async () => {
  const stage = new Stage({ ...SHAPE, checkpointIntervalTxns: 5, logRetainTxns: 0 });
  await stage.whole();
  const leader = stage.leader();
  const late = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(leader);
  stage.cluster.crash(late);
  for (let i = 0; i < 30; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
    await stage.world.runFor(20);
  }
  stage.cluster.start(late);
  await stage.whole();
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
  const digest = stage.cluster.view(leader)?.digest;
  assert.equal(stage.cluster.view(late)?.digest, digest);
  assert.equal(stage.count('snapshotRejected'), 0);
  const reader = await stage.clientOf(late);
  assert.equal((await stage.done(reader, read('get', '/n29'))).reply.value, '29');
});

test('sessions: a session resumed on another server takes its ephemeral nodes along', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const [from, to] = [stage.member(1), stage.member(2)];
  const client = await stage.clientOf(from);
  await stage.done(client, write(create('/e', '', CreateMode.ephemeral)));
  // The client knows one server: it finds it again when that one is back.
  stage.cluster.crash(from);
  const other = await stage.clientOf(to);
  await stage.done(other, read('get', '/e'));
  stage.cluster.start(from);
  await stage.until(() => client.isConnected, 'the client is connected again');
  assert.equal(client.session?.state, 'live');
  await stage.done(other, read('sync', '/'));
  await stage.done(other, read('get', '/e'));
  await stage.done(client, read('close', ''));
  await stage.done(other, read('sync', '/'));
  const gone = stage.ask(other, read('get', '/e'));
  await stage.until(() => gone.outcome !== 'pending', 'the read is answered');
  assert.equal(gone.outcome, 'failed');
});

test('sessions: one that a quorum has and the leader not yet can be resumed', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const leader = stage.leader();
  const follower = stage.member(leader.id === 1 ? 2 : 1);
  // The followers commit without the leader, whose disk is busy.
  stage.world.stallDisk(leader.hostName, 1000);
  const client = await stage.clientOf(follower);
  stage.world.network.breakConnections(`client${follower.id}`, follower.hostName);
  await stage.until(() => !client.isConnected, 'the client has lost its connection');
  await stage.until(() => client.isConnected, 'the client is connected again');
  assert.equal(stage.history.sessions.length, 1, 'the session was taken for expired');
  assert.equal(client.session?.state, 'live');
});

test('forwarding: a request that reaches a leader still reading its log is done whole', async () => {
  const stage = new Stage(SHAPE);
  await stage.wholeUnderHighest();
  const { id } = stage.leader();
  assert.equal(id, 3);
  const writer = await stage.clientOf(stage.leader());
  for (let i = 0; i < 5; i++) {
    await stage.done(writer, write(create(`/n${i}`, '', CreateMode.persistent)));
  }
  for (const member of stage.cluster.members) stage.cluster.crash(member);
  // The server with the highest number comes first, is elected, and reads its log slowly.
  stage.world.disk('s3').configure({ minReadMs: 150, maxReadMs: 150 });
  const before = stage.count('looking');
  stage.cluster.start(stage.member(3));
  await stage.until(() => stage.count('looking') > before, 'it looks for a leader');
  stage.cluster.startAll();
  await stage.until(() => stage.cluster.view(stage.member(1)) !== undefined, 'a follower is up');
  const client = await stage.clientOf(stage.member(1));
  await stage.done(client, write(create('/early', 'whole', CreateMode.ephemeral)));
  await stage.world.runFor(2 * PROFILE.sessionTimeoutMs);
  assert.equal(client.session?.timeoutMs, PROFILE.sessionTimeoutMs);
  assert.equal((await stage.done(client, read('get', '/early'))).reply.value, 'whole');
});

test('serving: a leader that is still reading its log serves nobody (3023)', async () => {
  const stage = new Stage(SHAPE);
  await stage.wholeUnderHighest();
  const writer = await stage.clientOf(stage.leader());
  let acked = 0;
  for (let i = 0; i < 5; i++) {
    acked = (await stage.done(writer, write(create(`/n${i}`, '', CreateMode.persistent)))).zxid;
  }
  for (const member of stage.cluster.members) stage.cluster.crash(member);
  stage.world.disk('s3').configure({ minReadMs: 150, maxReadMs: 150 });
  stage.cluster.startAll();
  await stage.until(() => stage.cluster.leader() !== undefined, 'somebody leads');
  const lastZxid = stage.cluster.view(stage.leader())?.lastZxid ?? 0;
  assert(lastZxid >= acked, 'it serves what is older than what was acknowledged');
});

test('sessions: a clock that was set back gives no living session away', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const { world, cluster } = stage;
  const server = stage.member(1);
  // With reads that take no time a server starts in the very moment in which it is started.
  world.disk(server.hostName).configure({ minReadMs: 0, maxReadMs: 0 });
  const restart = async (): Promise<void> => {
    cluster.crash(server);
    cluster.start(server);
    await stage.whole();
  };
  const beganMs = world.nowMs;
  await restart();
  const first = await stage.clientOf(server);
  // The moment of that start comes again.
  const elapsedMs = Math.ceil(world.nowMs - beganMs);
  await world.runFor(beganMs + elapsedMs - world.nowMs);
  world.setClockSkew(server.hostName, -elapsedMs);
  await restart();
  const second = await stage.clientOf(server, 'second');
  await stage.until(() => first.isConnected, 'the first client is connected again');
  assert.equal(first.session?.state, 'live');
  assert.notEqual(second.session?.id, first.session?.id);
});

test('liveness: a leader whose clock is slow is not taken for silent, nor are its followers', async () => {
  const stage = new Stage({ ...SHAPE, peerHeartbeatMs: 30, peerTimeoutsMs: [90, 90, 90] });
  await stage.whole();
  const searches = stage.count('looking');
  // Its pings come at every moment between two looks of the others at the clock.
  stage.world.setClockRate(stage.leader().hostName, 0.9);
  await stage.world.runFor(10_000);
  assert.equal(stage.count('looking'), searches);
  assert.equal(stage.count('peerClosed'), 0);
});
