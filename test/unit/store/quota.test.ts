import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import type { WriteRequest } from '../../../src/base/write-request.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { formatQuota, parseQuota, type QuotaExcess } from '../../../src/store/quota.ts';
import {
  bytes,
  create,
  multi,
  remove,
  request,
  StoreKit,
  setData,
} from '../../support/store-kit.ts';

const STATS = '/zookeeper/quota/q/zookeeper_stats';
const LIMITS = '/zookeeper/quota/q/zookeeper_limits';
const { ok, quotaExceeded } = ErrorCode;
const ignore = (): void => undefined;

function text(kit: StoreKit, path: string): string | null | undefined {
  return kit.tree.find(path)?.dataText;
}

/** A server that enforces quotas, with `/q` (5 bytes), the limits given, and stats. */
function limited(limits: string): StoreKit {
  const kit = new StoreKit({ enforceQuota: true });
  const errors = kit.errors(
    create('/q', { data: bytes('12345') }),
    create('/zookeeper/quota/q'),
    create(LIMITS, { data: bytes(limits) }),
    create(STATS, { data: bytes('count=0,bytes=0') }),
  );
  assert.deepEqual(errors, [ok, ok, ok, ok]);
  return kit;
}

test('stats are measured when their node is created, the top of the subtree included', () => {
  const kit = new StoreKit();
  kit.run(create('/q', { data: bytes('12345') }));
  kit.run(create('/q/a', { data: bytes('123') }));
  kit.run(create('/zookeeper/quota/q'));
  kit.run(create(STATS, { data: bytes('anything') }));
  assert.equal(text(kit, STATS), 'count=2,bytes=8');
});

test('stats follow every create, delete and setData in the subtree, and leave their Stat alone', () => {
  const kit = limited('count=-1,bytes=-1');
  const before = kit.tree.find(STATS)?.snapshot();
  kit.run(create('/q/a', { data: bytes('xx') }));
  assert.equal(text(kit, STATS), 'count=2,bytes=7');
  kit.run(create('/q/a/b'));
  assert.equal(text(kit, STATS), 'count=3,bytes=7');
  kit.run(setData('/q/a', 'xxxx'));
  assert.equal(text(kit, STATS), 'count=3,bytes=9');
  kit.run(remove('/q/a/b'));
  kit.run(remove('/q/a'));
  assert.equal(text(kit, STATS), 'count=1,bytes=5');
  assert.deepEqual(kit.tree.find(STATS)?.snapshot(), before);
});

test('stats follow members of a multi and the ephemeral nodes of a closing session', () => {
  const kit = limited('count=-1,bytes=-1');
  const ephemeral = create('/q/e', { flags: 1, data: bytes('e') });
  kit.run(multi(create('/q/a'), setData('/q', '1'), ephemeral));
  assert.equal(text(kit, STATS), 'count=3,bytes=2');
  kit.run(request(OpCode.closeSession));
  assert.equal(text(kit, STATS), 'count=2,bytes=1');
});

test('without limits stats stay as they are', () => {
  const kit = limited('count=-1,bytes=-1');
  kit.run(remove(LIMITS));
  kit.run(create('/q/a'));
  assert.equal(text(kit, STATS), 'count=1,bytes=5');
});

test('only the deepest of several quotas counts a change', () => {
  const kit = limited('count=-1,bytes=-1');
  const inner = '/zookeeper/quota/q/in';
  kit.errors(
    create('/q/in'),
    create(inner),
    create(`${inner}/zookeeper_limits`, { data: bytes('count=9') }),
    create(`${inner}/zookeeper_stats`),
    create('/q/in/x', { data: bytes('abc') }),
  );
  assert.equal(text(kit, `${inner}/zookeeper_stats`), 'count=2,bytes=3');
  assert.equal(text(kit, STATS), 'count=2,bytes=5');
});

test('stats that a client made unreadable are measured anew with the next change', () => {
  const kit = limited('count=-1,bytes=-1');
  kit.run(setData(STATS, 'count=many'));
  assert.equal(text(kit, STATS), 'count=many');
  kit.run(create('/q/a', { data: bytes('xx') }));
  assert.equal(text(kit, STATS), 'count=2,bytes=7');
});

test('bookkeeping fires no watch and is not part of the digest', () => {
  const kit = limited('count=-1,bytes=-1');
  const seen: string[] = [];
  const note = (path: string): void => void seen.push(path);
  kit.tree.listener = {
    created: note,
    deleted: note,
    dataChanged: note,
    childrenChanged: note,
  };
  kit.run(create('/q/a'));
  assert.deepEqual(seen, ['/q/a', '/q']);
  assert.equal(kit.tree.find(STATS)?.digest, 0);
});

