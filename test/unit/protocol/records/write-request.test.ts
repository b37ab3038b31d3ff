import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../../../src/base/assert.ts';
import { OpCode } from '../../../../src/base/op-code.ts';
import type { WriteRequest } from '../../../../src/base/write-request.ts';
import { JuteReader } from '../../../../src/protocol/jute-reader.ts';
import {
  createSessionRecord,
  decodeWriteRequest,
  encodeWriteRequest,
  makeWriteRequest,
} from '../../../../src/protocol/records/write-request.ts';
import {
  bool,
  buffer,
  fromHex,
  int,
  long,
  OPEN_ACL_HEX,
  text,
  toHex,
} from '../../../support/hex.ts';
import { decoded, encoded } from '../../../support/records.ts';

const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const DATA = Buffer.from('0102', 'hex');
const CREATE_HEX = text('/a') + buffer('0102') + OPEN_ACL_HEX;
const MULTI_END = int(-1) + bool(true) + int(-1);

function member(op: number, body: string): string {
  return int(op) + bool(false) + int(-1) + body;
}

const SINGLES: readonly (readonly [name: string, hex: string, request: WriteRequest])[] = [
  [
    'create',
    CREATE_HEX + int(3),
    makeWriteRequest(OpCode.create, { path: '/a', data: DATA, acl: OPEN, flags: 3 }),
  ],
  [
    'create2',
    CREATE_HEX + int(0),
    makeWriteRequest(OpCode.create2, { path: '/a', data: DATA, acl: OPEN }),
  ],
  [
    'createContainer',
    CREATE_HEX + int(4),
    makeWriteRequest(OpCode.createContainer, { path: '/a', data: DATA, acl: OPEN, flags: 4 }),
  ],
  [
    'createTTL',
    CREATE_HEX + int(5) + long(0xff_ffff_ffffn),
    makeWriteRequest(OpCode.createTtl, {
      path: '/a',
      data: DATA,
      acl: OPEN,
      flags: 5,
      durationMs: 0xff_ffff_ffff,
    }),
  ],
  [
    'create of nulls',
    text(null) + buffer(null) + int(-1) + int(99),
    makeWriteRequest(OpCode.create, { flags: 99 }),
  ],
  ['delete', text('/a') + int(7), makeWriteRequest(OpCode.delete, { path: '/a', version: 7 })],
  ['check', text('/a') + int(-1), makeWriteRequest(OpCode.check, { path: '/a' })],
  [
    'setData',
    text('/a') + buffer('0102') + int(-2),
    makeWriteRequest(OpCode.setData, { path: '/a', data: DATA, version: -2 }),
  ],
  [
    'setACL',
    text('/a') + OPEN_ACL_HEX + int(1),
    makeWriteRequest(OpCode.setAcl, { path: '/a', acl: OPEN, version: 1 }),
  ],
  ['createSession', int(4000), makeWriteRequest(OpCode.createSession, { durationMs: 4000 })],
  ['closeSession', '', makeWriteRequest(OpCode.closeSession)],
  [
    'multi',
    member(13, text('/a') + int(0)) +
      member(1, CREATE_HEX + int(2)) +
      member(19, CREATE_HEX + int(4)) +
      member(21, CREATE_HEX + int(6) + long(5)) +
      member(5, text('/a') + buffer('') + int(-1)) +
      member(2, text('/a') + int(1)) +
      MULTI_END,
    makeWriteRequest(OpCode.multi, {
      ops: [
        makeWriteRequest(OpCode.check, { path: '/a', version: 0 }),
        makeWriteRequest(OpCode.create, { path: '/a', data: DATA, acl: OPEN, flags: 2 }),
        makeWriteRequest(OpCode.createContainer, { path: '/a', data: DATA, acl: OPEN, flags: 4 }),
        makeWriteRequest(OpCode.createTtl, {
          path: '/a',
          data: DATA,
          acl: OPEN,
          flags: 6,
          durationMs: 5,
        }),
        makeWriteRequest(OpCode.setData, { path: '/a', data: Buffer.alloc(0) }),
        makeWriteRequest(OpCode.delete, { path: '/a', version: 1 }),
      ],
    }),
  ],
  ['empty multi', MULTI_END, makeWriteRequest(OpCode.multi)],
];

