import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { EPOCH_NONE, makeServerId, SERVER_NONE, ZXID_NONE } from '../../../src/base/ids.ts';
import type { Standing } from '../../../src/base/standing.ts';
import { PeerState } from '../../../src/consensus/messages.ts';
import { NO_SETTINGS } from '../../../src/peer/agreement.ts';
import { configFromOptions } from '../../../src/server/load-config.ts';
import type { Log } from '../../../src/server/logger.ts';
import { PeerStandings } from '../../../src/server/peer-standings.ts';

const TWO = makeServerId(2);
const THREE = makeServerId(3);
const OWN = { standing: 'whole', isEmpty: false } as const;

class Observed {
  readonly said: object[] = [];
  readonly standings: PeerStandings;

  constructor() {
    const servers = { 1: 'a:1:2', 2: 'b:1:2', 3: 'c:1:2' };
    const config = configFromOptions({ dataDir: '/data', serverId: 1, servers });
    const nothing = (): void => undefined;
    const log: Log = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (_event, fields) => {
        this.said.push(fields ?? {});
      },
    };
    this.standings = new PeerStandings(config, log);
    for (const sid of [TWO, THREE]) this.met(sid, 'lost');
  }

  met(sid: typeof TWO, standing: Standing): void {
    this.standings.met({
      sid,
      clusterId: '',
      incarnation: '',
      standing,
      isEmpty: false,
      participants: [],
      settings: NO_SETTINGS,
    });
  }

  /** What is said after so long without a leader. */
  looksFor(durationMs: number): object[] {
    for (let ms = 0; ms <= durationMs; ms += 100) this.standings.tick(ms, true, OWN);
    return this.said;
  }
}

describe('PeerStandings', () => {
  it('names the servers that lack their data when no majority has it', () => {
    const [said] = new Observed().looksFor(4000);
    assert.match(JSON.stringify(said), /server\.2, server\.3.*initialize/);
  });

  it('says nothing of a peer that cannot be reached any more', () => {
    const observed = new Observed();
    observed.standings.reachability(THREE, 'down');
    assert.deepEqual(observed.looksFor(4000), []);
  });

  it('takes a vote for a sign that the voter has its data back', () => {
    const observed = new Observed();
    const vote = { leader: THREE, zxid: ZXID_NONE, peerEpoch: EPOCH_NONE, round: 1 };
    observed.standings.notified(THREE, { state: PeerState.looking, vote });
    assert.deepEqual(observed.looksFor(4000), []);
  });

  it('takes neither an abstention nor the word of one that observes for a vote', () => {
    const observed = new Observed();
    const vote = { leader: SERVER_NONE, zxid: ZXID_NONE, peerEpoch: EPOCH_NONE, round: 1 };
    observed.standings.notified(THREE, { state: PeerState.looking, vote });
    observed.standings.notified(THREE, {
      state: PeerState.observing,
      vote: { ...vote, leader: TWO },
    });
    assert.equal(observed.looksFor(4000).length, 1);
  });
});
