/** Each record both ways against bytes put together by hand, and every record cut short at every byte. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSessionId, type Zxid } from '../../../../src/base/ids.ts';
import type { Stat } from '../../../../src/base/stat.ts';
import type { JuteReader } from '../../../../src/protocol/jute-reader.ts';
import type { JuteWriter } from '../../../../src/protocol/jute-writer.ts';
import { decodeGetAclReply, encodeGetAclReply } from '../../../../src/protocol/records/acl.ts';
import {
  decodeAuthPacket,
  decodeSaslToken,
  decodeWhoAmIReply,
  encodeAuthPacket,
  encodeSaslToken,
  encodeWhoAmIReply,
} from '../../../../src/protocol/records/auth.ts';
import {
  decodeConnectRequest,
  decodeConnectResponse,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeSessionGone,
} from '../../../../src/protocol/records/connect.ts';
import {
  decodeCreate2Reply,
  decodeCreateReply,
  encodeCreate2Reply,
  encodeCreateReply,
} from '../../../../src/protocol/records/create-reply.ts';
import {
  decodeReplyHeader,
  decodeRequestHeader,
  encodeReplyHeader,
  encodeRequestHeader,
  isKnownOp,
} from '../../../../src/protocol/records/header.ts';
import {
  decodeMultiRead,
  decodeMultiReadReply,
  encodeMultiRead,
  encodeMultiReadEnd,
  encodeReadError,
  encodeReadResultHeader,
  type MultiReadOp,
} from '../../../../src/protocol/records/multi-read.ts';
import {
  decodeMultiReply,
  encodeMultiReply,
  type MultiResult,
} from '../../../../src/protocol/records/multi-reply.ts';
import {
  decodeGetAllChildrenNumberReply,
  decodeGetChildren2Reply,
  decodeGetChildrenReply,
  decodeGetDataReply,
  decodeGetEphemeralsReply,
  decodeSyncReply,
  encodeGetAllChildrenNumberReply,
  encodeGetChildren2Reply,
  encodeGetChildrenReply,
  encodeGetDataReply,
  encodeGetEphemeralsReply,
  encodeSyncReply,
} from '../../../../src/protocol/records/read-reply.ts';
import {
  decodePathRequest,
  decodeWatchedRead,
  encodePathRequest,
  encodeWatchedRead,
} from '../../../../src/protocol/records/read-request.ts';
import { decodeReconfig, encodeReconfig } from '../../../../src/protocol/records/reconfig.ts';
import { decodeStat, encodeStat, STAT_BYTES } from '../../../../src/protocol/records/stat.ts';
import {
  decodeAddWatch,
  decodeAddWatchReply,
  decodeSetWatches,
  decodeSetWatches2,
  decodeWatcherEvent,
  decodeWatchesOfType,
  encodeAddWatch,
  encodeAddWatchReply,
  encodeSetWatches,
  encodeSetWatches2,
  encodeWatcherEvent,
  encodeWatchesOfType,
} from '../../../../src/protocol/records/watch.ts';
import {
  acl,
  bool,
  buffer,
  fromHex,
  int,
  long,
  OPEN_ACL_HEX,
  text,
  vector,
} from '../../../support/hex.ts';
import { decoded, encoded } from '../../../support/records.ts';

const STAT: Stat = {
  czxid: 0x1_0000_0002 as Zxid,
  mzxid: 0x1_0000_0003 as Zxid,
  pzxid: 0x1_0000_0004 as Zxid,
  ctimeMs: 1_700_000_000_000,
  mtimeMs: 1_700_000_000_001,
  version: -2,
  cversion: 5,
  aversion: 6,
  ephemeralOwner: makeSessionId(0x8100_0004_fa85_00ban),
  dataLength: 7,
  numChildren: 8,
};
const STAT_HEX =
  long(0x1_0000_0002) +
  long(0x1_0000_0003) +
  long(1_700_000_000_000) +
  long(1_700_000_000_001) +
  int(-2) +
  int(5) +
  int(6) +
  long(0x8100_0004_fa85_00ban) +
  int(7) +
  int(8) +
  long(0x1_0000_0004);

const PASSWORD_HEX = '000102030405060708090a0b0c0d0e0f';
const SESSION_ID = makeSessionId(-2n);
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

const MULTI_RESULTS: readonly MultiResult[] = [
  { type: 1, error: 0, path: '/a', stat: null },
  { type: 15, error: 0, path: '/b', stat: STAT },
  { type: 2, error: 0, path: null, stat: null },
  { type: 5, error: 0, path: null, stat: STAT },
  { type: 13, error: 0, path: null, stat: null },
  { type: -1, error: 0, path: null, stat: null },
  { type: -1, error: -101, path: null, stat: null },
];
const MULTI_END = int(-1) + bool(true) + int(-1);
const MULTI_HEX =
  `${int(1) + bool(false) + int(0)}${text('/a')}` +
  `${int(15) + bool(false) + int(0)}${text('/b')}${STAT_HEX}` +
  `${int(2) + bool(false) + int(0)}` +
  `${int(5) + bool(false) + int(0)}${STAT_HEX}` +
  `${int(13) + bool(false) + int(0)}` +
  `${int(-1) + bool(false) + int(0)}${int(0)}` +
  `${int(-1) + bool(false) + int(-101)}${int(-101)}` +
  MULTI_END;

const READ_OPS: readonly MultiReadOp[] = [
  { type: 4, path: '/a' },
  { type: 8, path: null },
];
const READ_OPS_HEX =
  `${int(4) + bool(false) + int(-1)}${text('/a')}${bool(false)}` +
  `${int(8) + bool(false) + int(-1)}${text(null)}${bool(false)}${MULTI_END}`;
const READ_RESULTS = [
  { type: 4, error: 0, data: fromHex('00ff'), stat: STAT, names: null },
  { type: 8, error: 0, data: null, stat: null, names: ['x'] },
  { type: -1, error: -101, data: null, stat: null, names: null },
];
const READ_RESULTS_HEX =
  `${int(4) + bool(false) + int(0)}${buffer('00ff')}${STAT_HEX}` +
  `${int(8) + bool(false) + int(0)}${vector([text('x')])}` +
  `${int(-1) + bool(false) + int(-101)}${int(-101)}${MULTI_END}`;

function encodeReadResults(writer: JuteWriter): void {
  encodeReadResultHeader(writer, 4);
  encodeGetDataReply(writer, fromHex('00ff'), STAT);
  encodeReadResultHeader(writer, 8);
  encodeGetChildrenReply(writer, ['x']);
  encodeReadError(writer, -101);
  encodeMultiReadEnd(writer);
}

interface RecordCase {
  readonly name: string;
  readonly hex: string;
  readonly value: unknown;
  readonly encode: (writer: JuteWriter) => void;
  readonly decode: (reader: JuteReader) => unknown;
  /** Bytes at the end that may be missing. */
  readonly optionalBytes?: number;
}

