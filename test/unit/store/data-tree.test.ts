import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { InvariantError } from '../../../src/base/assert.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../../src/base/op-code.ts';
import type { Stat } from '../../../src/base/stat.ts';
import type { ChangeTracker } from '../../../src/store/change-tracker.ts';
import { DataTree, keptResult } from '../../../src/store/data-tree.ts';
import { CONTAINER_OWNER, ttlOwner } from '../../../src/store/owner.ts';
import type { TreeListener } from '../../../src/store/tree-listener.ts';
import { type CreateTxn, type Txn, type TxnBody, TxnType } from '../../../src/store/txn.ts';
import type { Znode } from '../../../src/store/znode.ts';
import {
  bytes,
  create,
  multi,
  remove,
  request,
  SESSION,
  StoreKit,
  setAcl,
  setData,
} from '../../support/store-kit.ts';

function statOf(tree: DataTree, path: string): Stat {
  const node = tree.find(path);
  assert.ok(node, path);
  return node.snapshot();
}

function statNumbers(stat: Stat): number[] {
  const { czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren } = stat;
  return [czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren];
}

function txn(body: TxnBody): Txn {
  return {
    sessionId: SESSION,
    cxid: 0,
    timeMs: 5,
    origin: SERVER_NONE,
    requestId: 0,
    body,
  };
}

function createTxn(path: string, parentCversion: number): CreateTxn {
  return {
    type: TxnType.create,
    path,
    data: null,
    acl: OPEN_ACL,
    ephemeralOwner: SESSION_NONE,
    parentCversion,
  };
}

function storeWith(...asked: Parameters<StoreKit['errors']>): StoreKit {
  const kit = new StoreKit();
  for (const error of kit.errors(...asked)) assert.equal(error, ErrorCode.ok);
  return kit;
}

class EventLog implements TreeListener {
  readonly events: string[] = [];

  created(path: string, node: Znode): void {
    this.events.push(`created ${path} v${node.version}`);
  }

  deleted(path: string, node: Znode): void {
    this.events.push(`deleted ${path} ${node.dataText} acl ${node.acl.length}`);
  }

  dataChanged(path: string, node: Znode): void {
    this.events.push(`data ${path} v${node.version}`);
  }

  childrenChanged(parentPath: string, parent: Znode): void {
    this.events.push(`children ${parentPath} ${parent.numChildren}`);
  }
}

class ChangeLog implements ChangeTracker {
  mark = 1;
  readonly calls: string[] = [];

  beforeChange(node: Znode, path: string): void {
    this.calls.push(`change ${path} v${node.version} children ${node.numChildren}`);
  }

  beforeDelete(node: Znode, path: string): void {
    this.calls.push(`delete ${path} ${node.path}`);
  }

  created(node: Znode, path: string): void {
    this.calls.push(`created ${path} ${node.dataText}`);
  }

  beforeSessionChange(sessionId: bigint): void {
    this.calls.push(`session ${sessionId.toString(16)}`);
  }
}

