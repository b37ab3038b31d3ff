/** Transactions as the original logs them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTxnRecord, encodeTxnRecord } from '../../../src/apache/txn-record.ts';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import { CONTAINER_OWNER, ttlOwner } from '../../../src/store/owner.ts';
import { type TxnBody, TxnType } from '../../../src/store/txn.ts';

const SESSION = makeSessionId(0x0123456789abcdefn);
/** Session, cxid 5, zxid 0x100000002, time 1000; the type follows. */
const HEADER = '0123456789abcdef' + '00000005' + '0000000100000002' + '00000000000003e8';

function body(hex: string): TxnBody {
  const record = decodeTxnRecord(Buffer.from((HEADER + hex).replaceAll(' ', ''), 'hex'));
  assert.ok(typeof record === 'object', String(record));
  return record.txn.body;
}

function problem(hex: string): string {
  const record = decodeTxnRecord(Buffer.from((HEADER + hex).replaceAll(' ', ''), 'hex'));
  assert.ok(typeof record === 'string');
  return record;
}

function roundTrip(given: TxnBody): TxnBody {
  const txn = { sessionId: SESSION, cxid: 5, timeMs: 1000, origin: SERVER_NONE, requestId: 0 };
  const zxid = 0x100000002 as Zxid;
  const bytes = encodeTxnRecord({ zxid, txn: { ...txn, body: given }, digest: 7n });
  const record = decodeTxnRecord(bytes);
  assert.ok(typeof record === 'object', String(record));
  assert.equal(record.zxid, zxid);
  assert.equal(record.digest, 7n);
  return record.txn.body;
}

const PATH_A = '00000002 2f61';

test('decodeTxnRecord() reads header, body and digest', () => {
  const hex = `${HEADER} fffffff6 00003a98 00000002 ffffffffffffffff`;
  const record = decodeTxnRecord(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  assert.deepEqual(record, {
    zxid: 0x100000002,
    txn: {
      sessionId: SESSION,
      cxid: 5,
      timeMs: 1000,
      origin: 0,
      requestId: 0,
      body: { type: TxnType.createSession, timeoutMs: 15000 },
    },
    digest: 0xffff_ffff_ffff_ffffn,
  });
});

test('decodeTxnRecord() reads a create of the oldest form, which does not count its siblings', () => {
  assert.deepEqual(body(`00000001 ${PATH_A} ffffffff 00000000 01`), {
    type: TxnType.create,
    path: '/a',
    data: null,
    acl: [],
    ephemeralOwner: SESSION,
    parentCversion: -1,
  });
});

test('decodeTxnRecord() reads a closing with paths, without, and without but with a digest', () => {
  assert.deepEqual(body(`fffffff5 00000001 ${PATH_A}`), {
    type: TxnType.closeSession,
    paths: ['/a'],
  });
  assert.deepEqual(body('fffffff5'), { type: TxnType.closeSession, paths: [] });
  assert.deepEqual(body('fffffff5 00000002 0000000000000007'), {
    type: TxnType.closeSession,
    paths: [],
  });
});

test('decodeTxnRecord() reads a reconfiguration as a write of the node that shows it', () => {
  assert.deepEqual(body(`00000010 ${PATH_A} ffffffff ffffffff`), {
    type: TxnType.setData,
    path: '/a',
    data: null,
    version: -1,
  });
});

test('decodeTxnRecord() reads a failed multi whose members still carry what they were to be', () => {
  const failed = '00000001 ffffffff 00000010 00000002 2f61 ffffffff 00000000 0000';
  assert.deepEqual(body(`0000000e ${failed}`), {
    type: TxnType.multi,
    ops: [{ type: TxnType.error, error: ErrorCode.ok }],
  });
});

test('decodeTxnRecord() takes an error code it does not know for a failure all the same', () => {
  assert.deepEqual(body('ffffffff fffffc18'), {
    type: TxnType.error,
    error: ErrorCode.systemError,
  });
});

test('decodeTxnRecord() says what is wrong', () => {
  assert.match(problem('00000063'), /type 99 is not known/);
  assert.match(problem('0000000e 00000001 0000000e 00000000'), /type 14, which no multi holds/);
  assert.match(problem('0000000e 00000001 00000002 00000001 00'), /member of its multi/);
  assert.match(problem(`00000002 ${PATH_A} 00`), /not that of type 2/);
  assert.match(problem('00000002 00000001 61'), /not that of type 2/);
  assert.match(
    problem(`00000015 ${PATH_A} ffffffff 00000000 00000001 0000000000000000`),
    /time to live/,
  );
  assert.equal(decodeTxnRecord(new Uint8Array(31)), 'its header is not that of a transaction');
});

const BODIES: readonly TxnBody[] = [
  {
    type: TxnType.create2,
    path: '/a',
    data: Buffer.of(1, 2),
    acl: OPEN_ACL,
    ephemeralOwner: SESSION,
    parentCversion: 3,
  },
  {
    type: TxnType.createContainer,
    path: '/c',
    data: null,
    acl: OPEN_ACL,
    ephemeralOwner: CONTAINER_OWNER,
    parentCversion: 3,
  },
  {
    type: TxnType.createTtl,
    path: '/t',
    data: null,
    acl: [],
    ephemeralOwner: ttlOwner(5000),
    parentCversion: 3,
  },
  { type: TxnType.delete, path: '/a' },
  { type: TxnType.deleteContainer, path: '/c' },
  { type: TxnType.setData, path: '/a', data: null, version: 9 },
  { type: TxnType.setAcl, path: '/a', acl: [{ perms: 1, scheme: 'ip', id: '::1' }], version: 2 },
  { type: TxnType.createSession, timeoutMs: 4000 },
  { type: TxnType.closeSession, paths: [] },
  { type: TxnType.closeSession, paths: ['/a', '/b'] },
  { type: TxnType.error, error: ErrorCode.noNode },
  {
    type: TxnType.multi,
    ops: [
      { type: TxnType.check, path: '/a' },
      { type: TxnType.setData, path: '/a', data: Buffer.alloc(0), version: 1 },
      {
        type: TxnType.create,
        path: '/b',
        data: null,
        acl: OPEN_ACL,
        ephemeralOwner: SESSION_NONE,
        parentCversion: 1,
      },
    ],
  },
  {
    type: TxnType.multi,
    ops: [
      { type: TxnType.error, error: ErrorCode.ok },
      { type: TxnType.error, error: ErrorCode.badVersion },
    ],
  },
];

for (const given of BODIES) {
  test(`encodeTxnRecord() writes what is read back: ${JSON.stringify(given.type)}`, () => {
    assert.deepEqual(roundTrip(given), given);
  });
}
