/**
 * Peer messages as bytes: msgpackr arrays, the message's type first, behind a 32-bit length. What
 * comes in is checked field by field, for a peer may be broken, older, or no peer at all.
 */

import { Packr } from 'msgpackr';
import { invariant } from '../base/assert.ts';
import type { EpochEnd } from '../base/epoch-table.ts';
import {
  EPOCH_MAX,
  type Epoch,
  makeSessionId,
  parseZxid,
  type SessionId,
  type Zxid,
  zxidEpoch,
} from '../base/ids.ts';
import { isPlainMsgpack } from '../base/msgpack-shape.ts';
import {
  type Inform,
  MessageType,
  type Notification,
  PeerState,
  type Proposal,
  type Vote,
} from '../consensus/messages.ts';
import { decodeEntries, decodeRequest, encodeEntries, encodeRequest, typeOf } from './hot-codec.ts';
import { ClientMessageType, type ForwardedRequest, type PeerMessage } from './peer-message.ts';

/** No record mode: a message must mean the same whatever was sent before it. */
const packr = new Packr({ useRecords: false, int64AsType: 'bigint' });

/** The largest frame between servers; a proposal holds at most one turn's transactions. */
export const PEER_FRAME_BYTES_MAX = 256 * 1024 * 1024;

/** A message is an array of fields, some of which are lists. */
const DEPTH_MAX = 2;
const INT32_MAX = 0x7fff_ffff;

/** There are so few of these that a general packer may have them. */
type RareMessage = Exclude<PeerMessage, Proposal | Inform | ForwardedRequest>;

