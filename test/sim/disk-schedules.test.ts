import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/error-code.ts';
import { makeServerId } from '../../src/base/ids.ts';
import { keyBytes, keyText } from '../../src/base/key-text.ts';
import { CreateMode } from '../../src/base/op-code.ts';
import { Checkpointer } from '../../src/store/checkpointer.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { StateStore } from '../../src/store/state-store.ts';
import { TxnType } from '../../src/store/txn.ts';
import { decodeTxn } from '../../src/store/txn-codec.ts';
import { TxnLog } from '../../src/store/txn-log.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import { create, read, set, write } from './drafts.ts';
import type { SimMember } from './sim-cluster.ts';
import { SHAPE, Stage } from './stage.ts';

const LOG = '/data/log';
const STATE = '/data/state';

function isWhole(stage: Stage, member: SimMember): boolean {
  const view = stage.cluster.view(member);
  return view?.mode !== undefined && view.standing === 'whole';
}

test('wiped: a write that a wiped server acknowledged is not lost to a majority without it', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const [one, two, three] = [stage.member(1), stage.member(2), stage.member(3)];
  stage.cluster.crash(two);
  const client = await stage.clientOf(three);
  await stage.done(client, write(create('/x', 'kept', CreateMode.persistent)));
  stage.cluster.crash(one);
  stage.cluster.crash(three);
  stage.world.disk(one.hostName).wipe('/data');
  stage.cluster.start(one);
  stage.cluster.start(two);
  await stage.world.runFor(3000);
  assert.equal(stage.cluster.leader(), undefined, 'a majority that never had the write leads');
  stage.cluster.start(three);
  await stage.until(() => isWhole(stage, one), 'the wiped server is whole again');
  const reader = await stage.clientOf(one);
  assert.equal((await stage.done(reader, read('get', '/x'))).reply.value, 'kept');
});

test('wiped: a server with an empty disk counts again as soon as it has everything', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const leader = stage.leader();
  const others = stage.cluster.members.filter((member) => member !== leader);
  const [wiped, other] = others;
  assert(wiped !== undefined && other !== undefined);
  const client = await stage.clientOf(leader);
  await stage.done(client, write(create('/x', '1', CreateMode.persistent)));
  stage.cluster.crash(wiped);
  stage.world.disk(wiped.hostName).wipe('/data');
  stage.cluster.start(wiped);
  await stage.until(() => isWhole(stage, wiped), 'the wiped server is whole again');
  stage.cluster.crash(other);
  await stage.done(client, write(set('/x', '2', -1)));
});

test('rolled back: a server with an old copy of its disk is told, and fetches everything', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const leader = stage.leader();
  const member = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(leader);
  await stage.done(client, write(create('/x', 'old', CreateMode.persistent)));
  stage.cluster.crash(member);
  const image = stage.world.disk(member.hostName).image();
  stage.cluster.start(member);
  await stage.whole();
  await stage.done(client, write(set('/x', 'new', -1)));
  await stage.until(() => stage.cluster.isEven(), 'all have the write');
  stage.cluster.crash(member);
  stage.world.disk(member.hostName).restore(image);
  stage.cluster.start(member);
  await stage.until(() => stage.count('behindItsWord') > 0, 'somebody notices');
  await stage.until(() => isWhole(stage, member), 'it is whole again');
  const reader = await stage.clientOf(member);
  assert.equal((await stage.done(reader, read('get', '/x'))).reply.value, 'new');
});

test('damage: a leader whose log is damaged sends its state instead (SNAP)', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const late = stage.member(1);
  stage.cluster.crash(late);
  const writer = await stage.clientOf(stage.member(3));
  for (let i = 0; i < 10; i++) {
    await stage.done(writer, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
  }
  // After a restart nothing of the log is in memory any more.
  for (const id of [2, 3]) stage.cluster.crash(stage.member(id));
  for (const id of [2, 3]) stage.cluster.start(stage.member(id));
  await stage.until(() => stage.cluster.leader() !== undefined, 'somebody leads');
  stage.cluster.provoked.add('logDamaged');
  stage.world.disk(stage.leader().hostName).corrupt(LOG, (key) => key[0] === 0x4c);
  stage.cluster.start(late);
  await stage.whole();
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
  assert.equal(stage.count('logDamaged'), 1);
  const reader = await stage.clientOf(late);
  assert.equal((await stage.done(reader, read('get', '/n9'))).reply.value, '9');
});

