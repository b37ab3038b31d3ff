import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientSync, ClientWrite } from '../../../src/api/backend.ts';
import { EPOCH_NONE, makeServerId, makeSessionId, ZXID_NONE } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { Prng } from '../../../src/base/prng.ts';
import { ZabNode } from '../../../src/consensus/zab-node.ts';
import { DEFAULT_TIMINGS } from '../../../src/consensus/zab-state.ts';
import { configFromOptions } from '../../../src/server/load-config.ts';
import { Replica } from '../../../src/server/replica.ts';
import type { ReplicaPeers } from '../../../src/server/replica-peers.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { createMemoryRuntime } from '../../../src/testing/memory-runtime.ts';

/** The core of a server that leads alone, with a disk that is never slow. */
function leadingNode(): ZabNode {
  const sid = makeServerId(1);
  const node = new ZabNode(
    {
      sid,
      voters: [sid],
      observers: [],
      timings: DEFAULT_TIMINGS,
      freshClusterId: '00',
      prng: new Prng(1),
    },
    {
      acceptedEpoch: EPOCH_NONE,
      currentEpoch: EPOCH_NONE,
      clusterId: '',
      standing: 'whole',
      epochs: [],
      retainedAfter: ZXID_NONE,
      committed: ZXID_NONE,
    },
  );
  node.start(0);
  for (let effects = node.takeEffects(); effects.length > 0; effects = node.takeEffects()) {
    for (const effect of effects) {
      if (effect.kind === 'persist') node.persisted(effect.request.id);
    }
  }
  assert(node.canPropose);
  return node;
}

function leadingReplica(node: ZabNode): Replica {
  const config = configFromOptions({ dataDir: '/data', clientPort: 0 });
  const unused = (): never => assert.fail('nobody should be asked');
  const peers: ReplicaPeers = {
    isDiskFull: false,
    quotaExceeded: () => undefined,
    node,
    tree: new DataTree(),
    sendToLeader: unused,
    sendToLearner: unused,
    broadcastToLearners: unused,
    noticeTime: () => undefined,
    wake: () => undefined,
    status: unused,
    diverged: unused,
    digestRecorded: () => undefined,
  };
  const replica = new Replica(config, createMemoryRuntime(), peers);
  replica.lead('leader');
  return replica;
}

// 1. In one turn the core gives its leadership up; the end of the role is an effect still to come.
// 2. In the same turn a request arrives.
test('Replica refuses requests in the rest of the turn in which the core stopped leading', () => {
  const node = leadingNode();
  const replica = leadingReplica(node);
  node.stop();
  const told: string[] = [];
  const write: ClientWrite = {
    sessionId: makeSessionId(1n),
    cxid: 1,
    op: OpCode.delete,
    payload: new Uint8Array(0),
    identities: [],
    completed: () => told.push('write completed'),
    dropped: () => told.push('write dropped'),
  };
  const sync: ClientSync = {
    sessionId: write.sessionId,
    completed: () => told.push('sync completed'),
    dropped: () => told.push('sync dropped'),
  };
  replica.submit(write);
  replica.sync(sync);
  replica.revalidate(write.sessionId, 1000, (isValid) => told.push(`revalidated: ${isValid}`));
  assert.deepEqual(told, ['write dropped', 'sync dropped', 'revalidated: undefined']);
});
