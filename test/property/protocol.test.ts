/** Round trips of random records, and decoders in front of random bytes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNTER_MAX, EPOCH_MAX, makeEpoch, makeSessionId, makeZxid } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { isValidPath } from '../../src/base/path.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { FrameDecoder, FrameEvent } from '../../src/protocol/frame-decoder.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { decodeGetAclReply, encodeGetAclReply } from '../../src/protocol/records/acl.ts';
import { decodeAuthPacket } from '../../src/protocol/records/auth.ts';
import {
  decodeConnectRequest,
  decodeConnectResponse,
  encodeConnectRequest,
} from '../../src/protocol/records/connect.ts';
import { decodeCreate2Reply } from '../../src/protocol/records/create-reply.ts';
import { decodeReplyHeader, decodeRequestHeader } from '../../src/protocol/records/header.ts';
import { decodeMultiReply, encodeMultiReply } from '../../src/protocol/records/multi-reply.ts';
import {
  decodeGetChildren2Reply,
  decodeGetDataReply,
} from '../../src/protocol/records/read-reply.ts';
import { decodePathRequest, decodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { decodeStat, encodeStat } from '../../src/protocol/records/stat.ts';
import {
  decodeSetWatches,
  decodeWatcherEvent,
  encodeSetWatches,
} from '../../src/protocol/records/watch.ts';
import {
  decodeWriteRequest,
  encodeWriteRequest,
  makeWriteRequest,
} from '../../src/protocol/records/write-request.ts';
import { toHex } from '../support/hex.ts';

const RUNS = { seed: 20261121, numRuns: 300 };

/** Objects with an ordinary prototype, as the decoders make them. */
function record<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(shape, { noNullPrototype: true });
}

const int = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const long = fc.maxSafeInteger();
const text = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 50 }).map((value) => Buffer.from(value));
const sessionId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(makeSessionId);
const zxid = fc
  .tuple(fc.integer({ min: 0, max: EPOCH_MAX }), fc.integer({ min: 0, max: COUNTER_MAX }))
  .map(([epoch, counter]) => makeZxid(makeEpoch(epoch), counter));
const acls = fc.array(record({ perms: int, scheme: text, id: text }), { maxLength: 4 });
const stat = record({
  czxid: zxid,
  mzxid: zxid,
  pzxid: zxid,
  ctimeMs: long,
  mtimeMs: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  dataLength: int,
  numChildren: int,
});

/** Well-formed strings only: a lone surrogate has no UTF-8, and leaves as U+FFFD by intention. */
const path = text;

function nullable<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null });
}

const memberOp = fc.oneof(
  record({ path, data: nullable(bytes), acl: acls, flags: fc.integer({ min: 0, max: 4 }) }).chain(
    (fields) =>
      fc
        .constantFrom(OpCode.create, OpCode.create2, OpCode.createContainer)
        .map((op) => makeWriteRequest(op, fields)),
  ),
  record({ path, acl: acls, flags: fc.integer({ min: 0, max: 6 }), durationMs: long }).map(
    (fields) => makeWriteRequest(OpCode.createTtl, fields),
  ),
  record({ path, version: int }).map((fields) => makeWriteRequest(OpCode.delete, fields)),
  record({ path, version: int }).map((fields) => makeWriteRequest(OpCode.check, fields)),
  record({ path, data: nullable(bytes), version: int }).map((fields) =>
    makeWriteRequest(OpCode.setData, fields),
  ),
);

const writeRequest: fc.Arbitrary<WriteRequest> = fc.oneof(
  memberOp,
  record({ path: nullable(path), acl: nullable(acls), flags: int }).map((fields) =>
    makeWriteRequest(OpCode.create, fields),
  ),
  record({ path: nullable(path), acl: nullable(acls), version: int }).map((fields) =>
    makeWriteRequest(OpCode.setAcl, fields),
  ),
  int.map((durationMs) => makeWriteRequest(OpCode.createSession, { durationMs })),
  fc.constant(makeWriteRequest(OpCode.closeSession)),
  fc.array(memberOp, { maxLength: 5 }).map((ops) => makeWriteRequest(OpCode.multi, { ops })),
);

function roundTrip<T>(
  record: T,
  encode: (writer: JuteWriter, record: T) => void,
  decode: (reader: JuteReader) => unknown,
): void {
  const writer = new JuteWriter(128);
  encode(writer, record);
  const reader = new JuteReader();
  reader.aim(writer.take());
  assert.deepEqual(decode(reader), record);
  assert.equal(reader.remaining, 0);
}

test('every write request survives encoding and decoding', () => {
  const property = fc.property(writeRequest, (request) =>
    roundTrip(request, encodeWriteRequest, (reader) => decodeWriteRequest(request.op, reader)),
  );
  fc.assert(property, RUNS);
});

test('every Stat, ACL and multi reply survives encoding and decoding', () => {
  const result = fc.oneof(
    record({ type: fc.constant(1), error: fc.constant(0), path, stat: fc.constant(null) }),
    record({ type: fc.constant(15), error: fc.constant(0), path, stat }),
    record({ type: fc.constant(5), error: fc.constant(0), path: fc.constant(null), stat }),
    record({
      type: fc.constant(-1),
      error: int,
      path: fc.constant(null),
      stat: fc.constant(null),
    }),
  );
  const namedAcls = fc.array(
    record({ perms: int, scheme: text.filter((scheme) => scheme !== ''), id: text }),
  );
  fc.assert(
    fc.property(stat, (value) => roundTrip(value, encodeStat, decodeStat)),
    RUNS,
  );
  fc.assert(
    fc.property(record({ acl: namedAcls, stat }), (value) =>
      roundTrip(
        value,
        (writer, reply) => encodeGetAclReply(writer, reply.acl, reply.stat),
        decodeGetAclReply,
      ),
    ),
    RUNS,
  );
  fc.assert(
    fc.property(fc.array(result, { maxLength: 6 }), (value) =>
      roundTrip(value, encodeMultiReply, decodeMultiReply),
    ),
    RUNS,
  );
});

