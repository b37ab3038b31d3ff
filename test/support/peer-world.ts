/** Peer transports on simulated hosts `s1`, `s2`, ..., with what their owners were told. */

import { makeEpoch, makeServerId, type ServerId, ZXID_NONE } from '../../src/base/ids.ts';
import type { LinkId } from '../../src/consensus/effects.ts';
import type { Reachability } from '../../src/consensus/election.ts';
import { type Notification, PeerState } from '../../src/consensus/messages.ts';
import { NO_SETTINGS } from '../../src/peer/agreement.ts';
import { ElectionTransport } from '../../src/peer/election-transport.ts';
import type { PeerIdentity } from '../../src/peer/identity.ts';
import type { PeerMessage } from '../../src/peer/peer-message.ts';
import { PeerNetwork } from '../../src/peer/peer-network.ts';
import { QuorumTransport } from '../../src/peer/quorum-transport.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';

const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;

export interface ElectionPeer {
  readonly transport: ElectionTransport;
  readonly heard: { readonly from: ServerId; readonly round: number }[];
  readonly reachability: Map<ServerId, Reachability>;
  readonly refusals: string[];
}

export interface QuorumPeer {
  readonly transport: QuorumTransport;
  readonly opened: LinkId[];
  readonly learners: { readonly link: LinkId; readonly sid: ServerId }[];
  readonly received: { readonly link: LinkId; readonly message: PeerMessage }[];
  readonly drained: LinkId[];
  readonly closed: { readonly link: LinkId; readonly reason: string }[];
  readonly refusals: string[];
}

export function notification(round: number): Notification {
  const vote = { leader: makeServerId(1), zxid: ZXID_NONE, peerEpoch: makeEpoch(0), round };
  return { state: PeerState.looking, vote };
}

export class PeerWorld {
  readonly world: SimWorld;
  readonly #ids: readonly ServerId[];

  constructor(count: number) {
    this.world = new SimWorld(1);
    this.#ids = Array.from({ length: count }, (_, i) => makeServerId(i + 1));
  }

  async electionPeer(id: number, changes: Partial<PeerIdentity> = {}): Promise<ElectionPeer> {
    const refusals: string[] = [];
    const heard: ElectionPeer['heard'] = [];
    const reachability: ElectionPeer['reachability'] = new Map();
    const transport = new ElectionTransport(this.#network(id, changes, refusals), {
      onNotification: (from, { vote }) => heard.push({ from, round: vote.round }),
      onReachability: (sid, state) => reachability.set(sid, state),
      onMet: () => undefined,
    });
    await this.world.finish(transport.start());
    return { transport, heard, reachability, refusals };
  }

  /** On a host of its own name, unless another one is given. */
  async quorumPeer(
    id: number,
    changes: Partial<PeerIdentity> = {},
    host?: string,
  ): Promise<QuorumPeer> {
    let linkCount = 0;
    const peer: Omit<QuorumPeer, 'transport'> = {
      opened: [],
      learners: [],
      received: [],
      drained: [],
      closed: [],
      refusals: [],
    };
    const transport = new QuorumTransport(this.#network(id, changes, peer.refusals, host), {
      newLink: () => ++linkCount,
      onOpened: (link) => peer.opened.push(link),
      onLearner: (link, { sid }) => peer.learners.push({ link, sid }),
      onMessage: (link, message) => peer.received.push({ link, message }),
      onDrain: (link) => peer.drained.push(link),
      onClosed: (link, reason) => peer.closed.push({ link, reason }),
    });
    await this.world.finish(transport.start());
    return { ...peer, transport };
  }

  #network(
    id: number,
    changes: Partial<PeerIdentity>,
    refusals: string[],
    host = `s${id}`,
  ): PeerNetwork {
    return new PeerNetwork({
      runtime: this.world.runtimeFor(host),
      sid: changes.sid ?? makeServerId(id),
      members: this.#ids.map((sid) => ({
        sid,
        quorum: { host: `s${sid}`, port: QUORUM_PORT },
        election: { host: `s${sid}`, port: ELECTION_PORT },
      })),
      identity: () => ({
        sid: makeServerId(id),
        clusterId: '',
        incarnation: `incarnation-${id}`,
        standing: 'whole',
        isEmpty: false,
        participants: this.#ids,
        settings: NO_SETTINGS,
        ...changes,
      }),
      listenHost: undefined,
      onRefusal: (sentence) => refusals.push(sentence),
      onDifference: () => undefined,
    });
  }
}
