import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  SERVER_NONE,
  SESSION_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import { MessageType } from '../../../src/consensus/messages.ts';
import { SnapshotReceiver, SnapshotSender } from '../../../src/server/snapshot-transfer.ts';
import { Checkpointer } from '../../../src/store/checkpointer.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import { TxnType } from '../../../src/store/txn.ts';
import type { SimWorld } from '../../../src/testing/sim-world.ts';
import { LoneNode } from '../../support/lone-node.ts';
import { PeerWorld, type QuorumPeer } from '../../support/peer-world.ts';

const MEGABYTE = 1024 * 1024;
const LINK = 1;
const DIALLED = 100;

function zxid(counter: number): Zxid {
  return makeZxid(makeEpoch(1), counter);
}

/** A checkpointed state with so many nodes of a megabyte. */
async function filledState(world: SimWorld, nodeCount: number): Promise<StateStore> {
  const fill = async (): Promise<StateStore> => {
    const store = await world.runtimeFor('s1').storage.open('/state', { create: true });
    const state = await StateStore.create(store);
    const tree = new DataTree();
    const checkpointer = await Checkpointer.restore(state, tree);
    for (let i = 1; i <= nodeCount; i++) {
      const body = {
        type: TxnType.create,
        path: `/n${i}`,
        data: new Uint8Array(MEGABYTE).fill(i),
        acl: OPEN_ACL,
        ephemeralOwner: SESSION_NONE,
        parentCversion: i,
      } as const;
      const nobody = { sessionId: SESSION_NONE, cxid: 0, origin: SERVER_NONE, requestId: 0 };
      tree.apply(zxid(i), { ...nobody, timeMs: i, body }, false);
    }
    checkpointer.begin();
    while (!(await checkpointer.step()));
    return state;
  };
  return await world.finish(fill());
}

interface Bench {
  readonly peers: PeerWorld;
  readonly sender: SnapshotSender;
  /** Bytes of parts that have arrived. */
  receivedBytes(): number;
}

async function bench(nodeCount: number): Promise<Bench> {
  const peers = new PeerWorld(2);
  const leader = await peers.quorumPeer(1);
  const learner = await peers.quorumPeer(2);
  learner.transport.dial(makeServerId(1), DIALLED);
  await peers.world.runUntil(() => leader.learners.length > 0, 1000);
  const state = await filledState(peers.world, nodeCount);
  const sender = new SnapshotSender({
    node: new LoneNode({ sid: 1, voters: [1, 2] }).node,
    transport: leader.transport,
    state: () => state,
    wake: () => undefined,
    damaged: (_link, error) => assert.fail(error),
    failed: (error) => assert.fail(String(error)),
  });
  resumeWhenDrained(peers, leader, sender);
  const receivedBytes = (): number => {
    let bytes = 0;
    for (const { message } of learner.received) {
      if (message.type === MessageType.snapChunk) bytes += message.bytes.length;
    }
    return bytes;
  };
  return { peers, sender, receivedBytes };
}

/** The driver resumes the sender when its link has drained; here a timer does. */
function resumeWhenDrained(peers: PeerWorld, leader: QuorumPeer, sender: SnapshotSender): void {
  peers.world.runtimeFor('s1').timers.every(10, () => {
    if (leader.drained.splice(0).length > 0) sender.resume(LINK);
  });
}

describe('SnapshotSender', () => {
  it('sends no more than the receiver can hold until it hears what was taken', async () => {
    const { peers, sender, receivedBytes } = await bench(40);
    sender.start(LINK);
    await peers.world.runFor(30_000);
    const first = receivedBytes();
    assert(first > 15 * MEGABYTE && first < 19 * MEGABYTE, `${first} bytes are in memory there`);
    sender.taken(LINK, 10 * MEGABYTE);
    await peers.world.runFor(30_000);
    const second = receivedBytes() - first;
    assert(second > 8 * MEGABYTE && second < 12 * MEGABYTE, `${second} more bytes came`);
    sender.taken(LINK, first + second - 10 * MEGABYTE);
    await peers.world.runFor(30_000);
    assert(receivedBytes() > 32 * MEGABYTE);
  });
});

describe('SnapshotReceiver', () => {
  it('never takes an abandoned snapshot for the one that came after it', async () => {
    const peers = new PeerWorld(2);
    const { world } = peers;
    const source = await filledState(world, 2);
    const parts: Uint8Array[] = [];
    const reader = source.openSnapshot();
    for (;;) {
      const part = await world.finish(reader.next(256 * 1024));
      if (part === undefined) break;
      parts.push(part);
    }
    const { digest, nodeCount, sessionCount, entryCount } = reader;
    const facts = Buffer.from(
      JSON.stringify([zxid(2), digest, nodeCount, sessionCount, entryCount]),
    );

    let stagedCount = 0;
    const store = await world.finish(
      world.runtimeFor('s2').storage.open('/state', { create: true }),
    );
    await world.finish(StateStore.create(store));
    world.disk('s2').configure({ minSyncMs: 500, maxSyncMs: 500 });
    const receiver = new SnapshotReceiver({
      store,
      newTree: () => new DataTree(),
      generation: () => 1,
      staged: () => stagedCount++,
      taken: () => undefined,
      rejected: (reason) => assert.fail(reason),
      failed: (error) => assert.fail(String(error)),
    });
    receiver.begin();
    for (const part of parts) receiver.add(part);
    receiver.finish(zxid(2), facts);
    // 1. All parts are written; the first snapshot's last, synced write is under way.
    await world.runUntil(() => receiver.queuedBytes === 0, 5000);
    await world.runFor(100);
    // 2. The leader is lost, the next one begins its own snapshot.
    receiver.abort();
    receiver.begin();
    await world.runFor(5000);
    assert.equal(stagedCount, 0);
    for (const part of parts) receiver.add(part);
    receiver.finish(zxid(2), facts);
    await world.runFor(5000);
    assert.equal(stagedCount, 1);
    assert.equal(receiver.take().tree.lastZxid, zxid(2));
  });
});
