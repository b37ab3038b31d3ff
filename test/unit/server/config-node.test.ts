import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { decodeGetDataReply } from '../../../src/protocol/records/read-reply.ts';
import { encodeWatchedRead } from '../../../src/protocol/records/read-request.ts';
import { showMembers } from '../../../src/server/config-node.ts';
import { configFromOptions } from '../../../src/server/load-config.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { SimEnsemble } from '../../support/sim-ensemble.ts';
import { WireClient } from '../../support/wire-client.ts';

const CONFIG_PATH = '/zookeeper/config';
const MEMBERS = ['zk1:2888:3888;2181', 'zk2:2888:3888:observer', 'zk3:2888:3888', 'zk4:2888:3888'];

function memberConfig(members: readonly string[]) {
  const servers = Object.fromEntries(members.map((text, i) => [i + 1, text]));
  return configFromOptions({ dataDir: '/data', clientPort: 2181, serverId: 1, servers });
}

function shown(tree: DataTree): string {
  return Buffer.from(tree.find(CONFIG_PATH)?.data ?? []).toString();
}

describe('showMembers()', () => {
  test('writes the members in canonical form, and a version that no transaction has given', () => {
    const tree = new DataTree();
    showMembers(tree, memberConfig(MEMBERS));
    assert.deepEqual(shown(tree).split('\n'), [
      'server.1=zk1:2888:3888:participant;0.0.0.0:2181',
      'server.2=zk2:2888:3888:observer',
      'server.3=zk3:2888:3888:participant',
      'server.4=zk4:2888:3888:participant',
      'version=0',
    ]);
    const stat = tree.find(CONFIG_PATH)?.snapshot();
    assert.equal(stat?.version, -1);
    assert.equal(stat?.mzxid, 0);
  });

  test('replaces what the tree shows of other members', () => {
    const tree = new DataTree();
    showMembers(tree, memberConfig(MEMBERS));
    showMembers(tree, memberConfig(['zk1:2888:3888;2181', 'b:1:2', 'c:1:2']));
    assert.match(shown(tree), /server\.2=b:1:2:participant/);
    assert.doesNotMatch(shown(tree), /zk2/);
  });

  test('changes no digest: servers whose files differ still compare their trees', () => {
    const tree = new DataTree();
    const digest = tree.digestHex;
    showMembers(tree, memberConfig(MEMBERS));
    assert.equal(tree.digestHex, digest);
  });

  test('leaves the node of a standalone server empty', () => {
    const tree = new DataTree();
    showMembers(tree, configFromOptions({ dataDir: '/data', clientPort: 2181 }));
    assert.equal(shown(tree), '');
    assert.equal(tree.find(CONFIG_PATH)?.snapshot().version, 0);
  });
});

test('every server of an ensemble answers getConfig with the members, also after a restart', async () => {
  const ensemble = new SimEnsemble();
  const { world } = ensemble;
  await ensemble.startAll(3);
  await ensemble.stop('zk2');
  await ensemble.start('zk2', 2, SimEnsemble.lines(3));
  await ensemble.settled(3);
  for (const host of ['zk1', 'zk2', 'zk3']) {
    const address = { host, port: 2181 };
    const client = await world.finish(WireClient.connect(world.runtimeFor('client'), address));
    const reply = await world.finish(
      client.call(OpCode.getData, (writer) => encodeWatchedRead(writer, CONFIG_PATH, false)),
    );
    assert.equal(reply.error, ErrorCode.ok);
    const data = Buffer.from(decodeGetDataReply(reply.body)?.data ?? []).toString();
    assert.match(data, /^server\.1=zk1:2888:3888:participant\n.*\n.*\nversion=0$/);
    client.close();
  }
});
