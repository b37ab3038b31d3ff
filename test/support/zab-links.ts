/**
 * The connections and the votes between the servers of a `ZabCluster`: queues from which the test
 * takes one message at a time, and what becomes of them when an end goes or a way is cut.
 */

import type { ServerId } from '../../src/base/ids.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { LinkId } from '../../src/consensus/effects.ts';
import { type Notification, PeerState, type QuorumMessage } from '../../src/consensus/messages.ts';
import type { ZabNode } from '../../src/consensus/zab-node.ts';
import type { Choice } from './zab-choice.ts';

export interface Endpoint {
  readonly id: ServerId;
  readonly node: ZabNode | undefined;
  /** Counts the processes: a later one knows nothing of an earlier one's connections. */
  readonly life: number;
  readonly disk: { readonly incarnation: string };
}

/** What the other end finds behind the last message. */
const END = 'end';
type Queue = (QuorumMessage | typeof END)[];

interface Link {
  readonly key: string;
  readonly from: ServerId;
  readonly to: ServerId;
  /** The numbers the two ends gave this connection. */
  readonly dialled: LinkId;
  accepted: LinkId | undefined;
  readonly toAcceptor: Queue;
  readonly toDialler: Queue;
  isOpen: boolean;
  /** Nothing arrives, while other connections of the two servers are well. */
  isStuck: boolean;
  /** Who closed its end, while the other one has not heard of it. */
  leftBy: ServerId | undefined;
  readonly fromLife: number;
  readonly toLife: number;
}

interface Sent {
  readonly from: ServerId;
  readonly to: ServerId;
  readonly notification: Notification;
}

/** So many votes of the past may come again. */
const SAID_MAX = 100;

export class ZabLinks {
  /** Pairs `a-b` (a to b) through which nothing passes. */
  readonly cut = new Set<string>();
  /** How likely what was sent before a connection ended arrives all the same. */
  lateEnds = 0;
  readonly #endpoint: (id: ServerId) => Endpoint;
  readonly #prng: Prng;
  readonly #drain: (id: ServerId) => void;
  #links: Link[] = [];
  #linkCount = 0;
  #notifications: Sent[] = [];
  /** The last votes sent, whatever became of them. */
  readonly #said: Sent[] = [];

  /** `drain` carries out what a server's input led to. */
  constructor(endpoint: (id: ServerId) => Endpoint, prng: Prng, drain: (id: ServerId) => void) {
    this.#endpoint = endpoint;
    this.#prng = prng;
    this.#drain = drain;
  }

