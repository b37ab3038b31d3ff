import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/error-code.ts';
import { CreateMode } from '../../src/base/op-code.ts';
import { create, read, set, write } from './drafts.ts';
import { PROFILE, SHAPE, Stage } from './stage.ts';

const EPHEMERAL = write(create('/e', 'mine', CreateMode.ephemeral));

/**
 * A local session of a follower asks for an ephemeral node, and the leader is killed so much later.
 * Returns whether the node is there afterwards.
 */
async function upgradeOvertaken(delayMs: number): Promise<boolean> {
  const stage = new Stage({ ...SHAPE, sessions: 'local' });
  await stage.whole();
  const leader = stage.leader();
  const [follower, other] = stage.cluster.members.filter((member) => member !== leader);
  assert(follower !== undefined && other !== undefined);
  const client = await stage.clientOf(follower);
  const { session } = client;
  const asked = stage.ask(client, EPHEMERAL);
  await stage.world.runFor(delayMs);
  stage.cluster.crash(leader);
  const isReplaced = (): boolean => stage.cluster.leader() !== undefined;
  await stage.until(isReplaced, 'another server leads');
  await stage.until(() => client.isConnected, 'the client is connected again');

  const reader = await stage.clientOf(other);
  await stage.done(reader, read('sync', '/e'));
  const shown = stage.ask(reader, read('get', '/e'));
  await stage.until(() => shown.outcome !== 'pending', 'the reader is answered');
  const isShown = shown.outcome === 'ok';
  if (asked.outcome === 'ok') assert(isShown, 'a node that was acknowledged is lost');
  if (isShown) {
    assert.equal(shown.reply.stat?.ephemeralOwner, session?.id);
    assert.equal(client.session, session, 'the node has outlived its session');
  }
  await stage.done(client, read('close', ''));
  await stage.done(reader, read('sync', '/e'));
  const gone = stage.ask(reader, read('get', '/e'));
  await stage.until(() => gone.outcome !== 'pending', 'the reader is answered again');
  // A session other than the first one owns nothing of it either way.
  assert.equal(gone.error, ErrorCode.noNode);
  return isShown;
}

test('local sessions: an upgrade overtaken by a change of leader leaves node and session, or neither', async () => {
  const outcomes = new Set<boolean>();
  for (let delayMs = 0; delayMs <= 8; delayMs += 0.5) outcomes.add(await upgradeOvertaken(delayMs));
  assert.deepEqual([...outcomes].sort(), [false, true], 'the schedules are all alike');
});

test('a session of a server without peers ends when its timeout is over, not a tick of its own later', async () => {
  const tickTimeMs = 2000;
  const timeoutMs = 30_000;
  const stage = new Stage({ ...SHAPE, voterCount: 1, tickTimeMs, maxSessionTimeoutMs: timeoutMs });
  await stage.whole();
  const [member] = stage.cluster.members;
  assert(member !== undefined);
  const profile = { ...PROFILE, sessionTimeoutMs: timeoutMs };
  const owner = await stage.clientOf(member, 'owner', profile);
  await stage.done(owner, EPHEMERAL);
  const reader = await stage.clientOf(member, 'reader', profile);
  owner.died();
  const look = async (): Promise<number> => {
    const asked = stage.ask(reader, read('get', '/e'));
    await stage.until(() => asked.outcome !== 'pending', 'the reader is answered');
    return asked.error;
  };
  await stage.world.runFor(timeoutMs - 100);
  assert.equal(await look(), ErrorCode.ok);
  // Deadlines are rounded up to a multiple of tickTime, and looked at four times a second.
  await stage.world.runFor(100 + tickTimeMs + 250);
  assert.equal(await look(), ErrorCode.noNode);
});

test('local sessions: whoever is told that an upgraded session is over finds none of its nodes', async () => {
  const stage = new Stage({ ...SHAPE, sessions: 'local' });
  await stage.whole();
  const leader = stage.leader();
  const [follower, other] = stage.cluster.members.filter((member) => member !== leader);
  assert(follower !== undefined && other !== undefined);
  const client = await stage.clientOf(follower);
  await stage.done(client, EPHEMERAL);
  const reader = await stage.clientOf(other);
  await stage.done(reader, read('sync', '/e'));
  assert.equal((await stage.done(reader, read('get', '/e'))).reply.value, 'mine');
  // Its server and its client vanish: the leader, which never served it, has to end the session.
  const { session } = client;
  client.died();
  stage.cluster.crash(follower);
  const isGone = async (): Promise<boolean> => {
    await stage.done(reader, read('sync', '/e'));
    const asked = stage.ask(reader, read('get', '/e'));
    await stage.until(() => asked.outcome !== 'pending', 'the reader is answered');
    return asked.error === ErrorCode.noNode;
  };
  assert.equal(await isGone(), false);
  await stage.world.runFor(PROFILE.sessionTimeoutMs + 4 * SHAPE.tickTimeMs);
  assert.equal(await isGone(), true);
  assert.equal(session?.kind, 'replicated');
});

test('read-only mode: a cut-off leader shows what was committed, and its client is no worse off', async () => {
  const stage = new Stage({ ...SHAPE, readOnlyGraceMs: 100 });
  await stage.whole();
  const old = stage.leader();
  const writer = await stage.clientOf(old);
  await stage.done(writer, write(create('/x', 'old', CreateMode.persistent)));
  const others = stage.cluster.members.filter((member) => member !== old);
  stage.world.network.partition(
    [old.hostName],
    others.map(({ hostName }) => hostName),
  );
  const lost = stage.ask(writer, write(set('/x', 'lost', -1)));
  await stage.until(() => stage.cluster.view(old)?.mode === 'read-only', 'it lets clients read');
  assert.equal(lost.outcome, 'unknown');
  await stage.until(() => stage.cluster.leader() !== undefined, 'another server leads');

  const reader = await stage.clientOf(old, 'reader', { ...PROFILE, readsOnly: true });
  const { session } = reader;
  assert.equal(session?.kind, 'temporary');
  assert.equal((await stage.done(reader, read('get', '/x'))).reply.value, 'old');
  const current = await stage.clientOf(stage.leader());
  await stage.done(current, write(set('/x', 'new', -1)));
  assert.equal((await stage.done(reader, read('get', '/x'))).reply.value, 'old');

  stage.world.network.heal();
  await stage.whole();
  await stage.until(() => reader.isConnected, 'the reader is connected again');
  assert.notEqual(reader.session, session);
  assert.equal((await stage.done(reader, read('get', '/x'))).reply.value, 'new');
});