/** A frame ready for the stream, owned by the caller; an array's elements go in order. */
export function encodeFrame(fields: readonly unknown[]): Uint8Array {
  const body = packr.pack(fields);
  invariant(body.length <= PEER_FRAME_BYTES_MAX, 'peer frame too large');
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** The fields of a frame, or undefined when it is not one. Binary fields are views of the frame. */
export function decodeFrame(frame: Uint8Array): readonly unknown[] | undefined {
  if (!isPlainMsgpack(frame, 0, DEPTH_MAX)) return undefined;
  try {
    const fields: unknown = packr.unpack(frame);
    return Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** A frame ready for the stream, owned by the caller. */
export function encodeMessage(message: PeerMessage): Uint8Array {
  const { type } = message;
  if (type === ClientMessageType.request) return encodeRequest(message);
  if (type !== MessageType.proposal && type !== MessageType.inform) {
    return encodeFrame(messageFields(message));
  }
  const frame = encodeEntries(type, message.entries);
  invariant(frame.length <= PEER_FRAME_BYTES_MAX, 'peer frame too large');
  return frame;
}

function messageFields(message: RareMessage): readonly unknown[] {
  const { type } = message;
  switch (type) {
    case MessageType.ack:
    case MessageType.commit:
    case MessageType.diff:
    case MessageType.trunc:
      return [type, message.zxid];
    case MessageType.ping:
    case MessageType.pong:
      return [type, message.sequence];
    case MessageType.newLeader:
      return [type, message.epoch, message.clusterId];
    case MessageType.followerInfo:
    case MessageType.observerInfo:
      return [type, message.acceptedEpoch, message.isRecovering];
    case MessageType.leaderInfo:
      return [type, message.epoch];
    case MessageType.ackEpoch:
      return [type, message.currentEpoch ?? -1, message.lastZxid, lastZxids(message.epochs)];
    case MessageType.snap:
      return [type, message.zxid, lastZxids(message.epochs)];
    case MessageType.snapChunk:
      return [type, message.bytes];
    case MessageType.snapEnd:
      return [type, message.summary];
    case MessageType.recover:
    case MessageType.upToDate:
      return [type];
    case ClientMessageType.dropped:
      return [type, message.requestId];
    case ClientMessageType.refused:
      return [type, message.requestId, message.reason];
    case ClientMessageType.room:
      return [type, message.hasRoom];
    case ClientMessageType.revalidate:
      return [type, message.token, message.sessionId, message.timeoutMs];
    case ClientMessageType.revalidated:
      return [type, message.token, message.isValid];
    case ClientMessageType.sync:
      return [type, message.token];
    case ClientMessageType.synced:
      return [type, message.token, message.zxid];
    case ClientMessageType.touched:
      return [type, ...message.sessionIds];
    case ClientMessageType.digest:
    case ClientMessageType.outvoted:
      return [type, message.zxid, message.digest];
    case ClientMessageType.snapshotTaken:
      return [type, message.byteCount];
  }
}

function lastZxids(epochs: readonly EpochEnd[]): Zxid[] {
  return epochs.map((end) => end.last);
}

/**
 * The message in a frame, or undefined when it is none. What the consensus core is given outlives the
 * frame and is copied (log entries together, a snapshot's parts each); payloads of requests and the
 * like are views of the frame.
 */
export function decodeMessage(frame: Uint8Array): PeerMessage | undefined {
  const type = typeOf(frame);
  if (type === ClientMessageType.request) return decodeRequest(frame);
  if (type === MessageType.proposal || type === MessageType.inform) {
    const entries = decodeEntries(frame);
    return entries && { type, entries };
  }
  const fields = decodeFrame(frame);
  return fields && decodeFields(fields);
}

function decodeFields(fields: readonly unknown[]): PeerMessage | undefined {
  const [type, a, b, c] = fields;
  switch (type) {
    case MessageType.ack:
    case MessageType.commit:
    case MessageType.diff:
    case MessageType.trunc: {
      const zxid = parseZxid(a);
      return zxid === undefined ? undefined : { type, zxid };
    }
    case MessageType.ping:
    case MessageType.pong:
      return isCount(a) ? { type, sequence: a } : undefined;
    case MessageType.newLeader:
      return isEpoch(a) && typeof b === 'string' ? { type, epoch: a, clusterId: b } : undefined;
    case MessageType.followerInfo:
    case MessageType.observerInfo:
      if (!isEpoch(a) || typeof b !== 'boolean') return undefined;
      return { type, acceptedEpoch: a, isRecovering: b };
    case MessageType.leaderInfo:
      return isEpoch(a) ? { type, epoch: a } : undefined;
    case MessageType.ackEpoch: {
      const lastZxid = parseZxid(b);
      const epochs = decodeEpochs(c);
      if (lastZxid === undefined || epochs === undefined) return undefined;
      if (a !== -1 && !isEpoch(a)) return undefined;
      return { type, currentEpoch: a === -1 ? undefined : a, lastZxid, epochs };
    }
    case MessageType.snap: {
      const zxid = parseZxid(a);
      const epochs = decodeEpochs(b);
      return zxid === undefined || epochs === undefined ? undefined : { type, zxid, epochs };
    }
    case MessageType.snapChunk:
      return a instanceof Uint8Array ? { type, bytes: new Uint8Array(a) } : undefined;
    case MessageType.snapEnd:
      return a instanceof Uint8Array ? { type, summary: new Uint8Array(a) } : undefined;
    case MessageType.recover:
    case MessageType.upToDate:
      return { type };
    default:
      return decodeClientMessage(type, fields);
  }
}

function decodeClientMessage(type: unknown, fields: readonly unknown[]): PeerMessage | undefined {
  const [, a, b, c] = fields;
  switch (type) {
    case ClientMessageType.dropped:
      return isCount(a) ? { type, requestId: a } : undefined;
    case ClientMessageType.refused:
      if (!isCount(a) || (b !== 'undecodable' && b !== 'noSpace')) return undefined;
      return { type, requestId: a, reason: b };
    case ClientMessageType.room:
      return typeof a === 'boolean' ? { type, hasRoom: a } : undefined;
    case ClientMessageType.revalidate: {
      const sessionId = decodeSessionId(b);
      if (!isCount(a) || sessionId === undefined) return undefined;
      if (!isCount(c) || c > INT32_MAX) return undefined;
      return { type, token: a, sessionId, timeoutMs: c };
    }
    case ClientMessageType.revalidated:
      return isCount(a) && typeof b === 'boolean' ? { type, token: a, isValid: b } : undefined;
    case ClientMessageType.sync:
      return isCount(a) ? { type, token: a } : undefined;
    case ClientMessageType.synced: {
      const zxid = parseZxid(b);
      return isCount(a) && zxid !== undefined ? { type, token: a, zxid } : undefined;
    }
    case ClientMessageType.touched: {
      const sessionIds: SessionId[] = [];
      for (let i = 1; i < fields.length; i++) {
        const sessionId = decodeSessionId(fields[i]);
        if (sessionId === undefined) return undefined;
        sessionIds.push(sessionId);
      }
      return { type, sessionIds };
    }
    case ClientMessageType.digest:
    case ClientMessageType.outvoted: {
      const zxid = parseZxid(a);
      return zxid !== undefined && typeof b === 'string' ? { type, zxid, digest: b } : undefined;
    }
    case ClientMessageType.snapshotTaken:
      return isCount(a) ? { type, byteCount: a } : undefined;
    default:
      return undefined;
  }
}

/** A table of epoch ends travels as the last zxid of each epoch, ascending. */
function decodeEpochs(value: unknown): EpochEnd[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ends: EpochEnd[] = [];
  for (const item of value) {
    const last = parseZxid(item);
    if (last === undefined) return undefined;
    const epoch = zxidEpoch(last);
    const previous = ends.at(-1);
    if (previous !== undefined && previous.epoch >= epoch) return undefined;
    ends.push({ epoch, last });
  }
  return ends;
}

function decodeSessionId(value: unknown): SessionId | undefined {
  if (typeof value === 'bigint') return makeSessionId(value);
  return isCount(value) ? makeSessionId(BigInt(value)) : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isEpoch(value: unknown): value is Epoch {
  return isCount(value) && value <= EPOCH_MAX;
}

// Election port ---------------------------------------------------------------------------------

const NOTIFICATION = 64;

export function encodeNotification({ state, vote }: Notification): Uint8Array {
  const { leader, zxid, peerEpoch, round } = vote;
  return encodeFrame([NOTIFICATION, state, leader, zxid, peerEpoch, round]);
}

export function decodeNotification(frame: Uint8Array): Notification | undefined {
  const fields = decodeFrame(frame);
  if (fields === undefined || fields[0] !== NOTIFICATION) return undefined;
  const [, state, leader, zxidValue, peerEpoch, round] = fields;
  const zxid = parseZxid(zxidValue);
  const knownState = Object.values(PeerState).find((known) => known === state);
  if (knownState === undefined || zxid === undefined || !isEpoch(peerEpoch)) return undefined;
  if (!isCount(leader) || leader > 255 || !isCount(round)) return undefined;
  return { state: knownState, vote: { leader: leader as Vote['leader'], zxid, peerEpoch, round } };
}
