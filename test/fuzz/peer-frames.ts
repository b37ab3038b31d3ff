/** What servers say to each other, as whole frames: for those who damage it. */

import {
  EPOCH_NONE,
  makeEpoch,
  makeServerId,
  makeSessionId,
  makeZxid,
  ZXID_NONE,
} from '../../src/base/ids.ts';
import { MessageType, PeerState } from '../../src/consensus/messages.ts';
import { NO_SETTINGS } from '../../src/peer/agreement.ts';
import { encodeHello, encodeRefusal, PEER_PROTOCOL_VERSION } from '../../src/peer/identity.ts';
import { encodeFrame, encodeMessage, encodeNotification } from '../../src/peer/peer-codec.ts';
import { ClientMessageType, type PeerMessage } from '../../src/peer/peer-message.ts';

const ZXID = makeZxid(makeEpoch(3), 7);
const SESSION = makeSessionId(0x1000_0000_0000_0001n);
const DATA = Buffer.from('some data');
const VOTERS = [1, 2, 3].map(makeServerId);
/** In the list of the servers, an observer, and never running: whoever says its hello is taken for it. */
export const ABSENT = makeServerId(4);
const VOTE = { leader: makeServerId(2), zxid: ZXID, peerEpoch: makeEpoch(3), round: 4 };
const SIGN_OF_LIFE = 65;

const MESSAGES: readonly PeerMessage[] = [
  { type: MessageType.proposal, entries: [{ zxid: ZXID, bytes: DATA }] },
  { type: MessageType.ack, zxid: ZXID },
  { type: MessageType.ping, sequence: 9 },
  { type: MessageType.newLeader, epoch: makeEpoch(3), clusterId: 'c0ffee' },
  { type: MessageType.followerInfo, acceptedEpoch: makeEpoch(3), isRecovering: false },
  { type: MessageType.observerInfo, acceptedEpoch: makeEpoch(1), isRecovering: true },
  { type: MessageType.recover },
  { type: MessageType.leaderInfo, epoch: makeEpoch(3) },
  { type: MessageType.commit, zxid: ZXID },
  { type: MessageType.pong, sequence: 9 },
  { type: MessageType.diff, zxid: ZXID },
  { type: MessageType.trunc, zxid: ZXID },
  { type: MessageType.snapEnd, summary: DATA },
  { type: MessageType.inform, entries: [] },
  {
    type: MessageType.ackEpoch,
    currentEpoch: EPOCH_NONE,
    lastZxid: ZXID_NONE,
    epochs: [{ epoch: makeEpoch(3), last: ZXID }],
  },
  { type: MessageType.snap, zxid: ZXID, epochs: [{ epoch: makeEpoch(3), last: ZXID }] },
  { type: MessageType.snapChunk, bytes: DATA },
  { type: MessageType.upToDate },
  {
    type: ClientMessageType.request,
    requestId: 5,
    sessionId: SESSION,
    cxid: 3,
    op: 1,
    payload: DATA,
    identities: [{ scheme: 'ip', id: '127.0.0.1' }],
    isLocal: false,
  },
  { type: ClientMessageType.revalidate, token: 1, sessionId: SESSION, timeoutMs: 4000 },
  { type: ClientMessageType.revalidated, token: 1, isValid: true },
  { type: ClientMessageType.synced, token: 1, zxid: ZXID },
  { type: ClientMessageType.touched, sessionIds: [SESSION, makeSessionId(-1n)] },
  { type: ClientMessageType.dropped, requestId: 5 },
  { type: ClientMessageType.refused, requestId: 5, reason: 'undecodable' },
  { type: ClientMessageType.sync, token: 1 },
  { type: ClientMessageType.snapshotTaken, byteCount: 100 },
  { type: ClientMessageType.digest, zxid: ZXID, digest: '0123456789abcdef' },
];

/** Everything that is said behind a hello, on either port. */
export function messageFrames(): readonly Uint8Array[] {
  return [
    ...MESSAGES.map(encodeMessage),
    ...Object.values(PeerState).map((state) => encodeNotification({ state, vote: VOTE })),
    encodeFrame([SIGN_OF_LIFE]),
  ];
}

/** What an observer without any history says until its leader counts it as synchronised. */
export function joiningFrames(epoch: number): readonly Uint8Array[] {
  const acceptedEpoch = makeEpoch(0);
  return [
    { type: MessageType.observerInfo, acceptedEpoch, isRecovering: false } as const,
    {
      type: MessageType.ackEpoch,
      currentEpoch: EPOCH_NONE,
      lastZxid: ZXID_NONE,
      epochs: [],
    } as const,
    { type: MessageType.ack, zxid: makeZxid(makeEpoch(epoch), 0) } as const,
  ].map(encodeMessage);
}

/** Each of four servers to each of the three others, their data of no ensemble yet; and a refusal. */
export function helloFrames(): readonly Uint8Array[] {
  const frames = [encodeRefusal('go away')];
  for (const sid of [...VOTERS, ABSENT]) {
    for (const to of VOTERS) {
      if (to === sid) continue;
      const identity = {
        sid,
        clusterId: '',
        incarnation: `impostor-${sid}`,
        standing: 'whole' as const,
        isEmpty: false,
        participants: VOTERS,
        settings: NO_SETTINGS,
      };
      frames.push(encodeHello({ version: PEER_PROTOCOL_VERSION, identity, to }));
    }
  }
  return frames;
}
