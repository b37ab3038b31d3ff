/** One turn of one server: what concerns it alone is carried out, the rest written down. */

import { makeServerId, ZXID_NONE, type Zxid } from '../../src/base/ids.ts';
import type { Effect, LinkId } from '../../src/consensus/effects.ts';
import {
  MessageType,
  type Notification,
  type QuorumMessage,
} from '../../src/consensus/messages.ts';
import { falseClaim, falseVote, isAccusation } from '../support/zab-claims.ts';
import { type Disk, flawOf, lastZxid } from '../support/zab-disk.ts';
import type { Facts } from './facts.ts';
import type { MessageTable } from './message-table.ts';
import { Kind, kindOf } from './server-input.ts';
import { ACCEPTED, type ServerState } from './server-state.ts';

/** What a step shows to the world, in order. `peer` is as in an input. */
export type Output =
  | { readonly kind: 'persist' | 'dial'; readonly peer: number }
  | { readonly kind: 'send' | 'notify'; readonly peer: number; readonly message: number }
  | { readonly kind: 'close'; readonly peer: number }
  | { readonly kind: 'violation'; readonly text: string };

/** Where messages get their numbers. */
interface Tables {
  readonly messages: MessageTable<QuorumMessage>;
  readonly notifications: MessageTable<Notification>;
}

export class Turn {
  readonly outputs: Output[] = [];
  readonly #server: ServerState;
  readonly #tables: Tables;
  /** The number of a connection accepted in this turn, and whose it is. */
  #accepted: { readonly link: LinkId; readonly peer: number } | undefined;

  constructor(server: ServerState, tables: Tables) {
    this.#server = server;
    this.#tables = tables;
  }

  violated(text: string): void {
    this.outputs.push({ kind: 'violation', text });
  }

  connected(peer: number): void {
    const { node } = this.#server;
    if (node === undefined) return;
    const link = node.newLink();
    this.#accepted = { link, peer };
    node.learnerConnected(link, makeServerId(peer), `disk of ${peer}`);
  }

  drain(): void {
    for (;;) {
      const effects = this.#server.node?.takeEffects() ?? [];
      if (effects.length === 0) return;
      for (const effect of effects) this.#carryOut(effect);
    }
  }

  /** What may not happen from one state of a server to the next. */
  compare(before: Facts, code: number): void {
    const { disk, applied, node } = this.#server;
    const flaw = flawOf(disk);
    if (flaw !== undefined) this.violated(flaw);
    if (disk.state.acceptedEpoch < before.acceptedEpoch)
      this.violated('INV-1: a promise is forgotten');
    if (disk.state.currentEpoch < before.currentEpoch)
      this.violated('INV-1: currentEpoch decreases');
    if (applied > lastZxid(disk)) this.violated('INV-3: applied what is not durable');
    const isDrained = this.#server.writes.length === 0;
    if (isDrained) this.#compareApplied();
    if (node !== undefined && isDrained && node.history.last !== lastZxid(disk)) {
      this.violated('INV-9: memory differs from the disk while nothing is being written');
    }
    if (kindOf(code) === Kind.start && node === undefined) this.violated('a server does not start');
  }

  /** A client that comes here from another server must not see time go back. */
  #compareApplied(): void {
    const server = this.#server;
    const learner = server.node?.learner;
    if (learner === undefined || server.applied >= server.told) server.told = ZXID_NONE;
    if (learner?.isServing && server.told > server.applied) {
      this.violated('INV-3: serves without having applied what it was told is committed');
    }
  }

  #carryOut(effect: Effect): void {
    const server = this.#server;
    switch (effect.kind) {
      case 'persist':
        server.writes.push(effect.request);
        this.outputs.push({ kind: 'persist', peer: 0 });
        return;
      case 'notify':
        this.#notify(effect);
        return;
      case 'dial':
        this.outputs.push({ kind: 'dial', peer: effect.leader });
        return;
      case 'send':
        this.#send(effect.link, effect.message);
        return;
      case 'broadcast':
        for (const link of effect.links) this.#send(link, effect.message);
        return;
      case 'close':
        this.#close(effect);
        return;
      case 'readLog':
        this.#readLog(effect);
        return;
      case 'sendSnapshot':
        this.#sendSnapshot(effect.link);
        return;
      case 'apply':
        if (effect.upTo > lastZxid(server.disk))
          this.violated('INV-3: applied what is not durable');
        server.applied = effect.upTo;
        return;
      case 'stageBegin':
        server.staged = [];
        return;
      case 'stageChunk':
        server.staged = entriesOf(effect.bytes);
        return;
      case 'stageEnd':
        server.node?.snapshotStaged();
        return;
      case 'fatal':
        this.violated(`a server stops: ${effect.reason}`);
        return;
      case 'stageAbort':
      case 'role':
      case 'learnerReady':
      case 'barrier':
      case 'trace':
        return;
    }
  }

  #notify({ to, notification }: Extract<Effect, { kind: 'notify' }>): void {
    const falsehood = falseVote(this.#server.sid, this.#server, notification);
    if (falsehood !== undefined) this.violated(falsehood);
    const message = this.#tables.notifications.numberOf(notification);
    this.outputs.push({ kind: 'notify', peer: to, message });
  }

  #send(link: LinkId, message: QuorumMessage): void {
    const falsehood = falseClaim(this.#server, message);
    if (falsehood !== undefined) this.violated(falsehood);
    const number = this.#tables.messages.numberOf(message);
    this.outputs.push({ kind: 'send', peer: this.#peerOf(link), message: number });
  }

  #close({ link, reason }: Extract<Effect, { kind: 'close' }>): void {
    if (isAccusation(reason)) this.violated(`a server accuses another: ${reason}`);
    // The learner's earlier connection, in whose place the world has put the one just accepted.
    if (this.#accepted !== undefined && link === ACCEPTED + this.#accepted.peer) return;
    this.outputs.push({ kind: 'close', peer: this.#peerOf(link) });
  }

  #peerOf(link: LinkId): number {
    if (link === this.#accepted?.link) return this.#accepted.peer;
    return link > ACCEPTED && link < ACCEPTED + 10 ? link - ACCEPTED : 0;
  }

  #readLog({ link, after }: Extract<Effect, { kind: 'readLog' }>): void {
    const { disk, node } = this.#server;
    const isCovered = after >= disk.state.retainedAfter;
    const entries = isCovered ? disk.log.filter((entry) => entry.zxid > after) : [];
    node?.logRead(link, entries);
  }

  #sendSnapshot(link: LinkId): void {
    const { disk, node } = this.#server;
    node?.snapshotOpened(link, disk.state.retainedAfter);
    this.drain();
    this.#send(link, { type: MessageType.snapChunk, bytes: bytesOf(disk) });
    node?.snapshotSent(link, new Uint8Array(0));
  }
}

function bytesOf({ checkpoint }: Disk): Uint8Array {
  const pairs = checkpoint.map((entry) => [entry.zxid, entry.bytes[0]]);
  return new TextEncoder().encode(JSON.stringify(pairs));
}

function entriesOf(bytes: Uint8Array): { zxid: Zxid; bytes: Uint8Array }[] {
  const pairs: [Zxid, number][] = JSON.parse(new TextDecoder().decode(bytes));
  return pairs.map(([zxid, payload]) => ({ zxid, bytes: Uint8Array.of(payload) }));
}
