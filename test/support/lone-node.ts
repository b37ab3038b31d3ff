/** One `ZabNode` whose disk and peers are played by the test itself. */

import { strict as assert } from 'node:assert';
import {
  EPOCH_NONE,
  makeEpoch,
  makeServerId,
  makeZxid,
  ZXID_NONE,
  type Zxid,
} from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Effect, LinkId } from '../../src/consensus/effects.ts';
import { MessageType, PeerState, type QuorumMessage } from '../../src/consensus/messages.ts';
import { ZabNode } from '../../src/consensus/zab-node.ts';
import { DEFAULT_TIMINGS, type DurableState } from '../../src/consensus/zab-state.ts';

export interface LoneNodeOptions {
  readonly sid: number;
  readonly voters: readonly number[];
  readonly observers?: readonly number[];
  readonly durable?: Partial<DurableState>;
}

export const NOTHING_DURABLE: DurableState = {
  acceptedEpoch: EPOCH_NONE,
  currentEpoch: EPOCH_NONE,
  clusterId: '',
  standing: 'whole',
  epochs: [],
  retainedAfter: ZXID_NONE,
  committed: ZXID_NONE,
};

export class LoneNode {
  readonly node: ZabNode;
  /** Every effect so far, in order. */
  readonly effects: Effect[] = [];
  nowMs = 0;
  /** Requests under way to the disk; written at once while this is false. */
  isDiskStalled = false;
  #lastRequested = 0;
  #lastPersisted = 0;

  constructor({ sid, voters, observers = [], durable = {} }: LoneNodeOptions) {
    this.node = new ZabNode(
      {
        sid: makeServerId(sid),
        voters: voters.map(makeServerId),
        observers: observers.map(makeServerId),
        timings: DEFAULT_TIMINGS,
        freshClusterId: 'cluster',
        prng: new Prng(1),
      },
      { ...NOTHING_DURABLE, ...durable },
    );
    this.node.start(0);
    this.settle();
  }

  /** Takes effects and completes writes until nothing more follows. */
  settle(): void {
    for (;;) {
      const effects = this.node.takeEffects();
      for (const effect of effects) {
        this.effects.push(effect);
        if (effect.kind === 'persist') this.#lastRequested = effect.request.id;
        if (effect.kind === 'fatal') assert.fail(effect.reason);
      }
      const isWritten = !this.isDiskStalled && this.#lastRequested > this.#lastPersisted;
      if (!isWritten && effects.length === 0) return;
      if (isWritten) {
        this.#lastPersisted = this.#lastRequested;
        this.node.persisted(this.#lastPersisted);
      }
    }
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.node.tick(this.nowMs);
    this.settle();
  }

  receive(link: LinkId, message: QuorumMessage): void {
    this.node.receive(link, message);
    this.settle();
  }

  /** Time passes while the peer on the link answers every ping. */
  advanceWithPongs(ms: number, link: LinkId): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.advance(100);
      this.receive(link, { type: MessageType.pong, sequence: 0 });
    }
  }

  /** What was sent on a link, broadcasts included. */
  sent(link: LinkId): QuorumMessage[] {
    const messages: QuorumMessage[] = [];
    for (const effect of this.effects) {
      if (effect.kind === 'send' && effect.link === link) messages.push(effect.message);
      if (effect.kind === 'broadcast' && effect.links.includes(link)) messages.push(effect.message);
    }
    return messages;
  }

  sentTypes(link: LinkId): number[] {
    return this.sent(link).map((message) => message.type);
  }

  closeReason(link: LinkId): string | undefined {
    const closes = this.effects.filter((effect) => effect.kind === 'close');
    return closes.find((effect) => effect.link === link)?.reason;
  }

  /** A settled voter says whom it follows. */
  hear(from: number, state: PeerState, leader: number, epoch = 1): void {
    const vote = {
      leader: makeServerId(leader),
      zxid: ZXID_NONE,
      peerEpoch: makeEpoch(epoch),
      round: 7,
    };
    this.node.notified(makeServerId(from), { state, vote });
    this.settle();
  }

  /** Makes this node follow a leader that the other voters named, up to the open connection. */
  followLeader(leader: number, others: readonly number[], epoch = 1): LinkId {
    this.hear(leader, PeerState.leading, leader, epoch);
    for (const other of others) this.hear(other, PeerState.following, leader, epoch);
    const dial = this.effects.findLast((effect) => effect.kind === 'dial');
    assert(dial !== undefined, 'no leader was dialled');
    this.node.opened(dial.link);
    this.settle();
    return dial.link;
  }

  /** A learner without any history connects and is brought to the point of its NEWLEADER ack. */
  joinLearner(sid: number, isVoter: boolean): LinkId {
    const link = this.connectLearner(sid, isVoter, 0);
    this.promise(link);
    this.pong(link);
    this.receive(link, { type: MessageType.ack, zxid: makeZxid(this.epoch, 0) });
    return link;
  }

  /** A learner without any history gives its promise. */
  promise(link: LinkId): void {
    this.receive(link, {
      type: MessageType.ackEpoch,
      currentEpoch: EPOCH_NONE,
      lastZxid: ZXID_NONE,
      epochs: [],
    });
  }

  /** The learner answers the last ping. */
  pong(link: LinkId): void {
    const ping = this.sent(link).findLast((message) => message.type === MessageType.ping);
    if (ping !== undefined) this.receive(link, { type: MessageType.pong, sequence: ping.sequence });
  }

  /** A learner connects and says which epoch it has accepted. */
  connectLearner(
    sid: number,
    isVoter: boolean,
    acceptedEpoch: number,
    isRecovering = false,
  ): LinkId {
    const link = this.node.newLink();
    this.node.learnerConnected(link, makeServerId(sid), `disk-${sid}`);
    const type = isVoter ? MessageType.followerInfo : MessageType.observerInfo;
    this.receive(link, { type, acceptedEpoch: makeEpoch(acceptedEpoch), isRecovering });
    return link;
  }

  get epoch(): ReturnType<typeof makeEpoch> {
    return makeEpoch(this.node.currentEpoch);
  }

  propose(bytes: Uint8Array): Zxid {
    return this.node.propose(bytes);
  }
}