test('every handshake and setWatches survives encoding and decoding', () => {
  const connectRequest = record({
    protocolVersion: int,
    lastZxidSeen: long,
    timeoutMs: int,
    sessionId,
    password: nullable(bytes),
    readOnly: fc.option(fc.boolean(), { nil: undefined }),
  });
  const setWatches = record({
    relativeZxid: long,
    data: nullable(fc.array(path)),
    exist: nullable(fc.array(path)),
    child: nullable(fc.array(path)),
  });
  fc.assert(
    fc.property(connectRequest, (value) =>
      roundTrip(value, encodeConnectRequest, decodeConnectRequest),
    ),
    RUNS,
  );
  fc.assert(
    fc.property(setWatches, (value) => roundTrip(value, encodeSetWatches, decodeSetWatches)),
    RUNS,
  );
});

const DECODERS: readonly ((reader: JuteReader) => unknown)[] = [
  decodeConnectRequest,
  decodeConnectResponse,
  decodeRequestHeader,
  decodeReplyHeader,
  decodeAuthPacket,
  decodeStat,
  decodeWatchedRead,
  decodePathRequest,
  decodeGetDataReply,
  decodeGetAclReply,
  decodeGetChildren2Reply,
  decodeCreate2Reply,
  decodeSetWatches,
  decodeWatcherEvent,
  decodeMultiReply,
  ...Object.values(OpCode).map((op) => (reader: JuteReader) => decodeWriteRequest(op, reader)),
];

test('no decoder throws, whatever the bytes', () => {
  // Small numbers in the places of lengths and types lead deeper than noise does.
  const word = fc.oneof(fc.integer({ min: -3, max: 30 }), int);
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.array(word, { maxLength: 30 }).map((words) => {
      const view = new DataView(new ArrayBuffer(words.length * 4));
      for (const [i, value] of words.entries()) view.setInt32(i * 4, value);
      return new Uint8Array(view.buffer);
    }),
  );
  const reader = new JuteReader();
  const property = fc.property(hostile, (input) => {
    for (const decode of DECODERS) {
      reader.aim(input);
      decode(reader);
      assert.ok(reader.remaining >= 0);
    }
  });
  fc.assert(property, { ...RUNS, numRuns: 2000 });
});

test('a write request damaged in one byte decodes to something or to nothing, and never throws', () => {
  const property = fc.property(writeRequest, fc.nat(), fc.nat(255), (request, place, value) => {
    const writer = new JuteWriter();
    encodeWriteRequest(writer, request);
    const damaged = writer.take();
    if (damaged.length === 0) return;
    damaged[place % damaged.length] = value;
    const reader = new JuteReader();
    reader.aim(damaged);
    const decoded = decodeWriteRequest(request.op, reader);
    assert.equal(decoded === undefined || decoded.op === request.op, true);
  });
  fc.assert(property, { ...RUNS, numRuns: 1000 });
});

test('frames come out as they went in, however the stream is cut and wherever the reader pauses', () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
    fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
    (frames, sizes, pauses) => {
      const writer = new JuteWriter();
      for (const frame of frames) writer.writeBuffer(frame);
      const stream = writer.take();
      const decoder = new FrameDecoder(40, false);
      const seen: string[] = [];
      let turn = 0;
      for (let at = 0; at < stream.length; turn++) {
        const chunk = Buffer.from(stream.subarray(at, at + (sizes[turn % sizes.length] ?? 1)));
        at += chunk.length;
        decoder.push(chunk);
        if (pauses[turn % pauses.length] === true) {
          if (decoder.next() === FrameEvent.frame) seen.push(toHex(decoder.frame()));
          decoder.keep();
        } else {
          while (decoder.next() === FrameEvent.frame) seen.push(toHex(decoder.frame()));
        }
        chunk.fill(0xee);
      }
      while (decoder.next() === FrameEvent.frame) seen.push(toHex(decoder.frame()));
      assert.deepEqual(seen, frames.map(toHex));
    },
  );
  fc.assert(property, RUNS);
});

test('isValidPath agrees with the rules written down one by one', () => {
  const component = fc.constantFrom(
    '',
    '.',
    '..',
    '...',
    'a',
    'b',
    '\0',
    '\u007f',
    '\ue000',
    '\ufff0',
    'ä',
  );
  const candidate = fc
    .tuple(fc.boolean(), fc.array(component, { maxLength: 5 }))
    .map(([isAbsolute, parts]) => (isAbsolute ? '/' : '') + parts.join('/'));
  const property = fc.property(candidate, (value) => {
    const components = value.split('/').slice(1);
    const isPlain = components.every((part) => part !== '' && part !== '.' && part !== '..');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject.
    const isClean = !/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(value);
    const expected = value === '/' || (value.startsWith('/') && isPlain && isClean);
    assert.equal(isValidPath(value), expected);
  });
  fc.assert(property, { ...RUNS, numRuns: 1000 });
});