test('a hard limit of nodes refuses the create beyond it', () => {
  const kit = limited('count=-1,bytes=-1=;countHardLimit=2');
  assert.deepEqual(kit.errors(create('/q/a'), create('/q/b')), [ok, quotaExceeded]);
  assert.deepEqual(kit.errors(remove('/q/a'), create('/q/b')), [ok, ok]);
});

test('a hard limit of bytes refuses create and setData beyond it, shrinking above it too', () => {
  const kit = limited('count=-1,bytes=-1=;byteHardLimit=8');
  assert.deepEqual(kit.errors(create('/q/a', { data: bytes('1234') })), [quotaExceeded]);
  assert.deepEqual(kit.errors(create('/q/a', { data: bytes('123') })), [ok]);
  assert.deepEqual(kit.errors(setData('/q/a', '1234')), [quotaExceeded]);
  kit.run(setData(LIMITS, 'count=-1,bytes=-1=;byteHardLimit=2'));
  assert.deepEqual(kit.errors(setData('/q/a', '12')), [quotaExceeded]);
  assert.deepEqual(kit.errors(setData('/q/a', '321')), [ok]);
});

test('every kind of create counts, delete and setACL never do', () => {
  const kit = limited('count=-1,bytes=-1=;countHardLimit=1');
  for (const op of [OpCode.create, OpCode.create2, OpCode.createContainer]) {
    assert.equal(kit.run({ ...create('/q/a'), op }).error, quotaExceeded);
  }
  const acl = create('/q').acl;
  assert.equal(kit.run(request(OpCode.setAcl, { path: '/q', acl })).error, ok);
  assert.equal(kit.run(remove('/q')).error, ok);
});

test('soft limits refuse nothing', () => {
  const kit = limited('count=1,bytes=1');
  assert.deepEqual(kit.errors(create('/q/a', { data: bytes('xyz') })), [ok]);
});

test('without enforceQuota hard limits refuse nothing', () => {
  const kit = new StoreKit();
  kit.errors(
    create('/q'),
    create('/zookeeper/quota/q'),
    create(LIMITS, { data: bytes('countHardLimit=1') }),
    create(STATS),
  );
  assert.deepEqual(kit.errors(create('/q/a')), [ok]);
});

test('a quota is judged behind existence and before the version', () => {
  const kit = limited('countHardLimit=1=;byteHardLimit=5');
  assert.deepEqual(kit.errors(create('/q')), [ErrorCode.nodeExists]);
  assert.deepEqual(kit.errors(setData('/q', '123456', 99)), [quotaExceeded]);
  assert.deepEqual(kit.errors(setData('/q', '54321', 99)), [ErrorCode.badVersion]);
});

test('limits that nobody can read are a marshalling error', () => {
  const kit = limited('count=many');
  assert.deepEqual(kit.errors(create('/q/a')), [ErrorCode.marshallingError]);
});

test('usage is what is applied, not what earlier members of a multi will make of it', () => {
  const kit = limited('count=-1,bytes=-1=;countHardLimit=2');
  kit.run(create('/q/a'));
  const results = kit.run(multi(remove('/q/a'), create('/q/b'))).results;
  assert.deepEqual(
    results.map(({ error }) => error),
    [ok, quotaExceeded],
  );
});

test('the bytes of a pending setData count for the difference of the next one', () => {
  const kit = limited('count=-1,bytes=-1=;byteHardLimit=10');
  const body = kit.prepare(setData('/q', '1234567890'));
  assert.equal(body.type, OpCode.setData);
  assert.equal(kit.prepare(setData('/q', '0987654321')).type, OpCode.setData);
});

test('a tree loaded from a checkpoint knows its quotas', () => {
  const kit = limited('count=-1,bytes=-1=;countHardLimit=2');
  const copy = new DataTree();
  for (const [path, node] of kit.tree.walk()) {
    const { data, acl, czxid, mzxid, pzxid, ctimeMs, mtimeMs } = node;
    const { version, creates, aversion, storedOwner } = node;
    const numbers = { czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion };
    assert.equal(copy.restoreNode(path, { data, acl, storedOwner, ...numbers }), true);
  }
  assert.equal(copy.find(STATS)?.dataText, 'count=1,bytes=5');
  assert.equal(copy.quotas.check('/q/a', 0, 1, ignore), ok);
  assert.equal(copy.quotas.check('/q/a', 0, 2, ignore), quotaExceeded);
});

