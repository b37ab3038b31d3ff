/**
 * What servers show of themselves, looked at after every event: one history (whoever is at a zxid
 * has the same tree), no process goes back, and one serving leader an epoch.
 */

import type { ServerView } from '../../../src/server/server.ts';
import { hex } from './describe.ts';

/** The part of a server's view that is looked at. */
export type ServerSight = Pick<ServerView, 'mode' | 'lastZxid' | 'digest' | 'epoch'>;

interface Last {
  readonly life: object;
  zxid: number;
}

export class ServerHistory {
  readonly #violations: string[];
  readonly #digests = new Map<number, string>();
  readonly #last = new Map<number, Last>();
  readonly #leaders = new Map<number, number>();

  constructor(violations: string[]) {
    this.#violations = violations;
  }

  /** Epochs in which somebody served as leader. */
  get leaderCount(): number {
    return this.#leaders.size;
  }

  /** `life` is the same object as long as the server's process is the same. */
  observe(server: number, life: object, sight: ServerSight): void {
    const { lastZxid, mode } = sight;
    const last = this.#last.get(server);
    if (last === undefined || last.life !== life) {
      this.#last.set(server, { life, zxid: lastZxid });
      this.#compare(server, lastZxid, sight.digest);
    } else if (last.zxid !== lastZxid) {
      if (lastZxid < last.zxid) {
        this.#violations.push(
          `server ${server} went back from ${hex(last.zxid)} to ${hex(lastZxid)} while it lived`,
        );
      }
      last.zxid = lastZxid;
      this.#compare(server, lastZxid, sight.digest);
    }
    if (mode === 'leader') this.#leads(server, sight.epoch);
  }

  #compare(server: number, zxid: number, digest: string): void {
    const known = this.#digests.get(zxid);
    if (known === undefined) this.#digests.set(zxid, digest);
    else if (known !== digest) {
      this.#violations.push(
        `server ${server} has digest ${digest} at ${hex(zxid)}, where another has ${known}`,
      );
    }
  }

  #leads(server: number, epoch: number): void {
    const known = this.#leaders.get(epoch);
    if (known === undefined) this.#leaders.set(epoch, server);
    else if (known !== server) {
      this.#violations.push(`servers ${known} and ${server} both lead in epoch ${epoch}`);
    }
  }
}