test('DataTree at birth holds the four nodes of every database', () => {
  const tree = new DataTree();
  const paths = [...tree.walk()].map(([path]) => path).sort();
  assert.deepEqual(paths, ['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota']);
  assert.deepEqual(statNumbers(statOf(tree, '/')), [0, 0, 0, 0, -1, 0, 0, 1]);
  assert.deepEqual(statNumbers(statOf(tree, '/zookeeper')), [0, 0, 0, 0, -2, 0, 0, 2]);
  assert.deepEqual(statNumbers(statOf(tree, '/zookeeper/quota')), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(statNumbers(statOf(tree, '/zookeeper/config')), [0, 0, 0, 0, 0, -1, 0, 0]);
  assert.deepEqual(tree.find('/zookeeper/config')?.acl, [
    { perms: 1, scheme: 'world', id: 'anyone' },
  ]);
  assert.deepEqual(tree.find('/')?.data, Buffer.alloc(0));
  assert.equal(tree.nodeCount, 4);
  assert.equal(tree.approximateDataSize, 44);
  assert.equal(tree.digest, 1371985504n);
});

test('DataTree.setConfig shows the membership with versions of -1 and its zxid', () => {
  const tree = new DataTree();
  tree.setConfig(bytes('server.1=a:1:2'), 7 as Zxid);
  const node = tree.find('/zookeeper/config');
  assert.equal(node?.dataText, 'server.1=a:1:2');
  assert.deepEqual([node?.version, node?.aversion, node?.mzxid, node?.mtimeMs], [-1, -1, 7, 0]);
});

test('DataTree.find takes the empty path for the root and finds nothing at bad paths', () => {
  const { tree } = storeWith(create('/a'), create('/a/b'));
  assert.equal(tree.find('')?.path, '/');
  assert.equal(tree.find('/a/b')?.path, '/a/b');
  for (const bad of ['a', 'a/b', '//', '/a/', '/a//b', '/a/b/c', '/b', '//a']) {
    assert.equal(tree.find(bad), undefined, bad);
  }
});

test('create gives a node the zxid and time of its transaction and versions of zero', () => {
  const kit = storeWith(create('/a', { data: bytes('xyz') }));
  const stat = statOf(kit.tree, '/a');
  assert.deepEqual(statNumbers(stat), [3, 3, 3, 0, 0, 0, 3, 0]);
  assert.deepEqual([stat.ctimeMs, stat.mtimeMs], [StoreKit.timeMs(3), StoreKit.timeMs(3)]);
  assert.equal(stat.ephemeralOwner, SESSION_NONE);
});

test('create raises cversion and pzxid of the parent and nothing else', () => {
  const kit = storeWith(create('/a'), create('/a/b'));
  assert.deepEqual(statNumbers(statOf(kit.tree, '/a')), [3, 3, 4, 0, 1, 0, 0, 1]);
  assert.equal(statOf(kit.tree, '/a').mtimeMs, StoreKit.timeMs(3));
});

test('delete raises cversion and pzxid of the parent', () => {
  const kit = storeWith(create('/a'), create('/a/b'), create('/a/c'), remove('/a/b'));
  assert.deepEqual(statNumbers(statOf(kit.tree, '/a')), [3, 3, 6, 0, 3, 0, 0, 1]);
  assert.deepEqual(kit.errors(remove('/a/c')), [ErrorCode.ok]);
  assert.equal(statOf(kit.tree, '/a').cversion, 4);
});

test('setData changes version, mzxid, mtime and data length, and not the parent', () => {
  const kit = storeWith(create('/a'), create('/a/b'), setData('/a/b', 'hello'));
  const stat = statOf(kit.tree, '/a/b');
  assert.deepEqual(statNumbers(stat), [4, 5, 4, 1, 0, 0, 5, 0]);
  assert.deepEqual([stat.ctimeMs, stat.mtimeMs], [StoreKit.timeMs(4), StoreKit.timeMs(5)]);
  assert.equal(statOf(kit.tree, '/a').pzxid, 4);
});

test('setAcl changes aversion only', () => {
  const kit = storeWith(create('/a'));
  const acl = [{ perms: 1, scheme: 'world', id: 'anyone' }];
  assert.deepEqual(kit.errors(setAcl('/a', acl)), [ErrorCode.ok]);
  assert.deepEqual(statNumbers(statOf(kit.tree, '/a')), [3, 3, 3, 0, 0, 1, 0, 0]);
  assert.deepEqual(kit.tree.find('/a')?.acl, acl);
});

test('null data and empty data stay distinct, and all byte values come back', () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  const kit = storeWith(
    create('/null', { data: null }),
    create('/empty', { data: new Uint8Array(0) }),
    create('/all', { data: all }),
  );
  assert.equal(kit.tree.find('/null')?.data, null);
  assert.deepEqual(kit.tree.find('/empty')?.data, Buffer.alloc(0));
  assert.deepEqual(kit.tree.find('/all')?.data, Buffer.from(all));
  assert.equal(kit.tree.find('/all')?.dataLength, 256);
});

test('the data of a transaction is copied: its bytes may change afterwards', () => {
  const data = bytes('before');
  const kit = storeWith(create('/a', { data }));
  data.fill(0);
  assert.equal(kit.tree.find('/a')?.dataText, 'before');
});

test('names keep their characters beyond latin1', () => {
  const name = '/наименование-узла-длинное';
  const kit = storeWith(create(name), create(`${name}/日本語の長い名前のノードです`));
  assert.equal(kit.tree.find(name)?.numChildren, 1);
  assert.equal(kit.tree.find(`${name}/日本語の長い名前のノードです`)?.parent?.path, name);
});