test('a quota of the root is refused', () => {
  const kit = new StoreKit();
  const path = '/zookeeper/quota/zookeeper_limits';
  assert.deepEqual(kit.errors(create(path)), [ErrorCode.badArguments]);
  assert.deepEqual(kit.errors(create('/zookeeper/quota/zookeeper_stats')), [ok]);
});

test('parseQuota reads both forms in any order', () => {
  const expected = { count: 3, bytes: -1, countHardLimit: 5 };
  for (const form of [
    'count=3,bytes=-1=;countHardLimit=5',
    'countHardLimit=5;count=+3,bytes==9',
    'bytes=-1,count=3=9;;countHardLimit=5,',
  ]) {
    assert.deepEqual(Object.fromEntries(parseQuota(form) ?? []), { ...expected }, form);
  }
  assert.equal(parseQuota('')?.size, 0);
});

test('parseQuota refuses what the original cannot read either', () => {
  for (const form of ['count=x', 'count', 'count=', 'count=,bytes=3', ',count=1', '=;count=1']) {
    assert.equal(parseQuota(form), undefined, form);
  }
});

test('formatQuota writes count and bytes first and the stray equals sign before hard limits', () => {
  assert.equal(formatQuota(new Map([['bytes', 2]])), 'count=-1,bytes=2');
  const hard = new Map([
    ['countHardLimit', 4],
    ['byteHardLimit', 3],
    ['count', 1],
  ]);
  assert.equal(formatQuota(hard), 'count=1,bytes=-1=;byteHardLimit=3;countHardLimit=4');
});

/** Reports of the changes made to a tree with the limits, in which `/q` has 5 bytes. */
function reported(limits: string, isEnforced: boolean, ...changes: WriteRequest[]): QuotaExcess[] {
  const reports: QuotaExcess[] = [];
  const quotaExceeded = (excess: QuotaExcess): number => reports.push(excess);
  const kit = new StoreKit({ enforceQuota: isEnforced, quotaExceeded });
  kit.run(create('/q', { data: bytes('12345') }));
  kit.run(create('/zookeeper/quota/q'));
  kit.run(create(LIMITS, { data: bytes(limits) }));
  kit.run(create(STATS, { data: bytes('') }));
  for (const change of changes) kit.run(change);
  return reports;
}

test('a change beyond soft limits is reported for nodes and for bytes', () => {
  const change = create('/q/a', { data: bytes('xx') });
  for (const isEnforced of [true, false]) {
    assert.deepEqual(reported('count=1,bytes=6', isEnforced, change), [
      { path: '/q', what: 'count', isHard: false, usage: 2, limit: 1 },
      { path: '/q', what: 'bytes', isHard: false, usage: 7, limit: 6 },
    ]);
  }
});

test('a hard limit silences the soft one of its kind, and what it refuses is reported once', () => {
  const limits = 'count=1,bytes=6=;byteHardLimit=6;countHardLimit=1';
  const change = create('/q/a', { data: bytes('xx') });
  const excess = { path: '/q', what: 'count', isHard: true, usage: 2, limit: 1 };
  assert.deepEqual(reported(limits, true, change), [excess]);
  assert.deepEqual(reported('count=1,bytes=6=;countHardLimit=9', true, setData('/q', '1234')), []);
});

test('without enforceQuota a change beyond a hard limit is reported and done', () => {
  const reports = reported('count=-1,bytes=-1=;byteHardLimit=6', false, setData('/q', '1234567'));
  assert.deepEqual(reports, [{ path: '/q', what: 'bytes', isHard: true, usage: 7, limit: 6 }]);
});

test('namespaces() adds up the quotas below each node of the top level', () => {
  const kit = new StoreKit();
  for (const path of ['/q', '/q/a', '/q/b', '/r']) {
    kit.run(create(path, { data: bytes('12') }));
    kit.run(create(`/zookeeper/quota${path}`));
  }
  const quota = (path: string, limits: string): void => {
    kit.run(create(`/zookeeper/quota${path}/zookeeper_limits`, { data: bytes(limits) }));
    kit.run(create(`/zookeeper/quota${path}/zookeeper_stats`, { data: bytes('') }));
  };
  quota('/q/a', 'count=5,bytes=100=;countHardLimit=7');
  quota('/q/b', 'count=3,bytes=-1');
  quota('/r', 'count=-1,bytes=-1');
  assert.deepEqual(
    [...kit.tree.quotas.namespaces()],
    [
      ['q', { countLimit: 10, bytesLimit: 100, count: 2, bytes: 4 }],
      ['r', { countLimit: -1, bytesLimit: -1, count: 1, bytes: 2 }],
    ],
  );
});
