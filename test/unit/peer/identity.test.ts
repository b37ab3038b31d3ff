import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId, type ServerId } from '../../../src/base/ids.ts';
import { NO_SETTINGS } from '../../../src/peer/agreement.ts';
import {
  decodeHello,
  encodeHello,
  encodeRefusal,
  type Hello,
  PEER_PROTOCOL_VERSION,
  type PeerIdentity,
  refusalReason,
} from '../../../src/peer/identity.ts';

const KNOWN: readonly ServerId[] = [1, 2, 3].map(makeServerId);

function identity(sid: number, changes: Partial<PeerIdentity> = {}): PeerIdentity {
  return {
    sid: makeServerId(sid),
    clusterId: 'c0ffee00c0ffee00',
    incarnation: `incarnation-${sid}`,
    standing: 'whole',
    isEmpty: false,
    participants: KNOWN,
    settings: NO_SETTINGS,
    ...changes,
  };
}

function hello(sid: number, to: number, changes: Partial<PeerIdentity> = {}): Hello {
  return {
    version: PEER_PROTOCOL_VERSION,
    identity: identity(sid, changes),
    to: makeServerId(to),
  };
}

/** What server 1 says to a hello that came to it. */
function asked(theirs: Hello): string | undefined {
  return refusalReason(identity(1), theirs, '10.0.0.2:3888', undefined, KNOWN);
}

describe('hello', () => {
  it('arrives as it was sent', () => {
    assert.deepEqual(decodeHello(encodeHello(hello(2, 1)).subarray(4)), hello(2, 1));
  });

  it('brings the sentence of a refusal across', () => {
    assert.deepEqual(decodeHello(encodeRefusal('go away').subarray(4)), { refusal: 'go away' });
  });
});

describe('refusalReason', () => {
  it('lets a member of the same ensemble in', () => {
    assert.equal(asked(hello(2, 1)), undefined);
  });

  it('lets a server in whose data belongs to no ensemble yet', () => {
    assert.equal(asked(hello(2, 1, { clusterId: '' })), undefined);
  });

  it('names the address of a second server with the own id', () => {
    assert.match(asked(hello(1, 1)) ?? '', /10\.0\.0\.2:3888 has myid 1 as this server does/);
  });

  it('names both lines when a dialled address is answered by another server', () => {
    const dialled = makeServerId(3);
    const reason = refusalReason(identity(1), hello(2, 1), '10.0.0.3:3888', dialled, KNOWN);
    assert.match(reason ?? '', /line server\.3 is answered by server 2/);
    assert.match(reason ?? '', /lines server\.3 and server\.2.* are swapped/);
  });

  it('names both lines when somebody looks for another server here', () => {
    assert.match(asked(hello(2, 3)) ?? '', /looks for server 3 at the address of this server 1/);
  });

  it('refuses a server that is not in the list', () => {
    assert.match(asked(hello(4, 1)) ?? '', /server 4 .* is not in the list of server 1/);
  });

  it('refuses data of another cluster', () => {
    const reason = asked(hello(2, 1, { clusterId: 'deadbeefdeadbeef' }));
    assert.match(reason ?? '', /data of cluster deadbeef, server 1 of cluster c0ffee00/);
  });

  it('refuses another idea of who votes', () => {
    const participants = [1, 2, 3, 4, 5].map(makeServerId);
    const reason = asked(hello(2, 1, { participants }));
    assert.match(reason ?? '', /counts servers 1, 2, 3, 4, 5 .* server 1 counts 1, 2, 3/);
  });

  it('refuses another version of the protocol', () => {
    const reason = asked({ ...hello(2, 1), version: PEER_PROTOCOL_VERSION + 1 });
    assert.match(reason ?? '', /run the same release on both/);
  });
});