const CASES: readonly RecordCase[] = [
  {
    name: 'RequestHeader',
    hex: int(-2) + int(11),
    value: { xid: -2, type: 11 },
    encode: (writer) => encodeRequestHeader(writer, -2, 11),
    decode: decodeRequestHeader,
  },
  {
    name: 'ReplyHeader',
    hex: int(7) + long(-1) + int(-6),
    value: { xid: 7, zxid: -1, error: -6 },
    encode: (writer) => encodeReplyHeader(writer, 7, -1, -6),
    decode: decodeReplyHeader,
  },
  {
    name: 'ConnectRequest with the read-only byte',
    hex: int(0) + long(9) + int(10000) + long(-2n) + buffer(PASSWORD_HEX) + bool(true),
    value: {
      protocolVersion: 0,
      lastZxidSeen: 9,
      timeoutMs: 10000,
      sessionId: SESSION_ID,
      password: fromHex(PASSWORD_HEX),
      readOnly: true,
    },
    encode: (writer) =>
      encodeConnectRequest(writer, {
        protocolVersion: 0,
        lastZxidSeen: 9,
        timeoutMs: 10000,
        sessionId: SESSION_ID,
        password: fromHex(PASSWORD_HEX),
        readOnly: true,
      }),
    decode: decodeConnectRequest,
    optionalBytes: 1,
  },
  {
    name: 'ConnectRequest without the read-only byte',
    hex: int(0) + long(-1) + int(-5) + long(0) + buffer(null),
    value: {
      protocolVersion: 0,
      lastZxidSeen: -1,
      timeoutMs: -5,
      sessionId: makeSessionId(0n),
      password: null,
      readOnly: undefined,
    },
    encode: (writer) =>
      encodeConnectRequest(writer, {
        protocolVersion: 0,
        lastZxidSeen: -1,
        timeoutMs: -5,
        sessionId: makeSessionId(0n),
        password: null,
        readOnly: undefined,
      }),
    decode: decodeConnectRequest,
  },
  {
    name: 'ConnectResponse with the read-only byte',
    hex: int(0) + int(4000) + long(-2n) + buffer(PASSWORD_HEX) + bool(false),
    value: {
      protocolVersion: 0,
      timeoutMs: 4000,
      sessionId: SESSION_ID,
      password: fromHex(PASSWORD_HEX),
      readOnly: false,
    },
    encode: (writer) =>
      encodeConnectResponse(writer, {
        protocolVersion: 0,
        timeoutMs: 4000,
        sessionId: SESSION_ID,
        password: fromHex(PASSWORD_HEX),
        readOnly: false,
      }),
    decode: decodeConnectResponse,
    optionalBytes: 1,
  },
  {
    name: 'ConnectResponse of a session that is gone, for an old client',
    hex: int(0) + int(0) + long(0) + buffer('00'.repeat(16)),
    value: {
      protocolVersion: 0,
      timeoutMs: 0,
      sessionId: makeSessionId(0n),
      password: new Uint8Array(16),
      readOnly: undefined,
    },
    encode: (writer) => encodeSessionGone(writer, undefined),
    decode: decodeConnectResponse,
  },
  {
    name: 'AuthPacket',
    hex: int(0) + text('digest') + buffer('626f62'),
    value: { type: 0, scheme: 'digest', auth: fromHex('626f62') },
    encode: (writer) =>
      encodeAuthPacket(writer, { type: 0, scheme: 'digest', auth: fromHex('626f62') }),
    decode: decodeAuthPacket,
  },
  {
    name: 'Stat',
    hex: STAT_HEX,
    value: STAT,
    encode: (writer) => encodeStat(writer, STAT),
    decode: decodeStat,
  },
  {
    name: 'exists, getData, getChildren, getChildren2 request',
    hex: text('/ä') + bool(true),
    value: { path: '/ä', watch: true },
    encode: (writer) => encodeWatchedRead(writer, '/ä', true),
    decode: decodeWatchedRead,
  },
  {
    name: 'getACL, sync request with a null path',
    hex: text(null),
    value: { path: null, watch: false },
    encode: (writer) => encodePathRequest(writer, null),
    decode: decodePathRequest,
  },
  {
    name: 'getData reply of bytes',
    hex: buffer('00ff') + STAT_HEX,
    value: { data: fromHex('00ff'), stat: STAT },
    encode: (writer) => encodeGetDataReply(writer, fromHex('00ff'), STAT),
    decode: (reader) => {
      const reply = decodeGetDataReply(reader);
      return reply && { data: reply.data && Uint8Array.from(reply.data), stat: reply.stat };
    },
  },
  {
    name: 'getData reply of a binary string',
    hex: buffer('00ff') + STAT_HEX,
    value: { data: fromHex('00ff'), stat: STAT },
    encode: (writer) => encodeGetDataReply(writer, '\x00\xff', STAT),
    decode: decodeGetDataReply,
  },
  {
    name: 'getData reply without data',
    hex: buffer(null) + STAT_HEX,
    value: { data: null, stat: STAT },
    encode: (writer) => encodeGetDataReply(writer, null, STAT),
    decode: decodeGetDataReply,
  },
  {
    name: 'getACL reply',
    hex: OPEN_ACL_HEX + STAT_HEX,
    value: { acl: OPEN, stat: STAT },
    encode: (writer) => encodeGetAclReply(writer, OPEN, STAT),
    decode: decodeGetAclReply,
  },
  {
    name: 'getChildren reply',
    hex: vector([text('a'), text('bc')]),
    value: { names: ['a', 'bc'] },
    encode: (writer) => encodeGetChildrenReply(writer, ['a', 'bc']),
    decode: decodeGetChildrenReply,
  },
  {
    name: 'getChildren2 reply',
    hex: vector([]) + STAT_HEX,
    value: { names: [], stat: STAT },
    encode: (writer) => encodeGetChildren2Reply(writer, [], STAT),
    decode: decodeGetChildren2Reply,
  },
  {
    name: 'sync reply',
    hex: text('/x'),
    value: { path: '/x' },
    encode: (writer) => encodeSyncReply(writer, '/x'),
    decode: decodeSyncReply,
  },
  {
    name: 'create reply',
    hex: text('/x0000000001'),
    value: { path: '/x0000000001' },
    encode: (writer) => encodeCreateReply(writer, '/x0000000001'),
    decode: decodeCreateReply,
  },
  {
    name: 'create2 reply',
    hex: text('/x') + STAT_HEX,
    value: { path: '/x', stat: STAT },
    encode: (writer) => encodeCreate2Reply(writer, '/x', STAT),
    decode: decodeCreate2Reply,
  },
  {
    name: 'WatcherEvent',
    hex: int(3) + int(3) + text('/x'),
    value: { type: 3, state: 3, path: '/x' },
    encode: (writer) => encodeWatcherEvent(writer, 3, 3, '/x'),
    decode: decodeWatcherEvent,
  },
  {
    name: 'setWatches request',
    hex: long(12) + vector([text('/a'), text('/b')]) + vector([]) + vector(null),
    value: { relativeZxid: 12, data: ['/a', '/b'], exist: [], child: null },
    encode: (writer) =>
      encodeSetWatches(writer, { relativeZxid: 12, data: ['/a', '/b'], exist: [], child: null }),
    decode: decodeSetWatches,
  },
  {
    name: 'multi reply',
    hex: MULTI_HEX,
    value: MULTI_RESULTS,
    encode: (writer) => encodeMultiReply(writer, MULTI_RESULTS),
    decode: decodeMultiReply,
  },
  {
    name: 'multiRead request',
    hex: READ_OPS_HEX,
    value: READ_OPS,
    encode: (writer) => encodeMultiRead(writer, READ_OPS),
    decode: decodeMultiRead,
  },
  {
    name: 'multiRead reply',
    hex: READ_RESULTS_HEX,
    value: READ_RESULTS,
    encode: encodeReadResults,
    decode: decodeMultiReadReply,
  },
  {
    name: 'setWatches2 request',
    hex: long(12) + vector([]) + vector(null) + vector([]) + vector([text('/p')]) + vector(null),
    value: {
      relativeZxid: 12,
      data: [],
      exist: null,
      child: [],
      persistent: ['/p'],
      recursive: null,
    },
    encode: (writer) =>
      encodeSetWatches2(writer, {
        relativeZxid: 12,
        data: [],
        exist: null,
        child: [],
        persistent: ['/p'],
        recursive: null,
      }),
    decode: decodeSetWatches2,
  },
  {
    name: 'checkWatches, removeWatches request',
    hex: text('/a') + int(5),
    value: { path: '/a', type: 5 },
    encode: (writer) => encodeWatchesOfType(writer, '/a', 5),
    decode: decodeWatchesOfType,
  },
  {
    name: 'addWatch request',
    hex: text(null) + int(1),
    value: { path: null, mode: 1 },
    encode: (writer) => encodeAddWatch(writer, null, 1),
    decode: decodeAddWatch,
  },
  {
    name: 'addWatch reply',
    hex: int(0),
    value: { error: 0 },
    encode: encodeAddWatchReply,
    decode: decodeAddWatchReply,
  },
  {
    name: 'sasl token',
    hex: buffer(null),
    value: { token: null },
    encode: (writer) => encodeSaslToken(writer, null),
    decode: decodeSaslToken,
  },
  {
    name: 'whoAmI reply',
    hex: vector([text('ip') + text('1.2.3.4'), text('super') + text('')]),
    value: [
      { scheme: 'ip', user: '1.2.3.4' },
      { scheme: 'super', user: '' },
    ],
    encode: (writer) =>
      encodeWhoAmIReply(writer, [
        { scheme: 'ip', user: '1.2.3.4' },
        { scheme: 'super', user: '' },
      ]),
    decode: decodeWhoAmIReply,
  },
  {
    name: 'getEphemerals reply',
    hex: vector([text('/e')]),
    value: { paths: ['/e'] },
    encode: (writer) => encodeGetEphemeralsReply(writer, ['/e']),
    decode: decodeGetEphemeralsReply,
  },
  {
    name: 'getAllChildrenNumber reply',
    hex: int(70_000),
    value: { count: 70_000 },
    encode: (writer) => encodeGetAllChildrenNumberReply(writer, 70_000),
    decode: decodeGetAllChildrenNumberReply,
  },
  {
    name: 'reconfig request',
    hex: text(null) + text('3') + text(null) + long(-1),
    value: { joining: null, leaving: '3', newMembers: null, curConfigId: -1 },
    encode: (writer) =>
      encodeReconfig(writer, { joining: null, leaving: '3', newMembers: null, curConfigId: -1 }),
    decode: decodeReconfig,
  },
];