for (const [name, hex, request] of SINGLES) {
  test(`${name} encodes to the bytes of the protocol`, () => {
    assert.equal(
      encoded((writer) => encodeWriteRequest(writer, request)),
      hex,
    );
  });

  test(`${name} decodes, and ignores bytes behind it`, () => {
    for (const tail of ['', '6a756e6b']) {
      const actual = decoded(hex + tail, (reader) => decodeWriteRequest(request.op, reader));
      assert.deepEqual(actual, request);
    }
  });

  test(`${name} cut short is a marshalling error`, () => {
    for (let cut = 0; cut < hex.length; cut += 2) {
      const actual = decoded(hex.slice(0, cut), (reader) => decodeWriteRequest(request.op, reader));
      assert.equal(actual, undefined, `at ${cut / 2}`);
    }
  });
}

test('decodeWriteRequest hands out data as a view of the frame', () => {
  const bytes = fromHex(text('/a') + buffer('0102') + int(-1));
  const reader = new JuteReader();
  reader.aim(bytes);
  const data = decodeWriteRequest(OpCode.setData, reader)?.data ?? null;
  bytes.fill(9);
  assert.equal(data === null ? '' : toHex(data), '0909');
});

test('decodeWriteRequest refuses operations that are no writes', () => {
  for (const op of [OpCode.getData, OpCode.deleteContainer, OpCode.error]) {
    assert.equal(
      decoded(CREATE_HEX, (reader) => decodeWriteRequest(op, reader)),
      undefined,
    );
  }
});

test('encodeWriteRequest takes an operation that is no write for a bug', () => {
  const write = (): string =>
    encoded((writer) => encodeWriteRequest(writer, makeWriteRequest(OpCode.getData)));
  assert.throws(write, InvariantError);
});

const BAD_MULTIS: readonly (readonly [name: string, body: string])[] = [
  ['no end', member(2, text('/a') + int(1))],
  ['setACL inside', member(7, text('/a') + OPEN_ACL_HEX + int(1)) + MULTI_END],
  ['a read inside', member(4, text('/a') + bool(false)) + MULTI_END],
  ['a multi inside', member(14, MULTI_END) + MULTI_END],
  ['closeSession inside', member(-11, '') + MULTI_END],
  ['an unknown operation inside', member(99, '') + MULTI_END],
  ['a null path', member(2, text(null) + int(1)) + MULTI_END],
  ['a null path to check', member(13, text(null) + int(1)) + MULTI_END],
  ['a null ACL', member(1, text('/a') + buffer('') + int(-1) + int(0)) + MULTI_END],
  ['TTL flags in create', member(1, CREATE_HEX + int(5)) + MULTI_END],
  ['TTL flags in create2', member(15, CREATE_HEX + int(6)) + MULTI_END],
  ['TTL flags in createContainer', member(19, CREATE_HEX + int(5)) + MULTI_END],
  ['an unknown flag', member(1, CREATE_HEX + int(7)) + MULTI_END],
  ['a negative flag', member(15, CREATE_HEX + int(-1)) + MULTI_END],
  ['an unknown flag with a TTL', member(21, CREATE_HEX + int(7) + long(1)) + MULTI_END],
  ['a negative length', member(2, int(-2) + int(1)) + MULTI_END],
];

for (const [name, body] of BAD_MULTIS) {
  test(`multi with ${name} is a marshalling error of the whole`, () => {
    const good = member(2, text('/a') + int(1));
    for (const hex of [body, good + body]) {
      assert.equal(
        decoded(hex, (reader) => decodeWriteRequest(OpCode.multi, reader)),
        undefined,
      );
    }
  });
}

test('multi accepts createTTL with a flag of a plain node', () => {
  const hex = member(21, CREATE_HEX + int(0) + long(-1)) + MULTI_END;
  const request = decoded(hex, (reader) => decodeWriteRequest(OpCode.multi, reader));
  assert.equal(request?.ops[0]?.op, OpCode.createTtl);
});

test('multi ends at the first header that says so, whatever else it says', () => {
  const hex = int(5) + bool(true) + int(77) + member(99, '');
  const request = decoded(hex, (reader) => decodeWriteRequest(OpCode.multi, reader));
  assert.deepEqual(request?.ops, []);
});

for (const timeoutMs of [0, 4000, 0x12345678, 2 ** 31 - 1]) {
  test(`createSessionRecord(${timeoutMs}) is what encodeWriteRequest writes`, () => {
    assert.equal(toHex(createSessionRecord(timeoutMs)), int(timeoutMs));
  });
}
