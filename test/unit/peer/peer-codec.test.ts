import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  EPOCH_MAX,
  type Epoch,
  makeEpoch,
  makeServerId,
  makeSessionId,
  makeZxid,
  type Zxid,
} from '../../../src/base/ids.ts';
import { MessageType, PeerState } from '../../../src/consensus/messages.ts';
import {
  decodeFrame,
  decodeMessage,
  decodeNotification,
  encodeFrame,
  encodeMessage,
  encodeNotification,
} from '../../../src/peer/peer-codec.ts';
import { ClientMessageType, type PeerMessage } from '../../../src/peer/peer-message.ts';

const SEED = 20261121;

function zxid(epoch: number, counter: number): Zxid {
  return makeZxid(makeEpoch(epoch), counter);
}

/** The frame without its length. */
function body(frame: Uint8Array): Uint8Array {
  assert.equal(Buffer.from(frame).readUInt32BE(0), frame.length - 4);
  return frame.subarray(4);
}

function roundTrip(message: PeerMessage): PeerMessage | undefined {
  return decodeMessage(body(encodeMessage(message)));
}

const EPOCHS = [
  { epoch: makeEpoch(1), last: zxid(1, 7) },
  { epoch: makeEpoch(4), last: zxid(4, 0xffff_ffff) },
];
const BYTES = Buffer.from([0, 1, 254, 255]);
const LARGEST = zxid(EPOCH_MAX, 0xffff_ffff);
const MINUS_ONE = makeSessionId(-1n);

const MESSAGES: readonly PeerMessage[] = [
  { type: MessageType.proposal, entries: [{ zxid: zxid(1, 1), bytes: BYTES }] },
  {
    type: MessageType.inform,
    entries: [
      { zxid: LARGEST, bytes: Buffer.alloc(0) },
      { zxid: zxid(2, 3), bytes: BYTES },
    ],
  },
  { type: MessageType.ack, zxid: zxid(5, 0) },
  { type: MessageType.commit, zxid: LARGEST },
  { type: MessageType.ping, sequence: 2 ** 40 },
  { type: MessageType.pong, sequence: 1 },
  { type: MessageType.newLeader, epoch: makeEpoch(9), clusterId: 'abc' },
  { type: MessageType.followerInfo, acceptedEpoch: makeEpoch(0), isRecovering: true },
  { type: MessageType.observerInfo, acceptedEpoch: makeEpoch(EPOCH_MAX), isRecovering: false },
  { type: MessageType.leaderInfo, epoch: makeEpoch(3) },
  { type: MessageType.ackEpoch, currentEpoch: makeEpoch(4), lastZxid: zxid(4, 2), epochs: EPOCHS },
  { type: MessageType.ackEpoch, currentEpoch: undefined, lastZxid: zxid(0, 0), epochs: [] },
  { type: MessageType.diff, zxid: zxid(0, 0) },
  { type: MessageType.trunc, zxid: zxid(1, 1) },
  { type: MessageType.snap, zxid: zxid(4, 1), epochs: EPOCHS },
  { type: MessageType.snapChunk, bytes: BYTES },
  { type: MessageType.snapEnd, summary: BYTES },
  { type: MessageType.recover },
  { type: MessageType.upToDate },
  {
    type: ClientMessageType.request,
    requestId: 2 ** 52,
    sessionId: MINUS_ONE,
    cxid: -4,
    op: -11,
    payload: BYTES,
    identities: [
      { scheme: 'ip', id: '127.0.0.1' },
      { scheme: 'digest', id: 'a:b' },
    ],
    isLocal: true,
  },
  { type: ClientMessageType.dropped, requestId: 17 },
  { type: ClientMessageType.refused, requestId: 18, reason: 'noSpace' },
  { type: ClientMessageType.room, hasRoom: false },
  { type: ClientMessageType.outvoted, zxid: zxid(1, 128), digest: 'c0ffee' },
  {
    type: ClientMessageType.revalidate,
    token: 3,
    sessionId: makeSessionId(0x0100_0000_0000_0001n),
    timeoutMs: 30_000,
  },
  { type: ClientMessageType.revalidated, token: 3, isValid: true },
  { type: ClientMessageType.sync, token: 4 },
  { type: ClientMessageType.synced, token: 4, zxid: zxid(7, 8) },
  { type: ClientMessageType.touched, sessionIds: [MINUS_ONE, makeSessionId(5n)] },
  { type: ClientMessageType.digest, zxid: zxid(1, 128), digest: 'ff00' },
];

describe('peer codec', () => {
  for (const message of MESSAGES) {
    it(`carries message ${message.type} unchanged`, () => {
      // Clones are equal whatever class of byte arrays the two hold.
      assert.deepEqual(structuredClone(roundTrip(message)), structuredClone(message));
    });
  }

  it('gives log entries memory of their own', () => {
    const entries = [{ zxid: zxid(1, 1), bytes: Buffer.from('data') }];
    const frame = body(encodeMessage({ type: MessageType.proposal, entries }));
    const decoded = decodeMessage(frame);
    frame.fill(0);
    assert(decoded?.type === MessageType.proposal);
    assert.equal(Buffer.from(decoded.entries[0]?.bytes ?? []).toString(), 'data');
  });

  it('refuses an epoch that a zxid cannot hold', () => {
    const frame = body(encodeFrame([MessageType.leaderInfo, EPOCH_MAX + 1]));
    assert.equal(decodeMessage(frame), undefined);
  });

  it('refuses a table of epochs that is not ascending', () => {
    const epochs = [...EPOCHS].reverse().map((end) => end.last);
    const frame = body(encodeFrame([MessageType.snap, zxid(4, 1), epochs]));
    assert.equal(decodeMessage(frame), undefined);
  });

  it('never throws on what is no message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeFrame(bytes);
        decodeNotification(bytes);
        decodeMessage(bytes);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('never throws on fields of the wrong kind', () => {
    const field = fc.oneof(fc.integer(), fc.string(), fc.double(), fc.array(fc.integer()));
    const type = fc.constantFrom(...MESSAGES.map((message) => message.type));
    fc.assert(
      fc.property(type, fc.array(field, { maxLength: 7 }), (number, fields) => {
        decodeMessage(body(encodeFrame([number, ...fields])));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('carries a notification unchanged', () => {
    const vote = {
      leader: makeServerId(3),
      zxid: LARGEST,
      peerEpoch: makeEpoch(2) as Epoch,
      round: 12,
    };
    const notification = { state: PeerState.leading, vote };
    assert.deepEqual(decodeNotification(body(encodeNotification(notification))), notification);
  });
});