for (const record of CASES) {
  test(`${record.name} encodes to the bytes of the protocol`, () => {
    assert.equal(encoded(record.encode), record.hex);
  });

  test(`${record.name} decodes, and ignores bytes behind it`, () => {
    const actual = decoded(record.hex, record.decode);
    assert.deepEqual(plain(actual), plain(record.value));
    if (record.name.includes('without the read-only') || record.name.includes('old client')) return;
    assert.deepEqual(plain(decoded(`${record.hex}6a756e6b`, record.decode)), plain(record.value));
  });

  test(`${record.name} cut short does not decode`, () => {
    const lastCut = record.hex.length - 2 * (record.optionalBytes ?? 0);
    for (let cut = 0; cut < lastCut; cut += 2) {
      assert.equal(decoded(record.hex.slice(0, cut), record.decode), undefined, `at ${cut / 2}`);
    }
  });
}

/** Byte views compare by content, whatever class they are of. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

test('encodeStat reads a Stat that computes its fields', () => {
  class Node {
    readonly #version = -2;
    get version(): number {
      return this.#version;
    }
  }
  const { version: _, ...others } = STAT;
  const live: Stat = Object.assign(new Node(), others);
  const hex = encoded((writer) => encodeStat(writer, live));
  assert.equal(hex, STAT_HEX);
  assert.equal(hex.length, STAT_BYTES * 2);
});

test('multi reply answers createContainer and createTTL as create2', () => {
  for (const type of [19, 21]) {
    const hex = encoded((writer) =>
      encodeMultiReply(writer, [{ type, error: 0, path: '/b', stat: STAT }]),
    );
    assert.equal(hex, int(15) + bool(false) + int(0) + text('/b') + STAT_HEX + MULTI_END);
  }
});

test('multi reply with a result of unknown type does not decode', () => {
  const hex = int(99) + bool(false) + int(0) + MULTI_END;
  assert.equal(decoded(hex, decodeMultiReply), undefined);
});

test('multiRead with any other member does not decode', () => {
  for (const type of [1, 2, 3, 5, 12, 13, 99]) {
    const hex = int(type) + bool(false) + int(-1) + text('/a') + bool(false) + MULTI_END;
    assert.equal(decoded(hex, decodeMultiRead), undefined, String(type));
    assert.equal(decoded(hex, decodeMultiReadReply), undefined, String(type));
  }
});

test('an ACL without a scheme decodes as one that no provider accepts', () => {
  const hex = vector([acl(31, null, null)]) + STAT_HEX;
  assert.deepEqual(decoded(hex, decodeGetAclReply)?.acl, [{ perms: 31, scheme: '', id: '' }]);
});

test('an ACL without an id decodes only where the id is never looked at', () => {
  const ignored = vector([acl(31, 'auth', null)]) + STAT_HEX;
  assert.deepEqual(decoded(ignored, decodeGetAclReply)?.acl, [
    { perms: 31, scheme: 'auth', id: '' },
  ]);
  const needed = vector([acl(31, 'digest', null)]) + STAT_HEX;
  assert.equal(decoded(needed, decodeGetAclReply), undefined);
});

test('isKnownOp knows the numbers of the original and no others', () => {
  for (const op of [0, 1, 9, 11, 14, 22, 100, 107, -1, -10, -11]) {
    assert.equal(isKnownOp(op), true, String(op));
  }
  for (const op of [10, 23, 99, 108, -2, -12]) assert.equal(isKnownOp(op), false, String(op));
});
