/** The first error that applies is part of the protocol: each test breaks several rules at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, OPEN_ACL, Perm } from '../../../src/base/acl.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { makeSessionId, SESSION_NONE } from '../../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../../src/base/op-code.ts';
import type { WriteRequest } from '../../../src/base/write-request.ts';
import { makesEphemeral } from '../../../src/store/create-flags.ts';
import { CONTAINER_OWNER, ttlOwner } from '../../../src/store/owner.ts';
import { TxnType } from '../../../src/store/txn.ts';
import {
  bytes,
  check,
  create,
  errorOf,
  kitWith,
  multi,
  multiErrors,
  remove,
  request,
  StoreKit,
  setAcl,
  setData,
} from '../../support/store-kit.ts';

const STRANGER = { sessionId: makeSessionId(99n) };
const BAD_ACL: readonly Acl[] = [{ perms: 31, scheme: 'nonsense', id: '' }];
const READ_ONLY: readonly Acl[] = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];
const BOB = { scheme: 'digest', id: 'bob:hash' };
const BOBS: readonly Acl[] = [{ perms: Perm.all, ...BOB }];

test('create checks the flags before the session', () => {
  const kit = new StoreKit();
  for (const flags of [-1, 7]) {
    const body = kit.prepare(create('/a', { flags }), STRANGER);
    assert.equal(errorOf(body), ErrorCode.badArguments);
  }
});

test('create with a time to live is unimplemented without extended types, before the ttl is looked at', () => {
  const kit = new StoreKit();
  for (const flags of [CreateMode.persistentTtl, CreateMode.persistentSequentialTtl]) {
    const asked = create('/a', { flags, op: OpCode.createTtl, durationMs: 0 });
    assert.equal(errorOf(kit.prepare(asked, STRANGER)), ErrorCode.unimplemented);
    const plain = create('/a', { flags });
    assert.equal(errorOf(kit.prepare(plain)), ErrorCode.unimplemented);
  }
});

test('createTtl needs a ttl flag and a ttl in range', () => {
  const kit = new StoreKit({ extendedTypes: true });
  const ask = (flags: number, durationMs: number): ErrorCode =>
    kit.run(create('/t', { op: OpCode.createTtl, flags, durationMs })).error;
  assert.equal(ask(CreateMode.persistent, -1), ErrorCode.badArguments);
  assert.equal(ask(CreateMode.persistent, 5), ErrorCode.badArguments);
  assert.equal(ask(CreateMode.persistentTtl, 0), ErrorCode.badArguments);
  assert.equal(ask(CreateMode.persistentTtl, -1), ErrorCode.badArguments);
  assert.equal(ask(CreateMode.persistentTtl, 0x100_0000_0000), ErrorCode.badArguments);
  assert.equal(ask(CreateMode.persistentTtl, 0xff_ffff_ffff), ErrorCode.ok);
  assert.equal(kit.tree.find('/t')?.storedOwner, ttlOwner(0xff_ffff_ffff));
  const plain = create('/u', { flags: CreateMode.persistentTtl });
  assert.equal(kit.run(plain).error, ErrorCode.badArguments);
});

test('create checks the session before the path', () => {
  const kit = new StoreKit();
  assert.equal(errorOf(kit.prepare(create('nope'), STRANGER)), ErrorCode.sessionExpired);
});

test('create checks for a parent path before the ACL', () => {
  const kit = new StoreKit();
  assert.deepEqual(kit.errors(create('nope', { acl: BAD_ACL }), create('/a\0', { acl: BAD_ACL })), [
    ErrorCode.badArguments,
    ErrorCode.badArguments,
  ]);
});

test('create checks the ACL before the parent', () => {
  const kit = new StoreKit();
  for (const acl of [BAD_ACL, [], null]) {
    assert.equal(kit.run(create('/no/x', { acl })).error, ErrorCode.invalidAcl);
  }
});

test('create looks for the parent as the text before the last slash', () => {
  const kit = kitWith(create('/p'));
  assert.deepEqual(kit.errors(create('/p//a'), create('/no/..'), create('a/b')), [
    ErrorCode.noNode,
    ErrorCode.noNode,
    ErrorCode.noNode,
  ]);
});

test('create checks the permission on the parent before the name', () => {
  const kit = kitWith(create('/p', { acl: READ_ONLY }));
  assert.equal(kit.run(create('/p/..')).error, ErrorCode.noAuth);
});

test('create checks the name before the existence', () => {
  const kit = kitWith(create('/p'));
  assert.deepEqual(kit.errors(create('/p/'), create('/p/.'), create('/p/\u0001')), [
    ErrorCode.badArguments,
    ErrorCode.badArguments,
    ErrorCode.badArguments,
  ]);
});

test('create of the root says that it exists', () => {
  assert.equal(new StoreKit().run(create('/')).error, ErrorCode.nodeExists);
});

test('create checks the existence before the parent being ephemeral', () => {
  const kit = kitWith(create('/e', { flags: CreateMode.ephemeral }));
  assert.equal(kit.run(create('/e/x')).error, ErrorCode.noChildrenForEphemerals);
  assert.equal(kit.run(create('/e')).error, ErrorCode.nodeExists);
});

test('create of a quota on the root is refused', () => {
  const kit = new StoreKit();
  const path = '/zookeeper/quota/zookeeper_limits';
  assert.equal(kit.run(create(path)).error, ErrorCode.badArguments);
});

test('a sequential name is the count of creations under the parent, whatever was deleted', () => {
  const kit = kitWith(create('/p'), create('/p/plain'));
  const sequential = { flags: CreateMode.persistentSequential };
  assert.equal(kit.run(create('/p/s-', sequential)).path, '/p/s-0000000001');
  kit.run(remove('/p/s-0000000001'));
  assert.equal(kit.run(create('/p/s-', sequential)).path, '/p/s-0000000002');
  assert.equal(kit.run(create('/p/', sequential)).path, '/p/0000000003');
  assert.equal(kit.run(create('/p/..', sequential)).path, '/p/..0000000004');
});

test('the first sequential node under a fresh root has number 0', () => {
  const kit = new StoreKit();
  const flags = CreateMode.ephemeralSequential;
  assert.equal(kit.run(create('/n-', { flags })).path, '/n-0000000000');
  assert.equal(kit.run(create('/', { flags })).path, '/0000000001');
});

test('sequence numbers end at 2147483647, where the counter sticks', () => {
  const kit = kitWith(create('/p'));
  kit.patch('/p', { creates: 0x7fffffff });
  const sequential = { flags: CreateMode.persistentSequential };
  const before = kit.tree.find('/p')?.pzxid;
  assert.equal(kit.run(create('/p/a', sequential)).path, '/p/a2147483647');
  assert.equal(kit.tree.find('/p')?.pzxid, before);
  assert.equal(kit.run(create('/p/a', sequential)).error, ErrorCode.nodeExists);
  assert.equal(kit.run(create('/p/b', sequential)).path, '/p/b2147483647');
  kit.prepare(create('/p/c', sequential));
  assert.equal(kit.run(create('/p/d', sequential)).path, '/p/d-2147483648');
});

test('the operation decides the kind of node, not the flags', () => {
  const kit = new StoreKit();
  kit.run(create('/plain', { flags: CreateMode.container }));
  assert.equal(kit.tree.find('/plain')?.storedOwner, SESSION_NONE);
  const container = { op: OpCode.createContainer };
  kit.run(create('/c', container));
  assert.equal(kit.tree.find('/c')?.storedOwner, CONTAINER_OWNER);
  const flags = CreateMode.persistentSequential;
  const result = kit.run(create('/c-', { ...container, flags }));
  assert.equal(result.path, '/c-0000000002');
  assert.equal(kit.tree.find('/c-0000000002')?.storedOwner, CONTAINER_OWNER);
});

test('in a multi the flags decide the kind of node as well', () => {
  const kit = new StoreKit();
  const result = kit.run(
    multi(
      create('/a', { flags: CreateMode.container }),
      create('/b', { op: OpCode.createContainer }),
      create('/c', { op: OpCode.createTtl, durationMs: 5 }),
      create('/d', { op: OpCode.create2 }),
    ),
  );
  assert.deepEqual(
    result.results.map((one) => one.type),
    [TxnType.createContainer, TxnType.createContainer, TxnType.create, TxnType.create2],
  );
  assert.equal(kit.tree.find('/c')?.storedOwner, SESSION_NONE);
});

test('delete checks the session first, then for a path it may touch at all', () => {
  const kit = new StoreKit();
  assert.equal(errorOf(kit.prepare(remove('/'), STRANGER)), ErrorCode.sessionExpired);
  for (const path of ['nope', '/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config', '/\0']) {
    assert.equal(kit.run(remove(path)).error, ErrorCode.badArguments, path);
  }
});

test('delete checks parent, permission, node, version and children in this order', () => {
  const kit = kitWith(
    create('/p'),
    create('/p/a'),
    create('/p/a/b'),
    create('/closed'),
    create('/closed/x'),
    setAcl('/closed', READ_ONLY),
  );
  assert.deepEqual(
    kit.errors(
      remove('/no/a'),
      remove('/closed/none'),
      remove('/p/none', 7),
      remove('/p/'),
      remove('/p/a', 7),
      remove('/p/a', -2),
      remove('/p/a', 0),
      remove('/p/a/b', 0),
    ),
    [
      ErrorCode.noNode,
      ErrorCode.noAuth,
      ErrorCode.noNode,
      ErrorCode.noNode,
      ErrorCode.badVersion,
      ErrorCode.badVersion,
      ErrorCode.notEmpty,
      ErrorCode.ok,
    ],
  );
});

test('delete needs no permission on the node itself', () => {
  const kit = kitWith(create('/a', { acl: [{ perms: 0, scheme: 'world', id: 'anyone' }] }));
  assert.equal(kit.run(remove('/a')).error, ErrorCode.ok);
});

test('setData checks session, path, node, permission and version in this order', () => {
  const kit = kitWith(create('/a'), create('/closed', { acl: READ_ONLY }));
  assert.equal(errorOf(kit.prepare(setData('x', ''), STRANGER)), ErrorCode.sessionExpired);
  assert.deepEqual(
    kit.errors(
      request(OpCode.setData),
      setData('/a/', ''),
      setData('/none', '', 3),
      setData('/closed', '', 3),
      setData('/a', '', 3),
      setData('/a', '', 0),
      setData('/', 'root'),
      setData('/zookeeper', 'x'),
    ),
    [
      ErrorCode.badArguments,
      ErrorCode.badArguments,
      ErrorCode.noNode,
      ErrorCode.noAuth,
      ErrorCode.badVersion,
      ErrorCode.ok,
      ErrorCode.ok,
      ErrorCode.ok,
    ],
  );
});

test('setAcl checks the ACL before existence, then permission and aversion', () => {
  const kit = kitWith(create('/a'), create('/closed', { acl: READ_ONLY }));
  assert.equal(errorOf(kit.prepare(setAcl('x', null), STRANGER)), ErrorCode.sessionExpired);
  assert.deepEqual(
    kit.errors(
      request(OpCode.setAcl),
      setAcl('a', BAD_ACL),
      setAcl('/none', BAD_ACL),
      setAcl('/none', OPEN_ACL),
      setAcl('/closed', OPEN_ACL, 4),
      setAcl('/a', OPEN_ACL, 4),
      setAcl('/a', OPEN_ACL, 0),
    ),
    [
      ErrorCode.badArguments,
      ErrorCode.badArguments,
      ErrorCode.invalidAcl,
      ErrorCode.noNode,
      ErrorCode.noAuth,
      ErrorCode.badVersion,
      ErrorCode.ok,
    ],
  );
});

test('check in a multi checks path, node, permission and version in this order', () => {
  const kit = kitWith(
    create('/a'),
    create('/closed', { acl: [{ perms: Perm.write, scheme: 'world', id: 'anyone' }] }),
  );
  assert.deepEqual(multiErrors(kit, check('a')), [ErrorCode.badArguments]);
  assert.deepEqual(multiErrors(kit, check('/none', 4)), [ErrorCode.noNode]);
  assert.deepEqual(multiErrors(kit, check('/closed', 4)), [ErrorCode.noAuth]);
  assert.deepEqual(multiErrors(kit, check('/a', 4)), [ErrorCode.badVersion]);
  assert.deepEqual(multiErrors(kit, check('/a', 0)), [ErrorCode.ok]);
});

test('check alone is unimplemented', () => {
  assert.equal(kitWith(create('/a')).run(check('/a')).error, ErrorCode.unimplemented);
});

test('versions wrap from the largest to the smallest and pass through -1', () => {
  const kit = kitWith(create('/a'));
  kit.patch('/a', { version: 0x7fffffff });
  assert.equal(kit.run(setData('/a', '', 0x7fffffff)).stat?.version, -0x80000000);
  kit.patch('/a', { version: -2 });
  assert.equal(kit.run(setData('/a', '', -2)).stat?.version, -1);
  assert.equal(kit.run(setData('/a', '')).stat?.version, 0);
});

test('deleteContainer is the leader’s own: it refuses clients, children and ephemerals', () => {
  const kit = kitWith(
    create('/c', { op: OpCode.createContainer }),
    create('/c/x'),
    create('/e', { flags: CreateMode.ephemeral }),
  );
  const sweep = (path: string): WriteRequest => request(OpCode.deleteContainer, { path });
  const leader = { sessionId: SESSION_NONE };
  assert.equal(kit.run(sweep('/c')).error, ErrorCode.unimplemented);
  assert.equal(kit.run(sweep('/'), leader).error, ErrorCode.badArguments);
  assert.equal(kit.run(sweep('/none'), leader).error, ErrorCode.noNode);
  assert.equal(kit.run(sweep('/c'), leader).error, ErrorCode.notEmpty);
  assert.equal(kit.run(sweep('/e'), leader).error, ErrorCode.badVersion);
  kit.run(remove('/c/x'));
  assert.equal(kit.run(sweep('/c'), leader).error, ErrorCode.ok);
  assert.equal(kit.tree.find('/c'), undefined);
});

test('an operation this server does not know is unimplemented', () => {
  assert.equal(new StoreKit().run(request(OpCode.sasl)).error, ErrorCode.unimplemented);
});

test('reconfig is refused as disabled, with a place in the order', () => {
  const kit = new StoreKit();
  assert.equal(kit.run(request(OpCode.reconfig)).error, ErrorCode.reconfigDisabled);
  assert.equal(kit.tree.lastZxid, kit.zxid);
});

test('permissions are those of the asker’s identities', () => {
  const kit = kitWith(create('/p'));
  assert.equal(kit.run(setAcl('/p', BOBS)).error, ErrorCode.ok);
  const bob = { identities: [{ scheme: 'ip', id: '1.2.3.4' }, BOB] };
  assert.equal(kit.run(create('/p/x')).error, ErrorCode.noAuth);
  assert.equal(kit.run(create('/p/x', { data: bytes('x') }), bob).error, ErrorCode.ok);
  assert.equal(kit.run(remove('/p/x')).error, ErrorCode.noAuth);
  assert.equal(kit.run(setData('/p', '')).error, ErrorCode.noAuth);
  const god = { identities: [{ scheme: 'super', id: '' }] };
  assert.equal(kit.run(remove('/p/x'), god).error, ErrorCode.ok);
  assert.equal(kit.run(remove('/zookeeper/config'), god).error, ErrorCode.badArguments);
});

test('scheme auth is replaced by the identities the asker has proved', () => {
  const kit = new StoreKit();
  const acl = [{ perms: Perm.all, scheme: 'auth', id: 'ignored' }];
  assert.equal(kit.run(create('/a', { acl })).error, ErrorCode.invalidAcl);
  assert.equal(kit.run(create('/a', { acl }), { identities: [BOB] }).error, ErrorCode.ok);
  assert.deepEqual(kit.tree.find('/a')?.acl, BOBS);
});

test('a session that its server alone knows may do everything but own a node', () => {
  const kit = kitWith(create('/a'));
  const local = { ...STRANGER, isLocal: true };
  for (const asked of [create('/b'), setData('/a', 'x'), setAcl('/a', OPEN_ACL), remove('/b')]) {
    assert.notEqual(kit.prepare(asked, local).type, TxnType.error);
    assert.equal(errorOf(kit.prepare(asked, STRANGER)), ErrorCode.sessionExpired);
  }
  for (const flags of [CreateMode.ephemeral, CreateMode.ephemeralSequential]) {
    const asked = create('/e', { flags });
    assert.equal(errorOf(kit.prepare(asked, local)), ErrorCode.ephemeralOnLocalSession);
    assert.equal(errorOf(kit.prepare(asked, STRANGER)), ErrorCode.sessionExpired);
    const both = kit.prepare(multi(check('/a'), asked), local);
    assert(both.type === TxnType.multi);
    assert.deepEqual(both.ops.map(errorOf), [ErrorCode.ok, ErrorCode.ephemeralOnLocalSession]);
  }
});

test('makesEphemeral() sees ephemeral creates of either kind, also in a multi', () => {
  for (const flags of [CreateMode.ephemeral, CreateMode.ephemeralSequential]) {
    assert.equal(makesEphemeral(create('/e', { flags })), true);
    assert.equal(makesEphemeral(multi(remove('/a'), create('/e', { flags }))), true);
  }
  assert.equal(makesEphemeral(create('/p')), false);
  assert.equal(makesEphemeral(create('/p', { flags: CreateMode.container })), false);
  assert.equal(makesEphemeral(multi(create('/p'), setData('/p', 'x'))), false);
});

test('scheme auth stands for no more than a million characters of identities in one request', () => {
  const kit = new StoreKit();
  const identities = [{ scheme: 'digest', id: `bob:${'h'.repeat(100_000)}` }];
  const perms = Array.from({ length: 11 }, (_, at) => at + 1);
  const acl = perms.map((each) => ({ perms: each, scheme: 'auth', id: '' }));
  assert.equal(kit.run(create('/many', { acl }), { identities }).error, ErrorCode.invalidAcl);
  assert.equal(kit.run(create('/some', { acl: acl.slice(1) }), { identities }).error, ErrorCode.ok);
  const members = perms.map((at) => create(`/${at}`, { acl: acl.slice(0, 1) }));
  const { results } = kit.run(multi(...members), { identities });
  assert.equal(results.at(-1)?.error, ErrorCode.invalidAcl);
  assert.equal(kit.tree.find('/1'), undefined);
});
