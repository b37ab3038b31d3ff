/**
 * Connections between a leader and its learners, over the quorum ports. Learners dial, the leader
 * accepts; each connection has the number that the consensus core gave it.
 */

import type { ServerId } from '../base/ids.ts';
import type { LinkId } from '../consensus/effects.ts';
import type { ByteStream, Listener } from '../runtime/runtime.ts';
import { type Hello, type PeerIdentity, rivalReason } from './identity.ts';
import { decodeMessage, encodeMessage } from './peer-codec.ts';
import { PeerLink, Strangers } from './peer-link.ts';
import type { PeerMessage } from './peer-message.ts';
import type { PeerNetwork } from './peer-network.ts';

export interface QuorumHandler {
  /** A number for a connection that a learner opened. */
  newLink(): LinkId;
  /** The dialled leader accepted the connection. */
  onOpened(link: LinkId): void;
  onLearner(link: LinkId, identity: PeerIdentity): void;
  onMessage(link: LinkId, message: PeerMessage): void;
  onDrain(link: LinkId): void;
  onClosed(link: LinkId, reason: string): void;
}

const CONNECT_TIMEOUT_MS = 2000;
/**
 * A peer that lets more than this wait is disconnected: memory stays bounded, the others are not
 * held up, and it comes back through the log, which needs no memory.
 */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024;

export class QuorumTransport {
  readonly #network: PeerNetwork;
  readonly #handler: QuorumHandler;
  readonly #links = new Map<LinkId, PeerLink>();
  readonly #strangers = new Strangers();
  /** Open connections that learners dialled, with what they said of themselves. */
  readonly #learners = new Map<PeerLink, Hello>();
  #listener: Listener | undefined;

  constructor(network: PeerNetwork, handler: QuorumHandler) {
    this.#network = network;
    this.#handler = handler;
  }

  /** Rejects with a `RuntimeError` when the own quorum port cannot be bound. */
  async start(): Promise<void> {
    const { own, listenHost, runtime } = this.#network;
    const options = { host: listenHost, port: own.quorum.port };
    this.#listener = await runtime.network.listen(options, (stream) => this.#accept(stream));
  }

  async stop(): Promise<void> {
    for (const link of [...this.#links.values()]) link.close('stopping');
    this.#strangers.closeAll('stopping');
    await this.#listener?.close();
  }

  dial(leader: ServerId, number: LinkId): void {
    const { runtime } = this.#network;
    const address = this.#network.member(leader).quorum;
    const link = new PeerLink({
      runtime,
      stream: runtime.network.connect(address, CONNECT_TIMEOUT_MS),
      isDialler: true,
      hello: () => this.#network.hello(leader),
      judge: (candidate, hello) => this.#network.judge(candidate, hello, leader),
      handler: {
        onOpen: () => this.#handler.onOpened(number),
        onFrame: (_link, frame) => this.#received(number, frame),
        onDrain: () => this.#handler.onDrain(number),
        onClose: (_link, reason, refusal) => this.#closed(number, reason, refusal),
      },
    });
    this.#links.set(number, link);
  }

  send(number: LinkId, message: PeerMessage): void {
    const link = this.#links.get(number);
    if (link?.isOpen) push(link, encodeMessage(message));
  }

  /** Encodes once, sends to all. */
  broadcast(numbers: readonly LinkId[], message: PeerMessage): void {
    const frame = encodeMessage(message);
    for (const number of numbers) {
      const link = this.#links.get(number);
      if (link?.isOpen) push(link, frame);
    }
  }

  /** Bytes queued on a connection; 0 when it is gone. */
  queuedBytes(number: LinkId): number {
    return this.#links.get(number)?.queuedBytes ?? 0;
  }

  isOpen(number: LinkId): boolean {
    return this.#links.get(number)?.isOpen === true;
  }

  close(number: LinkId, reason: string): void {
    this.#links.get(number)?.close(reason);
  }

  #accept(stream: ByteStream): void {
    let number: LinkId | undefined;
    const link = new PeerLink({
      runtime: this.#network.runtime,
      stream,
      isDialler: false,
      hello: (theirs) => this.#network.hello(theirs?.identity.sid ?? this.#network.identity.sid),
      judge: (candidate, hello) => this.#judgeLearner(candidate, hello),
      handler: {
        onOpen: (opened, hello) => {
          this.#strangers.delete(opened);
          this.#learners.set(opened, hello);
          number = this.#handler.newLink();
          this.#links.set(number, opened);
          this.#handler.onLearner(number, hello.identity);
        },
        onFrame: (_link, frame) => {
          if (number !== undefined) this.#received(number, frame);
        },
        onDrain: () => {
          if (number !== undefined) this.#handler.onDrain(number);
        },
        onClose: (closed, reason, refusal) => {
          this.#strangers.delete(closed);
          this.#learners.delete(closed);
          if (number !== undefined) this.#closed(number, reason, refusal);
          else if (refusal !== undefined) this.#network.refused(refusal);
        },
      },
    });
    this.#strangers.add(link);
  }

  /** The same server may connect again; another one with its number must not push it out. */
  #judgeLearner(link: PeerLink, hello: Hello): string | undefined {
    const reason = this.#network.judge(link, hello, undefined);
    if (reason !== undefined) return reason;
    const { sid, incarnation } = hello.identity;
    for (const [other, { identity }] of this.#learners) {
      if (identity.sid !== sid || identity.incarnation === incarnation) continue;
      return rivalReason(sid, other.remote, link.remote);
    }
    return undefined;
  }

  #received(number: LinkId, frame: Uint8Array): void {
    const message = decodeMessage(frame);
    if (message === undefined) this.close(number, 'the other side sent what is no peer message');
    else this.#handler.onMessage(number, message);
  }

  #closed(number: LinkId, reason: string, refusal: string | undefined): void {
    this.#links.delete(number);
    if (refusal !== undefined) this.#network.refused(refusal);
    this.#handler.onClosed(number, reason);
  }
}

/** What already waits decides: on an idle connection a single message may be as large as it is. */
function push(link: PeerLink, frame: Uint8Array): void {
  if (link.queuedBytes <= QUEUE_BYTES_MAX) link.send(frame);
  else link.close('the other side reads too slowly');
}
