import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DumpedItem, DumpedTxn } from '../../../src/apache/dump-source.ts';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import { itemJson, itemLine, txnJson, txnLine } from '../../../src/cli/dump-text.ts';
import { type TxnBody, TxnType } from '../../../src/store/txn.ts';

const SESSION = makeSessionId(0x100000000000001n);

function txn(body: TxnBody): DumpedTxn {
  const head = { sessionId: SESSION, cxid: 7, timeMs: 0, origin: SERVER_NONE, requestId: 0 };
  return {
    zxid: 0x100000002 as Zxid,
    txn: { ...head, body },
    digest: 255n,
    file: 'log.1',
    offset: 16,
  };
}

function shown(body: TxnBody): string {
  return txnLine(txn(body)).trimEnd().split('  ').slice(4).join('  ');
}

function node(data: Uint8Array | null): DumpedItem {
  const zxid = 5 as Zxid;
  const numbers = { ctimeMs: 1, mtimeMs: 2, version: 3, creates: 4, aversion: 5 };
  const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
  const fields = { data, acl: OPEN_ACL, storedOwner: SESSION, ...numbers, ...zxids };
  return { kind: 'node', path: '/a', acl: OPEN_ACL, fields, numChildren: 1 };
}

test('txnLine() says when, who and what', () => {
  const line = txnLine(txn({ type: TxnType.delete, path: '/a' }));
  assert.equal(
    line,
    '0x100000002  1970-01-01T00:00:00.000Z  session 0x100000000000001  cxid 7  delete /a\n',
  );
});

test('txnLine() shows every kind of transaction', () => {
  const created = {
    type: TxnType.create,
    path: '/a',
    data: Buffer.from('hi'),
    acl: OPEN_ACL,
    ephemeralOwner: SESSION,
    parentCversion: 1,
  } as const;
  const owner = 'owner 0x100000000000001';
  assert.equal(shown(created), `create /a  "hi"  acl world:anyone:cdrwa  ${owner}`);
  assert.equal(
    shown({ type: TxnType.setData, path: '/a', data: null, version: 2 }),
    'setData /a  null  version 2',
  );
  assert.equal(
    shown({ type: TxnType.setAcl, path: '/a', acl: OPEN_ACL, version: 2 }),
    'setACL /a  world:anyone:cdrwa  version 2',
  );
  assert.equal(
    shown({ type: TxnType.createSession, timeoutMs: 4000 }),
    'createSession timeout 4000 ms',
  );
  assert.equal(shown({ type: TxnType.closeSession, paths: ['/a', '/b'] }), 'closeSession /a /b');
  const ops = [
    { type: TxnType.check, path: '/a' } as const,
    { type: TxnType.error, error: -101 } as const,
  ];
  assert.equal(shown({ type: TxnType.multi, ops }), 'multi [check /a; error -101]');
});

test('txnJson() is one line with everything in it', () => {
  const record = JSON.parse(
    txnJson(txn({ type: TxnType.setData, path: '/a', data: Uint8Array.of(255), version: 2 })),
  );
  assert.deepEqual(record, {
    zxid: '0x100000002',
    session: '0x100000000000001',
    cxid: 7,
    time: 0,
    type: 'setData',
    path: '/a',
    data: '/w==',
    version: 2,
    digest: 'ff',
    file: 'log.1',
    offset: 16,
  });
});

test('itemLine() shows text as text, bytes as hex, and cuts what is long', () => {
  const dataShown = (data: Uint8Array | null): string | undefined =>
    itemLine(node(data)).split('  ')[1];
  assert.equal(dataShown(null), 'null');
  assert.equal(dataShown(Buffer.from('ä"')), '"ä\\""');
  assert.equal(dataShown(Uint8Array.of(0, 255)), '0x00ff');
  assert.equal(dataShown(Buffer.from('x'.repeat(100))), `"${'x'.repeat(60)}"... (100 bytes)`);
});

test('itemJson() gives the numbers as stored and as a client sees them', () => {
  assert.deepEqual(JSON.parse(itemJson(node(null))), {
    path: '/a',
    data: null,
    acl: [{ perms: 31, scheme: 'world', id: 'anyone' }],
    czxid: '0x5',
    mzxid: '0x5',
    pzxid: '0x5',
    ctime: 1,
    mtime: 2,
    version: 3,
    aversion: 5,
    storedCversion: 4,
    storedOwner: '0x100000000000001',
    cversion: 7,
    numChildren: 1,
  });
  const session: DumpedItem = { kind: 'session', sessionId: SESSION_NONE, timeoutMs: 10 };
  assert.deepEqual(JSON.parse(itemJson(session)), { session: '0x0', timeout: 10 });
});
