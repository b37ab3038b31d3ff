import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { pack } from 'msgpackr';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { makeServerId, makeSessionId, SESSION_NONE } from '../../../src/base/ids.ts';
import { type Txn, type TxnBody, TxnType } from '../../../src/store/txn.ts';
import {
  decodeTxn,
  encodeDetaching,
  encodeTxn,
  TxnDecodeError,
} from '../../../src/store/txn-codec.ts';

const SAMPLE = txn({
  type: TxnType.setData,
  path: '/app/config',
  data: Buffer.from('some data'),
  version: 3,
});

function txn(body: TxnBody): Txn {
  return {
    sessionId: makeSessionId(-0x7f00000000000001n),
    cxid: -4,
    timeMs: 1_795_224_692_902,
    origin: makeServerId(255),
    requestId: 0x1_0000_0001,
    body,
  };
}

/** A well-formed envelope around any value, with the right checksum. */
function envelope(value: unknown): Uint8Array {
  const packed = pack(value);
  const bytes = Buffer.alloc(5 + packed.length);
  bytes[0] = 1;
  bytes.writeUInt32BE(crc32(packed), 1);
  bytes.set(packed, 5);
  return bytes;
}

function damageOf(bytes: Uint8Array): string | undefined {
  const decoded = decodeTxn(bytes);
  return decoded instanceof TxnDecodeError ? decoded.damage : undefined;
}

function header(...body: unknown[]): unknown[] {
  return [5n, 1, 2, 3, 4, ...body];
}

const CREATE = {
  type: TxnType.create2,
  path: '/ä/日本',
  data: Buffer.from([0, 255]),
  acl: [{ perms: -1, scheme: 'digest', id: 'a:b' }],
  ephemeralOwner: makeSessionId(0x8000000000000000n),
  parentCversion: -0x80000000,
};

const EVERY_BODY: readonly TxnBody[] = [
  CREATE,
  { ...CREATE, type: TxnType.create, data: null, acl: OPEN_ACL, ephemeralOwner: SESSION_NONE },
  { ...CREATE, type: TxnType.createContainer, data: Buffer.alloc(0), acl: [] },
  { ...CREATE, type: TxnType.createTtl },
  { type: TxnType.delete, path: '/a' },
  { type: TxnType.deleteContainer, path: '/a' },
  SAMPLE.body,
  { type: TxnType.setAcl, path: '/a', acl: OPEN_ACL, version: 1 },
  { type: TxnType.createSession, timeoutMs: 30_000 },
  { type: TxnType.closeSession, paths: [] },
  { type: TxnType.closeSession, paths: ['/a', '/b/c'] },
  { type: TxnType.error, error: -101 },
  { type: TxnType.multi, ops: [] },
  { type: TxnType.multi, ops: [CREATE, { type: TxnType.check, path: '/a' }, SAMPLE.body] },
  { type: TxnType.multi, ops: [{ type: TxnType.error, error: 0 }] },
];

test('decodeTxn gives back every kind of transaction', () => {
  for (const body of EVERY_BODY) {
    const decoded = decodeTxn(encodeTxn(txn(body)));
    // Clones are equal whatever class of byte arrays the two hold.
    assert.deepEqual(structuredClone(decoded), structuredClone(txn(body)));
  }
});

function withOwnData(body: TxnBody, owned: Uint8Array[]): TxnBody {
  if (body.type === TxnType.multi) {
    return { ...body, ops: body.ops.map((op) => withOwnData(op, owned)) };
  }
  if (!('data' in body) || body.data === null) return { ...body };
  const data = Buffer.from(body.data);
  owned.push(data);
  return { ...body, data };
}

test('encodeDetaching leaves what decodeTxn gives, whatever becomes of the request', () => {
  for (const body of EVERY_BODY) {
    const owned: Uint8Array[] = [];
    const made = txn(withOwnData(body, owned));
    const bytes = encodeDetaching(made);
    for (const data of owned) data.fill(0x2a);
    assert.deepEqual(structuredClone(made), structuredClone(decodeTxn(bytes)));
    assert.ok(Buffer.from(encodeTxn(txn(body))).equals(bytes));
  }
});