  /** Everything that may arrive next. */
  addChoices(choices: Choice[]): void {
    for (const link of this.#links) {
      if (link.isStuck) continue;
      const { key, from, to } = link;
      if (link.toAcceptor.length > 0 && this.#passes(from, to)) {
        choices.push({ key, happen: () => this.#deliver(link, true) });
      }
      if (link.toDialler.length > 0 && this.#passes(to, from)) {
        choices.push({ key: `back ${key}`, happen: () => this.#deliver(link, false) });
      }
    }
    if (this.#notifications.length > 0) {
      choices.push({ key: 'votes', happen: () => this.#deliverNotification() });
    }
  }

  clear(): void {
    this.cut.clear();
    for (const link of this.#links) link.isStuck = false;
  }

  isolate(id: ServerId, others: readonly ServerId[]): void {
    for (const other of others) {
      if (other !== id) this.cut.add(`${id}-${other}`).add(`${other}-${id}`);
    }
  }

  dial(server: Endpoint, leader: ServerId, number: LinkId): void {
    const other = this.#endpoint(leader);
    if (other.node === undefined || !this.#passes(server.id, leader)) {
      server.node?.closed(number);
      this.#drain(server.id);
      return;
    }
    const link: Link = {
      key: `link ${++this.#linkCount}`,
      from: server.id,
      to: leader,
      dialled: number,
      accepted: other.node.newLink(),
      toAcceptor: [],
      toDialler: [],
      isOpen: true,
      isStuck: false,
      leftBy: undefined,
      fromLife: server.life,
      toLife: other.life,
    };
    this.#links.push(link);
    server.node?.opened(number);
    this.#drain(server.id);
    if (!link.isOpen) return;
    other.node.learnerConnected(link.accepted ?? 0, server.id, server.disk.incarnation);
    this.#drain(other.id);
  }

  send(server: Endpoint, number: LinkId, message: QuorumMessage): void {
    const link = this.#linkOf(server, number);
    if (link === undefined) return;
    const isDialler = link.from === server.id && link.dialled === number;
    (isDialler ? link.toAcceptor : link.toDialler).push(message);
  }

  /** As on a real connection: in order, and a newer one replaces what was not sent yet. */
  notify(from: ServerId, to: ServerId, notification: Notification): void {
    const isStale = (sent: Sent): boolean => sent.from === from && sent.to === to;
    this.#notifications = this.#notifications.filter((sent) => !isStale(sent));
    const sent = { from, to, notification };
    this.#notifications.push(sent);
    this.#said.push(sent);
    if (this.#said.length > SAID_MAX) this.#said.shift();
  }

  /** A vote of the past arrives once more: no safety rests on votes. */
  echo(): void {
    const sent = this.#said[this.#prng.between(0, this.#said.length - 1)];
    if (sent !== undefined) this.#notifications.push(sent);
  }

  /** Makes a server that looks for a leader believe that all others are for this one. */
  persuade(to: ServerId, leader: ServerId, voters: readonly ServerId[]): void {
    const said = this.#said.findLast((sent) => {
      return sent.from === leader && sent.notification.vote.leader === leader;
    });
    if (said === undefined) return;
    const { vote } = said.notification;
    for (const from of voters) {
      if (from === to) continue;
      const settled = from === leader ? PeerState.leading : PeerState.following;
      const state = to === leader ? PeerState.looking : settled;
      this.#endpoint(to).node?.notified(from, { state, vote });
      this.#drain(to);
    }
  }

  close(server: Endpoint, number: LinkId): void {
    const link = this.#linkOf(server, number);
    if (link !== undefined) this.#leave(link, server.id);
  }

  /** After a silent death the others' connections to the server stay, as far as they can tell. */
  died(id: ServerId, isSilent: boolean): void {
    for (const link of isSilent ? [] : [...this.#links]) {
      if (link.from === id || link.to === id) this.#leave(link, id);
    }
    this.#notifications = this.#notifications.filter(({ from }) => from !== id);
  }

  /**
   * Breaks connections to a leader for those who dialled them; the leader hears of it behind what they
   * had sent, and with `isStuck` only when all ways are clear again.
   */
  breakFor(leader: ServerId, isStuck: boolean, isChosen: (learner: ServerId) => boolean): void {
    for (const link of [...this.#links]) {
      if (link.to !== leader || link.leftBy !== undefined || !isChosen(link.from)) continue;
      const learner = this.#endpoint(link.from);
      if (learner.node === undefined || learner.life !== link.fromLife) continue;
      link.isStuck = isStuck;
      this.#end(link, link.from);
      learner.node.closed(link.dialled);
      this.#drain(link.from);
    }
  }

  #passes(from: ServerId, to: ServerId): boolean {
    return !this.cut.has(`${from}-${to}`);
  }

  #deliver(link: Link, toAcceptor: boolean): void {
    const queue = toAcceptor ? link.toAcceptor : link.toDialler;
    const message = queue.shift();
    const server = this.#endpoint(toAcceptor ? link.to : link.from);
    const number = toAcceptor ? link.accepted : link.dialled;
    const life = toAcceptor ? link.toLife : link.fromLife;
    if (message === undefined || number === undefined) return;
    if (server.life !== life) {
      // A machine that is gone says nothing; once it is back, it knows nothing of the connection.
      if (server.node !== undefined) this.#break(link);
      return;
    }
    if (message === END) {
      this.#break(link);
      return;
    }
    if (link.leftBy === server.id) {
      this.#refuse(link, server.id);
      return;
    }
    server.node?.receive(number, message);
    this.#drain(server.id);
  }

  #deliverNotification(): void {
    const index = this.#prng.between(0, this.#notifications.length - 1);
    const [sent] = this.#notifications.splice(index, 1);
    if (sent === undefined || !this.#passes(sent.from, sent.to)) return;
    this.#endpoint(sent.to).node?.notified(sent.from, sent.notification);
    this.#drain(sent.to);
  }

  /** The other end hears of it where anything passes; otherwise what it sends goes nowhere. */
  #leave(link: Link, leaver: ServerId): void {
    if (link.leftBy === undefined && this.lateEnds > 0 && this.#prng.chance(this.lateEnds)) {
      this.#end(link, leaver);
      return;
    }
    this.#refuse(link, leaver);
  }

  /** The other end hears of it at once, if at all: what was on its way is lost. */
  #refuse(link: Link, leaver: ServerId): void {
    const other = link.from === leaver ? link.to : link.from;
    if (link.leftBy === other || this.#passes(leaver, other)) this.#break(link);
    else link.leftBy = leaver;
  }

  /** The other end hears of it behind everything that was sent before. */
  #end(link: Link, leaver: ServerId): void {
    link.leftBy = leaver;
    (link.from === leaver ? link.toAcceptor : link.toDialler).push(END);
  }

  #break(link: Link): void {
    if (!link.isOpen) return;
    link.isOpen = false;
    this.#links = this.#links.filter((other) => other !== link);
    const ends: [ServerId, LinkId | undefined, number][] = [
      [link.from, link.dialled, link.fromLife],
      [link.to, link.accepted, link.toLife],
    ];
    for (const [id, number, life] of ends) {
      const { node, life: current } = this.#endpoint(id);
      if (node === undefined || number === undefined || current !== life) continue;
      node.closed(number);
      this.#drain(id);
    }
  }

  #linkOf(server: Endpoint, number: LinkId): Link | undefined {
    return this.#links.find(
      (link) =>
        link.leftBy !== server.id &&
        ((link.from === server.id && link.dialled === number && link.fromLife === server.life) ||
          (link.to === server.id && link.accepted === number && link.toLife === server.life)),
    );
  }
}
