/** Requests prepared before earlier ones are applied: pending changes, multi, sessions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, OPEN_ACL, Perm } from '../../../src/base/acl.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { makeSessionId } from '../../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../../src/base/op-code.ts';
import { TxnType } from '../../../src/store/txn.ts';
import {
  check,
  create,
  errorOf,
  kitWith,
  multi,
  multiErrors,
  OTHER_SESSION,
  remove,
  request,
  StoreKit,
  setAcl,
  setData,
} from '../../support/store-kit.ts';

const READ_ONLY: readonly Acl[] = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];

test('a request is validated against what is pending', () => {
  const kit = new StoreKit();
  assert.equal(errorOf(kit.prepare(create('/a'))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(create('/a'))), ErrorCode.nodeExists);
  assert.equal(errorOf(kit.prepare(create('/a/b'))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(remove('/a'))), ErrorCode.notEmpty);
  assert.equal(errorOf(kit.prepare(remove('/a/b'))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(setData('/a', 'x', 0))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(setData('/a', 'x', 0))), ErrorCode.badVersion);
  assert.equal(errorOf(kit.prepare(setAcl('/a', READ_ONLY))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(setData('/a', 'x', 1))), ErrorCode.noAuth);
  assert.equal(errorOf(kit.prepare(remove('/a', 1))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(setData('/a', 'x'))), ErrorCode.noNode);
});

test('pending records leave as their transactions are applied', () => {
  const kit = new StoreKit();
  kit.prepare(create('/a'));
  kit.prepare(create('/b'));
  kit.prepare(setData('/a', 'x'));
  assert.equal(kit.preparer.pendingCount, 3);
  kit.applyNext();
  assert.equal(kit.preparer.pendingCount, 3);
  kit.applyNext();
  assert.equal(kit.preparer.pendingCount, 1);
  kit.applyNext();
  assert.equal(kit.preparer.pendingCount, 0);
});

test('reset forgets what was pending', () => {
  const kit = new StoreKit();
  kit.prepare(create('/a'));
  kit.preparer.reset();
  assert.equal(kit.preparer.pendingCount, 0);
  assert.equal(errorOf(kit.prepare(setData('/a', ''))), ErrorCode.noNode);
});

test('members of a multi see the earlier ones', () => {
  const kit = new StoreKit();
  const ops = [create('/a'), create('/a/b'), remove('/a/b'), remove('/a')];
  assert.deepEqual(multiErrors(kit, ...ops), [0, 0, 0, 0]);
  assert.equal(kit.tree.find('/a'), undefined);
  assert.deepEqual(
    multiErrors(kit, create('/v'), setData('/v', 'x', 0), setData('/v', 'y', 1), check('/v', 2)),
    [0, 0, 0, 0],
  );
  const sequential = { flags: CreateMode.persistentSequential };
  const result = kit.run(multi(create('/s', sequential), create('/s', sequential)));
  assert.deepEqual(
    result.results.map((one) => one.path),
    ['/s0000000002', '/s0000000003'],
  );
});

test('ACLs of nodes created earlier in a multi are enforced', () => {
  const kit = new StoreKit();
  assert.deepEqual(multiErrors(kit, create('/a', { acl: READ_ONLY }), create('/a/b')), [
    ErrorCode.ok,
    ErrorCode.noAuth,
  ]);
});

test('a failed multi is undone: nodes, versions, parents and sequence numbers', () => {
  const kit = kitWith(create('/p'), create('/p/x'));
  const sequential = { flags: CreateMode.ephemeralSequential };
  const ops = [
    create('/p/s', sequential),
    setData('/p', 'new'),
    remove('/p/x'),
    create('/q'),
    remove('/none'),
    create('/r'),
  ];
  kit.prepare(create('/p/pending', sequential));
  const pending = kit.preparer.pendingCount;
  kit.prepare(multi(...ops));
  assert.equal(kit.preparer.pendingCount, pending);
  assert.equal(errorOf(kit.prepare(setData('/p', 'y', 0))), ErrorCode.ok);
  assert.equal(errorOf(kit.prepare(setData('/q', ''))), ErrorCode.noNode);
  assert.equal(errorOf(kit.prepare(remove('/p/x'))), ErrorCode.ok);
  assert.equal(kit.run(create('/p/s', sequential)).path, '/p/s0000000002');
  const closing = kit.prepare(request(OpCode.closeSession));
  assert.deepEqual(closing.type === TxnType.closeSession && closing.paths, [
    '/p/pending0000000001',
    '/p/s0000000002',
  ]);
});

test('a failed multi is 0 before the failing member, its error, and -2 after it', () => {
  const kit = new StoreKit();
  assert.deepEqual(multiErrors(kit, create('/a'), create('/a'), create('/b'), create('/c')), [
    ErrorCode.ok,
    ErrorCode.nodeExists,
    ErrorCode.runtimeInconsistency,
    ErrorCode.runtimeInconsistency,
  ]);
});

test('an empty multi succeeds', () => {
  const result = new StoreKit().run(multi());
  assert.equal(result.type, TxnType.multi);
  assert.deepEqual(result.results, []);
});

test('a session may write while its creation is pending, and no more once its closing is', () => {
  const kit = new StoreKit();
  const asker = { sessionId: makeSessionId(77n) };
  kit.prepare(request(OpCode.createSession, { durationMs: 4000 }), asker);
  assert.equal(errorOf(kit.prepare(create('/a'), asker)), ErrorCode.ok);
  kit.prepare(request(OpCode.closeSession), asker);
  for (const asked of [create('/b'), remove('/a'), setData('/a', ''), setAcl('/a', OPEN_ACL)]) {
    assert.equal(errorOf(kit.prepare(asked, asker)), ErrorCode.sessionExpired);
  }
  assert.equal(kit.run(create('/c'), asker).error, ErrorCode.sessionExpired);
  assert.equal(kit.tree.sessions.has(asker.sessionId), false);
  assert.equal(kit.run(create('/d'), asker).error, ErrorCode.sessionExpired);
});

test('closeSession takes along applied ephemerals without pending deletes, and pending ones', () => {
  const kit = new StoreKit();
  const ephemeral = { flags: CreateMode.ephemeral };
  for (const path of ['/a', '/b', '/c']) kit.run(create(path, ephemeral));
  kit.run(create('/other', ephemeral), { sessionId: OTHER_SESSION });
  kit.prepare(remove('/b'));
  kit.prepare(create('/d', ephemeral));
  kit.prepare(create('/gone', ephemeral));
  kit.prepare(remove('/gone'));
  kit.prepare(remove('/c'));
  kit.prepare(create('/c', ephemeral), { sessionId: OTHER_SESSION });
  const body = kit.prepare(request(OpCode.closeSession));
  assert.deepEqual(body, { type: TxnType.closeSession, paths: ['/a', '/d'] });
  assert.equal(errorOf(kit.prepare(create('/a'), { sessionId: OTHER_SESSION })), ErrorCode.ok);
  kit.run(create('/end'), { sessionId: OTHER_SESSION });
  assert.deepEqual(
    [...kit.tree.ephemerals.of(OTHER_SESSION)].map((node) => node.path),
    ['/other', '/c'],
  );
  assert.equal(kit.tree.ephemeralCount, 2);
});

test('closeSession lists a node once, though it is applied and has pending changes too', () => {
  const kit = new StoreKit();
  kit.run(create('/a', { flags: CreateMode.ephemeral }));
  kit.prepare(setData('/a', 'pending'));
  const body = kit.prepare(request(OpCode.closeSession));
  assert.deepEqual(body, { type: TxnType.closeSession, paths: ['/a'] });
});

test('closeSession lists of many long paths only the first, and takes all nodes along', () => {
  const kit = new StoreKit();
  const paths = Array.from({ length: 30 }, (_, at) => `/${at}-${'x'.repeat(100_000)}`);
  for (const path of paths) kit.prepare(create(path, { flags: CreateMode.ephemeral }));
  const last = paths.at(-1) ?? '';
  const body = kit.prepare(request(OpCode.closeSession));
  assert.equal(body.type, TxnType.closeSession);
  assert.deepEqual(body.type === TxnType.closeSession && body.paths, paths.slice(0, 10));
  assert.equal(errorOf(kit.prepare(remove(last), { sessionId: OTHER_SESSION })), ErrorCode.noNode);
  kit.run(create('/end'), { sessionId: OTHER_SESSION });
  assert.equal(kit.tree.ephemeralCount, 0);
  assert.equal(kit.tree.find(last), undefined);
});