for (const what of ['write', 'sync'] as const) {
  test(`disk: a leader with a failed ${what} ends at once, and another leads`, async () => {
    const stage = new Stage(SHAPE);
    await stage.whole();
    const leader = stage.leader();
    const client = await stage.clientOf(leader);
    leader.isDoomed = true;
    stage.world.disk(leader.hostName).failNext(LOG, what);
    stage.ask(client, write(create('/x', '', CreateMode.persistent)));
    const isReplaced = (): boolean => {
      const now = stage.cluster.leader();
      return now !== undefined && now !== leader;
    };
    await stage.until(isReplaced, 'another server leads');
    assert.equal(leader.life, undefined);
    stage.cluster.start(leader);
    await stage.whole();
  });
}

test('disk: a leader whose disk is nearly full hands over, and writes go on', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const leader = stage.leader();
  const other = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(other);
  fillDisk(stage, leader);
  const isHandedOver = (): boolean => {
    const now = stage.cluster.leader();
    return now !== undefined && now !== leader;
  };
  await stage.until(isHandedOver, 'another server leads');
  assert.equal(stage.count('diskFull'), 1);
  await stage.until(() => client.isConnected, 'the client is connected');
  await stage.done(client, write(create('/x', '', CreateMode.persistent)));
});

test('disk: a full leader hands over to the only follower there is, and stays its follower', async () => {
  const stage = new Stage(SHAPE);
  await stage.wholeUnderHighest();
  const leader = stage.leader();
  const [heir, gone] = stage.cluster.members.filter((member) => member !== leader);
  assert(heir !== undefined && gone !== undefined);
  stage.cluster.crash(gone);
  const client = await stage.clientOf(heir);
  fillDisk(stage, leader);
  await stage.until(() => stage.cluster.leader() === heir, 'the other server leads');
  await stage.until(() => client.isConnected, 'the client is connected');
  await stage.done(client, write(create('/x', '', CreateMode.persistent)));
  await stage.world.runFor(4000);
  assert.equal(stage.leader(), heir);
  await stage.done(client, write(set('/x', '1', -1)));
  assert.equal(stage.count('serving'), 3 + 3 + 2, 'they elected more than once');
});

test('disk: an ensemble whose disks are nearly full answers reads, refuses writes, and recovers', async () => {
  const stage = new Stage(SHAPE);
  await stage.whole();
  const clients = [];
  for (const member of stage.cluster.members) clients.push(await stage.clientOf(member));
  const [first] = clients;
  assert(first !== undefined);
  await stage.done(first, write(create('/x', '1', CreateMode.persistent)));
  for (const member of stage.cluster.members) fillDisk(stage, member);
  await stage.until(() => stage.count('diskFull') === 3, 'all have noticed');
  // Whoever noticed first and led may have handed over to one that noticed a moment later.
  await stage.whole();
  for (const client of clients) {
    await stage.until(() => client.isConnected, 'the client is connected');
    const refused = stage.ask(client, write(set('/x', '2', -1)));
    await stage.until(() => refused.outcome !== 'pending', 'the write is answered');
    assert.equal(refused.outcome, 'failed');
    assert.equal(refused.error, -127);
    assert.equal((await stage.done(client, read('get', '/x'))).reply.value, '1');
  }
  for (const member of stage.cluster.members) {
    stage.world.disk(member.hostName).occupiedBytes = 0;
  }
  await stage.until(() => stage.count('diskHasRoom') === 3, 'all have room again');
  await stage.done(first, write(set('/x', '3', -1)));
});

/** Other programs leave less than the reserve, and more than these tests need. */
function fillDisk(stage: Stage, member: SimMember): void {
  const disk = stage.world.disk(member.hostName);
  disk.occupiedBytes = disk.capacityBytes - 200 * 1024 * 1024;
}

test('damage: a leader that cannot mend its checkpoint heals in place, and another gives it to the learner', async () => {
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
  const { life } = leader;
  for (const event of ['stateDamaged', 'dataDamaged']) stage.cluster.provoked.add(event);
  // No checkpoint writes over what it does not know.
  const unknown = Buffer.from([0x47, 0, 0, 0, 1, 0x78]);
  stage.world.disk(leader.hostName).edit(STATE, unknown, Buffer.from('?'));
  stage.cluster.start(late);
  await stage.until(() => stage.count('dataSetAside') === 1, 'the leader sets its data aside');
  assert.equal(stage.count('stateDamaged'), 3);
  await stage.whole();
  await stage.until(() => isWhole(stage, leader), 'it is whole again');
  assert.equal(leader.life, life, 'its process ended');
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
  const reader = await stage.clientOf(leader, 'reader');
  assert.equal((await stage.done(reader, read('get', '/n29'))).reply.value, '29');
});