test('encodeTxn hands out bytes that the next call does not touch', () => {
  const first = encodeTxn(SAMPLE);
  const copy = Buffer.from(first);
  for (let at = 0; at < 100; at++) encodeTxn(txn({ type: TxnType.delete, path: `/x${at}` }));
  assert.deepEqual(Buffer.from(first), copy);
});

test('decodeTxn finds every flipped bit', () => {
  const bytes = Buffer.from(encodeTxn(SAMPLE));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    assert.ok(damageOf(bytes), `bit ${bit}`);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  }
  assert.equal(damageOf(bytes), undefined);
});

test('decodeTxn finds bytes missing at the end, and bytes too many', () => {
  const bytes = encodeTxn(SAMPLE);
  for (let length = 0; length < bytes.length; length++) {
    assert.ok(damageOf(bytes.subarray(0, length)), `length ${length}`);
  }
  assert.equal(damageOf(Buffer.concat([bytes, Buffer.alloc(1)])), 'CHECKSUM');
});

test('decodeTxn says what is wrong', () => {
  assert.equal(damageOf(new Uint8Array(5)), 'TOO_SHORT');
  assert.equal(damageOf(Uint8Array.of(2, 0, 0, 0, 0, 0)), 'VERSION_UNKNOWN');
  assert.equal(damageOf(Uint8Array.of(1, 0, 0, 0, 0, 7)), 'CHECKSUM');
  const noMsgpack = Buffer.from([1, 0, 0, 0, 0, 0x9f]);
  noMsgpack.writeUInt32BE(crc32(noMsgpack.subarray(5)), 1);
  assert.equal(damageOf(noMsgpack), 'NOT_MSGPACK');
  assert.equal(damageOf(envelope('text')), 'NOT_MSGPACK');
  assert.equal(damageOf(envelope({ type: 5 })), 'NOT_MSGPACK');
  assert.equal(damageOf(envelope([])), 'SHAPE');
});

test('decodeTxn refuses well-formed bytes of another shape', () => {
  const wrong: unknown[] = [
    [],
    header(),
    header(99),
    header('5', '/a', null, 1),
    [5, 1, 2, 3, 4, TxnType.delete, '/a'],
    [2n ** 63n, 1, 2, 3, 4, TxnType.delete, '/a'],
    [5n, 2 ** 31, 2, 3, 4, TxnType.delete, '/a'],
    [5n, 1, 1.5, 3, 4, TxnType.delete, '/a'],
    [5n, 1, 2, 256, 4, TxnType.delete, '/a'],
    [5n, 1, 2, 3, -1, TxnType.delete, '/a'],
    header(TxnType.delete),
    header(TxnType.delete, 'a'),
    header(TxnType.delete, '/a', 1),
    header(TxnType.setData, '/a', 1, 'text'),
    header(TxnType.setData, '/a', 2 ** 31, null),
    header(TxnType.setData, '/a', 1),
    header(TxnType.setAcl, '/a', [1, 'world'], 1),
    header(TxnType.setAcl, '/a', [1, 'world', null], 1),
    header(TxnType.setAcl, '/a', 1, 1),
    header(TxnType.create, '/', 0, 0n, 1, null),
    header(TxnType.create, '/a/', 0, 0n, 1, null),
    header(TxnType.create, '/a', 0, 0, 1, null),
    header(TxnType.create, '/a', 0, 0n, null, null),
    header(TxnType.create, '/a', 0, 0n, 1),
    header(TxnType.multi, [TxnType.multi]),
    header(TxnType.multi, [TxnType.createSession, 1]),
    header(TxnType.multi, [TxnType.closeSession]),
    header(TxnType.multi, 7),
    header(TxnType.closeSession, '/a', 3),
    header(TxnType.createSession, 'x'),
    header(TxnType.error, -3000),
  ];
  for (const value of wrong) assert.equal(damageOf(envelope(value)), 'SHAPE', String(value));
});