test('ephemeralOwner shows the session for ephemerals and 0 for containers and TTL nodes', () => {
  const kit = new StoreKit({ extendedTypes: true });
  const { tree } = kit;
  kit.run(create('/e', { flags: CreateMode.ephemeral }));
  kit.run({ ...create('/c'), op: OpCode.createContainer });
  const ttl = { flags: CreateMode.persistentTtl, durationMs: 500 };
  kit.run({ ...create('/t', ttl), op: OpCode.createTtl });
  assert.equal(tree.find('/e')?.ephemeralOwner, SESSION);
  assert.equal(tree.find('/c')?.ephemeralOwner, SESSION_NONE);
  assert.equal(tree.find('/c')?.storedOwner, CONTAINER_OWNER);
  assert.equal(tree.find('/t')?.ephemeralOwner, SESSION_NONE);
  assert.equal(tree.find('/t')?.storedOwner, ttlOwner(500));
  assert.equal(tree.ephemeralCount, 1);
  assert.deepEqual([...tree.sweepable()].map((node) => node.path).sort(), ['/c', '/t']);
});

test('without extended types an owner with the top byte 0xff is a session', () => {
  const tree = new DataTree();
  const owner = makeSessionId(0xff00000000000005n);
  const body = { ...createTxn('/t', 1), ephemeralOwner: owner };
  tree.apply(1 as Zxid, txn(body), false);
  assert.equal(tree.find('/t')?.ephemeralOwner, owner);
  assert.equal(tree.ephemeralCount, 1);
});

test('apply refuses a transaction out of order', () => {
  const tree = new DataTree();
  const body = createTxn('/a', 1);
  tree.apply(1 as Zxid, txn(body), false);
  assert.throws(() => tree.apply(1 as Zxid, txn(body), false), InvariantError);
  assert.throws(() => tree.apply(3 as Zxid, txn(body), false), InvariantError);
});

test('apply overtakes quietly where the tree is ahead of the transaction', () => {
  const tree = new DataTree();
  let zxid = 0;
  const apply = (body: TxnBody): number => {
    zxid += 1;
    return tree.apply(zxid as Zxid, txn(body), true).error;
  };
  apply(createTxn('/a', 1));
  const created = tree.find('/a')?.czxid;
  const acl = [{ perms: 4, scheme: 'world', id: 'anyone' }];
  assert.equal(apply({ ...createTxn('/a', 1), acl }), ErrorCode.nodeExists);
  assert.equal(tree.find('/a')?.czxid, created);
  assert.deepEqual(tree.find('/a')?.acl, acl);
  assert.equal(tree.find('/')?.creates, 1);
  assert.equal(apply(createTxn('/no/x', 1)), ErrorCode.noNode);
  assert.equal(apply({ type: TxnType.delete, path: '/gone' }), ErrorCode.noNode);
  assert.equal(tree.find('/')?.pzxid, 4);
  const data = { type: TxnType.setData, path: '/gone', data: null, version: 1 };
  assert.equal(apply(data), ErrorCode.noNode);
  apply(createTxn('/a/b', 1));
  apply({ type: TxnType.delete, path: '/a' });
  assert.equal(tree.nodeCount, 4);
  assert.equal(tree.approximateDataSize, 44);
});

test('the parent counter of creates sticks at its end, with the pzxid', () => {
  const tree = new DataTree();
  tree.apply(1 as Zxid, txn(createTxn('/a', 0x7fffffff)), false);
  tree.apply(2 as Zxid, txn(createTxn('/b', -0x80000000)), false);
  const root = tree.find('/');
  assert.equal(root?.creates, 0x7fffffff);
  assert.equal(root?.pzxid, 1);
  assert.equal(root?.numChildren, 3);
  assert.equal(root?.cversion, -5);
});

test('a create of the oldest log form counts one up from what the parent has', () => {
  const tree = new DataTree();
  tree.apply(1 as Zxid, txn(createTxn('/a', -1)), false);
  tree.apply(2 as Zxid, txn(createTxn('/b', -1)), false);
  assert.equal(tree.find('/')?.creates, 2);
});