/** A server lost everything, and only the leader's checkpoint, which is not whole, can give it back. */
async function emptiedBesideDamage(damage: (stage: Stage, leader: SimMember) => void): Promise<{
  stage: Stage;
  leader: SimMember;
  emptied: SimMember;
}> {
  const stage = new Stage({ ...SHAPE, checkpointIntervalTxns: 5, logRetainTxns: 0 });
  await stage.whole();
  const leader = stage.leader();
  const emptied = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(leader);
  stage.cluster.crash(emptied);
  for (let i = 0; i < 30; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
    await stage.world.runFor(20);
  }
  stage.world.disk(emptied.hostName).wipe('/data');
  damage(stage, leader);
  stage.cluster.start(emptied);
  return { stage, leader, emptied };
}

test('damage: a leader mends its checkpoint from memory when a server that lost everything needs it', async () => {
  const { stage, leader, emptied } = await emptiedBesideDamage(
    ({ cluster, world }, { hostName }) => {
      cluster.provoked.add('stateDamaged');
      const disk = world.disk(hostName);
      const found = packsWith(disk, 'n7');
      assert(disk.corrupt(STATE, (key) => found.has(keyText(key))) > 0);
    },
  );
  await stage.until(() => isWhole(stage, emptied), 'the emptied server is whole again');
  assert.equal(stage.leader(), leader);
  assert.equal(stage.count('dataSetAside'), 0);
  assert.equal(stage.count('stateDamaged'), 1);
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
});

test('damage: a leader whose checkpoint lacks something mends it from memory', async () => {
  const { stage, emptied } = await emptiedBesideDamage(({ cluster, world }, { hostName }) => {
    cluster.provoked.add('stateDamaged');
    const disk = world.disk(hostName);
    const found = packsWith(disk, 'n7');
    for (const text of found) disk.edit(STATE, keyBytes(text), undefined);
    assert(found.size > 0);
  });
  await stage.until(() => isWhole(stage, emptied), 'the emptied server is whole again');
  assert.equal(stage.count('dataSetAside'), 0);
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
});

test('divergence: a server whose state is wrong stops serving and fetches the others', async () => {
  const stage = new Stage({ ...SHAPE, checkpointIntervalTxns: 5 });
  await stage.whole();
  const leader = stage.leader();
  const wrong = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(leader);
  for (let i = 0; i < 20; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
  }
  stage.cluster.crash(wrong);
  for (const event of ['stateDiffers', 'stateWrong', 'dataDamaged'])
    stage.cluster.provoked.add(event);
  await stage.world.finish(makeStateWrong(stage, wrong));
  stage.cluster.start(wrong);
  await stage.whole();
  for (let i = 20; i < 150; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
  }
  await stage.until(() => stage.count('stateDiffers') === 1, 'it notices');
  await stage.until(() => stage.count('dataSetAside') === 1, 'it sets its data aside');
  await stage.until(() => isWhole(stage, wrong), 'it is whole again');
  await stage.until(() => stage.cluster.isEven(), 'the servers are even');
  assert.equal(stage.cluster.view(wrong)?.digest, stage.cluster.view(leader)?.digest);
});

/** A follower's state has gone wrong while it was down; it is not started yet. */
async function withWrongState(): Promise<{ stage: Stage; leader: SimMember; wrong: SimMember }> {
  const stage = new Stage({ ...SHAPE, checkpointIntervalTxns: 5 });
  await stage.wholeUnderHighest();
  const leader = stage.leader();
  const wrong = stage.member(leader.id === 1 ? 2 : 1);
  const client = await stage.clientOf(leader);
  for (let i = 0; i < 20; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
  }
  await stage.until(() => stage.cluster.isEven(), 'all have it');
  stage.cluster.crash(wrong);
  for (const event of ['stateDiffers', 'stateWrong', 'dataDamaged'])
    stage.cluster.provoked.add(event);
  await stage.world.finish(makeStateWrong(stage, wrong));
  return { stage, leader, wrong };
}

