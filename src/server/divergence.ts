/**
 * What happens when this server's state differs from the leader's. It stops serving at once, for
 * what it shows may be wrong; and when a majority of the voters has another state, it sets its own
 * aside and fetches theirs. So may a leader. Without a majority it waits: nobody can tell who is wrong.
 */

import { type ServerId, type Zxid, zxidHex } from '../base/ids.ts';
import { type ClientMessage, ClientMessageType } from '../peer/peer-message.ts';
import type { ServerConfig } from './config.ts';
import { DigestJury, type Verdict } from './digest-jury.ts';
import { FatalError } from './fatal-error.ts';
import type { Log } from './logger.ts';

export interface DivergenceHooks {
  readonly tellLeader: (message: ClientMessage) => void;
  readonly tellLearner: (sid: ServerId, message: ClientMessage) => void;
  /** Clients are sent away. */
  readonly retire: () => void;
  readonly fail: (error: FatalError) => void;
}

export class Divergence {
  readonly #config: ServerConfig;
  readonly #log: Log;
  readonly #hooks: DivergenceHooks;
  readonly #jury: DigestJury;
  #isLeading = false;
  #isInDoubt = false;

  constructor(config: ServerConfig, log: Log, hooks: DivergenceHooks) {
    this.#config = config;
    this.#log = log;
    this.#hooks = hooks;
    this.#jury = new DigestJury(config.voterIds);
  }

  /** This server's state differs from that of the leader it follows: it is shown to nobody. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** Another role begins. */
  roleChanged(isLeading: boolean): void {
    this.#isLeading = isLeading;
    // Another leader may be right where the last one was wrong.
    this.#isInDoubt = false;
    this.#jury.clear();
  }

  /** This server's own digest at a zxid. */
  recorded(zxid: Zxid, digest: string): void {
    if (this.#config.isStandalone) return;
    if (this.#isLeading) this.reported(this.#config.serverId, zxid, digest);
    else this.#hooks.tellLeader({ type: ClientMessageType.digest, zxid, digest });
  }

  /** To a leader: a server's digest at a zxid. */
  reported(sid: ServerId, zxid: Zxid, digest: string): void {
    if (!this.#isLeading) return;
    const verdict = this.#jury.report(sid, zxid, digest);
    if (verdict !== undefined) this.#announce(verdict);
  }

  /** To a learner: it has another state than its leader. */
  differs(zxid: Zxid, own: string, leaders: string): void {
    this.#hooks.retire();
    if (this.#isInDoubt) return;
    this.#isInDoubt = true;
    this.#log.error('stateDiffers', {
      reason: `the state after ${zxidHex(zxid)} has digest ${own} here and ${leaders} on the leader`,
      remedy:
        'this server serves nobody until a majority of the voters shows who is wrong; whoever is ' +
        'fetches the state from the others',
    });
  }

  /** A majority has another state than this server. */
  outvoted(zxid: Zxid, digest: string): void {
    const { serverId } = this.#config;
    const sentence = `server ${serverId}: the state after ${zxidHex(zxid)} is not the one that a majority of the voters has, whose digest is ${digest}`;
    this.#hooks.fail(new FatalError('DAMAGE', sentence));
  }

  #announce({ zxid, digest, wrong }: Verdict): void {
    for (const sid of wrong) {
      this.#log.error('stateWrong', { sid, zxid: zxidHex(zxid), digest });
      if (sid === this.#config.serverId) this.outvoted(zxid, digest);
      else this.#hooks.tellLearner(sid, { type: ClientMessageType.outvoted, zxid, digest });
    }
  }
}