test('a multi applies whole, with one zxid and a Stat per operation as of that operation', () => {
  const kit = new StoreKit();
  const result = kit.run(multi(create('/a'), create('/a/b'), setData('/a', 'x'), remove('/a/b')));
  assert.equal(result.type, TxnType.multi);
  assert.deepEqual(
    result.results.map((one) => [one.type, one.error, one.path, one.stat?.numChildren]),
    [
      [TxnType.create, 0, '/a', 0],
      [TxnType.create, 0, '/a/b', 0],
      [TxnType.setData, 0, '/a', 1],
      [TxnType.delete, 0, '/a/b', undefined],
    ],
  );
  assert.deepEqual(statNumbers(statOf(kit.tree, '/a')), [3, 3, 3, 1, 2, 0, 1, 0]);
});

test('a failed multi changes nothing and reports one error per operation', () => {
  const kit = storeWith(create('/a'));
  const digest = kit.tree.digest;
  const result = kit.run(multi(create('/b'), remove('/none'), create('/c')));
  assert.equal(result.error, ErrorCode.ok);
  assert.deepEqual(
    result.results.map((one) => [one.type, one.error]),
    [
      [TxnType.error, ErrorCode.ok],
      [TxnType.error, ErrorCode.noNode],
      [TxnType.error, ErrorCode.runtimeInconsistency],
    ],
  );
  assert.equal(kit.tree.digest, digest);
  assert.equal(kit.tree.lastZxid, 4);
});

test('apply without a wanted result returns one shared constant', () => {
  const tree = new DataTree();
  const first = tree.apply(1 as Zxid, txn(createTxn('/a', 1)), false);
  const second = tree.apply(2 as Zxid, txn({ type: TxnType.multi, ops: [] }), false);
  assert.equal(first, second);
});

test('keptResult() is a result that no later transaction changes', () => {
  const kit = new StoreKit();
  const result = kit.run(create('/a'));
  assert.equal(result.stat?.version, 0);
  const kept = keptResult(result);
  assert.deepEqual({ ...kept, stat: null }, { ...result, stat: null });
  kit.run(setData('/a', 'later'));
  assert.equal(kept.stat?.version, 0);
  assert.equal(kept.stat?.dataLength, 0);
});

test('the Stats in the results of a multi are those right after each member', () => {
  const kit = new StoreKit();
  kit.run(create('/a'));
  const { results } = kit.run(multi(setData('/a', 'x'), setData('/a', 'xyz')));
  assert.deepEqual(
    results.map(({ stat }) => [stat?.version, stat?.dataLength]),
    [
      [1, 1],
      [2, 3],
    ],
  );
});

test('a failed create or a deletion shows no Stat', () => {
  const kit = new StoreKit();
  kit.run(create('/a'));
  assert.equal(kit.run(create('/a')).stat, null);
  assert.equal(kit.run(setData('/a', 'x', 7)).stat, null);
  assert.equal(kit.run(remove('/a')).stat, null);
});

test('closeSession deletes the listed paths, then what else the session owns, then the session', () => {
  const kit = new StoreKit();
  const log = new EventLog();
  kit.run(create('/p'));
  for (const name of ['a', 'b', 'c']) {
    kit.run(create(`/p/${name}`, { flags: CreateMode.ephemeral }));
  }
  kit.tree.listener = log;
  const zxid = (kit.zxid + 1) as Zxid;
  kit.tree.apply(zxid, txn({ type: TxnType.closeSession, paths: ['/p/c', '/gone'] }), false);
  const deleted = log.events.filter((event) => event.startsWith('deleted'));
  assert.deepEqual(
    deleted.map((event) => event.split(' ')[1]),
    ['/p/c', '/p/a', '/p/b'],
  );
  assert.equal(kit.tree.ephemeralCount, 0);
  assert.equal(kit.tree.sessions.has(SESSION), false);
  assert.equal(statOf(kit.tree, '/p').pzxid, zxid);
  assert.equal(statOf(kit.tree, '/p').cversion, 6);
});

test('the listener hears of the node first, then of its parent, operation by operation', () => {
  const kit = new StoreKit();
  const log = new EventLog();
  kit.tree.listener = log;
  kit.run(
    multi(create('/a', { data: bytes('d') }), create('/a/b'), setData('/a', 'e'), remove('/a/b')),
  );
  kit.run(setAcl('/a', [{ perms: 31, scheme: 'world', id: 'anyone' }]));
  kit.run(remove('/a'));
  assert.deepEqual(log.events, [
    'created /a v0',
    'children / 2',
    'created /a/b v0',
    'children /a 1',
    'data /a v1',
    'deleted /a/b null acl 1',
    'children /a 0',
    'deleted /a e acl 1',
    'children / 1',
  ]);
});

