/**
 * When clients are served, and as what: a role the core announces is served in once everything that
 * was committed before it is applied; a server that finds no leader may let clients read.
 */

import type { ServingMode } from '../api/backend.ts';
import { type ServerId, type Zxid, zxidHex } from '../base/ids.ts';
import type { LinkId, Role } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { ClientMessage } from '../peer/peer-message.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { ServerConfig } from './config.ts';
import type { Log } from './logger.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { Replica } from './replica.ts';

export interface ServingOptions {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly node: ZabNode;
  readonly replica: Replica;
  readonly metrics: NodeMetrics;
  /** The tree as it is now. */
  readonly tree: () => DataTree;
  /** Whether the state is, for all that is known, the leader's. */
  readonly isRight: () => boolean;
  readonly nowMs: () => number;
}

/** What a learner sent before this leader was ready for it. */
interface EarlyMessage {
  readonly link: LinkId;
  readonly sid: ServerId;
  readonly message: ClientMessage;
}

export class Serving {
  readonly #options: ServingOptions;
  #role: Role = { name: 'looking' };
  /** Zxid that must be applied before this server serves in its present role. */
  #serveAt: Zxid | undefined;
  #early: EarlyMessage[] = [];
  #sinceMs = 0;
  #lookingSinceMs: number;

  constructor(options: ServingOptions) {
    this.#options = options;
    this.#lookingSinceMs = options.nowMs();
  }

  get role(): Role {
    return this.#role;
  }

  /** Neither looking for a leader nor on the way to serving. */
  get isSettled(): boolean {
    return this.#role.name !== 'looking' && this.#role.isServing;
  }

  /** Since when this server leads and serves, in milliseconds; 0 when it does not lead. */
  get leaderUptimeMs(): number {
    return this.#role.name === 'leading' ? this.#options.nowMs() - this.#sinceMs : 0;
  }

  roleChanged(role: Role): void {
    const { log, metrics, node, nowMs, replica } = this.#options;
    const before = this.#role;
    this.#role = role;
    if (role.name === 'looking') {
      metrics.looking(nowMs());
      this.#serveAt = undefined;
      this.#early = [];
      replica.retire();
      if (before.name !== 'looking') this.#lookingSinceMs = nowMs();
    } else if (before.name === 'looking') {
      metrics.elected(nowMs());
      // It found a quorum: clients of read-only mode are to come again.
      replica.retire();
    }
    if (role.name !== 'looking' && role.isServing) {
      this.#serveAt = node.history.committed;
      this.caughtUp();
    }
    if (before.name !== role.name || role.name !== 'looking') {
      log.info('role', { ...role, zxid: zxidHex(node.history.last) });
    }
  }

  /** Clients are let in when everything that was committed before this role is applied. */
  caughtUp(): void {
    const { isRight, log, metrics, nowMs, replica, tree } = this.#options;
    if (this.#serveAt === undefined || tree().lastZxid < this.#serveAt) return;
    this.#serveAt = undefined;
    if (this.#role.name !== 'leading' && !isRight()) return;
    this.#sinceMs = nowMs();
    if (this.#role.name !== 'looking') metrics.serving(this.#role.name, this.#sinceMs);
    const mode = this.#mode();
    if (this.#role.name === 'leading') {
      replica.lead(mode);
      replica.comparison.show();
    } else {
      replica.follow(mode);
    }
    log.info('serving', { mode, zxid: zxidHex(tree().lastZxid) });
    const early = this.#early;
    this.#early = [];
    for (const { link, sid, message } of early) replica.fromLearner(link, sid, message);
  }

  /** What a learner's clients want; kept while this leader has still to catch up. */
  fromLearner(link: LinkId, sid: ServerId, message: ClientMessage): void {
    if (this.#serveAt === undefined) this.#options.replica.fromLearner(link, sid, message);
    else this.#early.push({ link, sid, message: kept(message) });
  }

  /** Nothing of this reaches the core: a server that lets clients read is still looking for a leader. */
  tick(nowMs: number): void {
    const { config, log, node, replica, tree } = this.#options;
    if (!config.readOnlyMode || this.#role.name !== 'looking' || replica.mode !== undefined) return;
    if (nowMs - this.#lookingSinceMs < config.readOnlyGraceMs) return;
    // What is damaged, or was never filled, is nothing to show.
    if (node.standing !== 'whole' || tree().lastZxid < node.history.committed) return;
    replica.serveReadOnly();
    log.info('serving', { mode: replica.mode, zxid: zxidHex(tree().lastZxid) });
  }

  #mode(): ServingMode {
    if (this.#options.config.isStandalone) return 'standalone';
    if (this.#role.name === 'leading') return 'leader';
    return this.#role.name === 'observing' ? 'observer' : 'follower';
  }
}

/** The message with bytes of its own, because the frame it came in is gone after the turn. */
function kept(message: ClientMessage): ClientMessage {
  if (!('payload' in message)) return message;
  return { ...message, payload: new Uint8Array(message.payload) };
}
