/**
 * Says why an ensemble does not come up when the reason is lost data: nothing else in the log of a
 * server that only waits would tell an operator what to do.
 */

import { SERVER_NONE, type ServerId } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import type { Reachability } from '../consensus/election.ts';
import { type Notification, PeerState } from '../consensus/messages.ts';
import type { PeerIdentity } from '../peer/identity.ts';
import type { ServerConfig } from './config.ts';
import type { Log } from './logger.ts';

/** An election takes less; and so often it is said again. */
const PATIENCE_MS = 3000;
const REPEAT_MS = 60_000;

interface Known {
  readonly standing: Standing;
  readonly isEmpty: boolean;
}

export class PeerStandings {
  readonly #config: ServerConfig;
  readonly #log: Log;
  readonly #peers = new Map<ServerId, Known>();
  #lookingSinceMs: number | undefined;
  #saidAtMs: number | undefined;
  #saidCase: string | undefined;

  constructor(config: ServerConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  met({ sid, standing, isEmpty }: PeerIdentity): void {
    this.#peers.set(sid, { standing, isEmpty });
  }

  /** A hello is as old as its connection: a peer that votes has got its data back since. */
  notified(sid: ServerId, { state, vote }: Notification): void {
    const known = this.#peers.get(sid);
    const hasVote = state !== PeerState.observing && vote.leader !== SERVER_NONE;
    if (known !== undefined && hasVote) this.#peers.set(sid, { ...known, standing: 'whole' });
  }

  /** Nothing is known of a peer that cannot be reached; it will say hello again. */
  reachability(sid: ServerId, reachability: Reachability): void {
    if (reachability === 'down') this.#peers.delete(sid);
  }

  /** Called now and then; `own` is this server's. */
  tick(nowMs: number, isLooking: boolean, own: Known): void {
    if (!isLooking) {
      this.#lookingSinceMs = undefined;
      return;
    }
    this.#lookingSinceMs ??= nowMs;
    if (nowMs - this.#lookingSinceMs < PATIENCE_MS) return;
    const found = this.#diagnose(own);
    if (found === undefined) return;
    const isDue = this.#saidAtMs === undefined || nowMs - this.#saidAtMs >= REPEAT_MS;
    if (found.reason === this.#saidCase && !isDue) return;
    this.#saidAtMs = nowMs;
    this.#saidCase = found.reason;
    this.#log.error('noIntactMajority', found);
  }

  #diagnose(own: Known): { readonly reason: string; readonly remedy: string } | undefined {
    const { voterIds, serverId } = this.#config;
    const known = new Map(this.#peers).set(serverId, own);
    const doubtful = voterIds.filter((sid) => (known.get(sid)?.standing ?? 'whole') !== 'whole');
    if (doubtful.length === 0) return undefined;
    const isAllEmpty = voterIds.every((sid) => known.get(sid)?.isEmpty ?? true);
    const isAnyLost = doubtful.some((sid) => known.get(sid)?.standing === 'lost');
    const unseen = voterIds.filter((sid) => !known.has(sid));
    if (isAllEmpty && !isAnyLost) return waiting(unseen);
    if ((voterIds.length - doubtful.length) * 2 > voterIds.length) return undefined;
    return stranded(doubtful);
  }
}

function waiting(unseen: readonly ServerId[]): { reason: string; remedy: string } {
  return {
    reason: `this server's disk is empty, and so are those of the others that were seen; not seen yet: ${list(unseen)}`,
    remedy:
      'start these servers too: an ensemble begins when all its voters were seen to be empty, since one ' +
      'of them may hold data; an empty file "initialize" in dataDir says at a start that none does',
  };
}

function stranded(doubtful: readonly ServerId[]): { reason: string; remedy: string } {
  return {
    reason: `no majority of the voters has its data: it is lost or was never there on ${list(doubtful)}`,
    remedy:
      'nobody serves, because acknowledged writes could be missing. Give one of these servers its data ' +
      'back (directories set aside are beside the new ones), or put an empty file "initialize" into ' +
      'dataDir of just as many of them as make a majority together with the others, and start them ' +
      'again: the ensemble then goes on with what the others hold, and what only these held is gone',
  };
}

function list(servers: readonly ServerId[]): string {
  if (servers.length === 0) return 'none';
  return servers.map((sid) => `server.${sid}`).join(', ');
}