test('the listener still sees the ACL of a deleted node that no other node has', () => {
  const kit = new StoreKit();
  const told: string[] = [];
  const note = (_path: string, node: Znode): void => void told.push(node.acl[0]?.id ?? 'none');
  kit.run(create('/p'));
  for (const id of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
    kit.tree.listener = undefined;
    kit.run(create('/p/own', { acl: [{ perms: 31, scheme: 'ip', id }] }));
    const ignore = (): void => undefined;
    kit.tree.listener = {
      created: ignore,
      dataChanged: ignore,
      childrenChanged: ignore,
      deleted: note,
    };
    kit.run(remove('/p/own'));
  }
  assert.deepEqual(told, ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
});

test('the change tracker is told once per node and mark, before the change', () => {
  const kit = new StoreKit();
  const log = new ChangeLog();
  kit.run(create('/a'));
  kit.tree.changes = log;
  kit.run(setData('/a', 'x'));
  kit.run(setData('/a', 'y'));
  kit.run(create('/a/b', { data: bytes('z') }));
  assert.deepEqual(log.calls, ['change /a v0 children 0', 'created /a/b z']);
  log.calls.length = 0;
  log.mark = 2;
  kit.run(remove('/a/b'));
  kit.run(request(OpCode.closeSession));
  assert.deepEqual(log.calls, [
    'change /a v2 children 1',
    'delete /a/b /a/b',
    'session 100000000000001',
  ]);
});

test('restoring what walk gives makes an equal tree', () => {
  const kit = storeWith(
    create('/a', { data: bytes('x') }),
    create('/a/b', { acl: [{ perms: 1, scheme: 'ip', id: '10.0.0.0/8' }] }),
    create('/e', { flags: CreateMode.ephemeral }),
    setData('/a', 'longer'),
  );
  const copy = new DataTree();
  for (const [path, node] of kit.tree.walk()) assert.equal(copy.restoreNode(path, node), true);
  for (const [id, timeoutMs] of kit.tree.sessions.entries()) copy.restoreSession(id, timeoutMs);
  copy.restoreZxid(kit.tree.lastZxid);
  assert.equal(copy.digest, kit.tree.digest);
  assert.equal(copy.nodeCount, kit.tree.nodeCount);
  assert.equal(copy.approximateDataSize, kit.tree.approximateDataSize);
  assert.equal(copy.ephemeralCount, 1);
  assert.equal(copy.sessionCount, 2);
  assert.equal(copy.lastZxid, kit.tree.lastZxid);
  for (const [path, node] of kit.tree.walk()) {
    assert.deepEqual(copy.find(path)?.snapshot(), node.snapshot(), path);
    assert.deepEqual(copy.find(path)?.acl, node.acl, path);
  }
});

test('restoreNode refuses a node without parent, a bad path and an owned root', () => {
  const source = storeWith(create('/a'), create('/e', { flags: CreateMode.ephemeral })).tree;
  const fields = source.find('/a');
  const owned = source.find('/e');
  assert.ok(fields && owned);
  const tree = new DataTree();
  for (const path of ['/x/y', 'a', '', '/a/', '/a//b']) {
    assert.equal(tree.restoreNode(path, fields), false, path);
  }
  assert.equal(tree.restoreNode('/', owned), false);
  assert.equal(tree.nodeCount, 4);
});

test('a deleted node gives its place to the next one, whose numbers start from zero', () => {
  const kit = storeWith(create('/a'), setData('/a', 'x'), remove('/a'), create('/b'));
  assert.deepEqual(statNumbers(statOf(kit.tree, '/b')), [6, 6, 6, 0, 0, 0, 0, 0]);
});

test('counts follow creations, changes and deletions', () => {
  const kit = storeWith(create('/abc', { data: bytes('12345') }));
  assert.equal(kit.tree.nodeCount, 5);
  assert.equal(kit.tree.approximateDataSize, 44 + 4 + 5);
  kit.run(setData('/abc', '1'));
  assert.equal(kit.tree.approximateDataSize, 44 + 4 + 1);
  kit.run(remove('/abc'));
  assert.equal(kit.tree.nodeCount, 4);
  assert.equal(kit.tree.approximateDataSize, 44);
});
