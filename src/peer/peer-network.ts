/** What both peer transports are told about the ensemble and the server they serve. */

import type { ServerId } from '../base/ids.ts';
import type { Address, Runtime } from '../runtime/runtime.ts';
import { differences } from './agreement.ts';
import type { Hello, PeerIdentity } from './identity.ts';
import { PEER_PROTOCOL_VERSION, refusalReason } from './identity.ts';
import type { PeerLink } from './peer-link.ts';
import { RefusalLog } from './refusal-log.ts';

export interface PeerMember {
  readonly sid: ServerId;
  readonly quorum: Address;
  readonly election: Address;
}

export interface PeerNetworkOptions {
  readonly runtime: Runtime;
  /** This server's. */
  readonly sid: ServerId;
  /** Every server of the list, this one included. */
  readonly members: readonly PeerMember[];
  /** What this server says of itself at the moment. */
  readonly identity: () => PeerIdentity;
  /** undefined: listen on all interfaces instead of the own line's host. */
  readonly listenHost: string | undefined;
  /** A peer was refused, or refused us: a sentence for the log. */
  readonly onRefusal: (sentence: string) => void;
  /** A peer that is accepted differs in what should be equal: a sentence for the log. */
  readonly onDifference: (sentence: string) => void;
}

export class PeerNetwork {
  readonly runtime: Runtime;
  readonly #options: PeerNetworkOptions;
  readonly #refusals: RefusalLog;
  readonly #differences: RefusalLog;

  constructor(options: PeerNetworkOptions) {
    this.runtime = options.runtime;
    this.#options = options;
    this.#refusals = new RefusalLog(options.onRefusal);
    this.#differences = new RefusalLog(options.onDifference);
  }

  get identity(): PeerIdentity {
    return this.#options.identity();
  }

  get listenHost(): string | undefined {
    return this.#options.listenHost;
  }

  get own(): PeerMember {
    return this.member(this.#options.sid);
  }

  get others(): readonly PeerMember[] {
    return this.#options.members.filter((member) => member.sid !== this.#options.sid);
  }

  member(sid: ServerId): PeerMember {
    const member = this.#options.members.find((candidate) => candidate.sid === sid);
    if (member === undefined) throw new RangeError(`server ${sid} is not in the list`);
    return member;
  }

  hello(to: ServerId): Hello {
    return { version: PEER_PROTOCOL_VERSION, identity: this.identity, to };
  }

  judge(link: PeerLink, hello: Hello, dialled: ServerId | undefined): string | undefined {
    const known = this.#options.members.map((member) => member.sid);
    const { identity } = this;
    const refusal = refusalReason(identity, hello, link.remote, dialled, known);
    if (refusal === undefined) {
      const nowMs = this.runtime.clock.monotonicMs();
      for (const sentence of differences(identity, hello.identity, link.remote)) {
        this.#differences.refused(sentence, nowMs);
      }
    }
    return refusal;
  }

  refused(sentence: string): void {
    this.#refusals.refused(sentence, this.runtime.clock.monotonicMs());
  }
}