test('divergence: a server that comes with a wrong state heals before it serves, though nobody writes', async () => {
  const { stage, leader, wrong } = await withWrongState();
  stage.cluster.start(wrong);
  const hasServed = (): boolean => stage.cluster.view(wrong)?.mode !== undefined;
  const isSetAside = (): boolean => stage.count('dataSetAside') === 1;
  await stage.until(() => hasServed() || isSetAside(), 'it serves, or sets its data aside');
  assert.equal(isSetAside(), true, 'it served a wrong state');
  await stage.until(() => isWhole(stage, wrong), 'it is whole again');
  assert.equal(stage.cluster.view(wrong)?.digest, stage.cluster.view(leader)?.digest);
});

test('divergence: who differs from its leader serves under no leader while nobody can tell who is wrong', async () => {
  const { stage, leader, wrong } = await withWrongState();
  const other = stage.cluster.members.find((member) => member !== leader && member !== wrong);
  assert(other !== undefined);
  stage.cluster.crash(other);
  stage.cluster.start(wrong);
  await stage.until(() => stage.count('stateDiffers') === 1, 'it notices');
  for (let round = 2; round < 4; round++) {
    stage.cluster.crash(leader);
    await stage.world.runFor(500);
    stage.cluster.start(leader);
    await stage.until(() => stage.count('stateDiffers') === round, 'it notices again');
    assert.equal(stage.cluster.leader(), leader);
    await stage.world.runFor(500);
    assert.equal(stage.cluster.view(wrong)?.mode, undefined, 'it serves');
  }
  stage.cluster.start(other);
  await stage.until(() => isWhole(stage, wrong), 'it is whole again');
  assert.equal(stage.count('dataSetAside'), 1);
});

test('scrub: damage of what nobody reads is found, and replaced before the next start', async () => {
  const stage = new Stage({ ...SHAPE, checkpointIntervalTxns: 5 });
  await stage.whole();
  const leader = stage.leader();
  const client = await stage.clientOf(leader);
  for (let i = 0; i < 20; i++) {
    await stage.done(client, write(create(`/n${i}`, `${i}`, CreateMode.persistent)));
    await stage.world.runFor(20);
  }
  const disk = stage.world.disk(leader.hostName);
  const packs = packsWith(disk, 'n7');
  const groups = disk.entries(LOG).filter(([key]) => key[0] === 0x4c);
  const [first] = groups;
  assert(first !== undefined);
  stage.cluster.provoked.add('scrubDamage');
  assert(disk.corrupt(LOG, (key) => Buffer.from(key).equals(first[0])) === 1);
  const packCount = disk.corrupt(STATE, (key) => packs.has(keyText(key)));
  assert(packCount > 0, 'no node was damaged');
  await stage.until(() => stage.count('scrubDamage') === 1 + packCount, 'all of it is found');
  await stage.world.runFor(1000);
  stage.cluster.crash(leader);
  stage.cluster.start(leader);
  await stage.whole();
  assert.equal(stage.count('dataSetAside'), 0, 'the damage was still there');
});

/** Keys of the packs that hold a version of a node with that name, as text. */
function packsWith(disk: SimDisk, name: string): Set<string> {
  const found = disk.entries(STATE).filter(([, value]) => Buffer.from(value).includes(name));
  return new Set(found.map(([key]) => keyText(key)));
}

/** Applies another transaction than the one in the log, as a bug or a bad memory would. */
async function makeStateWrong(stage: Stage, member: SimMember): Promise<void> {
  const { storage } = stage.world.runtimeFor(member.hostName);
  const log = await TxnLog.open(await storage.open(LOG, { create: false }), {
    serverId: makeServerId(member.id),
  });
  const store = await storage.open(STATE, { create: false });
  const state = await StateStore.open(store, log.meta.generation);
  const tree = new DataTree({ extendedTypes: true });
  const checkpointer = await Checkpointer.restore(state, tree);
  const [entry] = await log.read(tree.lastZxid, 1);
  assert(entry !== undefined, 'nothing behind the checkpoint');
  const txn = decodeTxn(entry.bytes);
  assert(!(txn instanceof Error));
  const body = { type: TxnType.error, error: ErrorCode.noNode } as const;
  tree.apply(entry.zxid, { ...txn, body }, false);
  checkpointer.begin();
  while (!(await checkpointer.step()));
  await log.close();
  await store.close();
}
