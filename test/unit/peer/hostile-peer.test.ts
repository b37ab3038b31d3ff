/** Whoever reaches a peer port without being a server. */

import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId } from '../../../src/base/ids.ts';
import { decodeHello, encodeRefusal } from '../../../src/peer/identity.ts';
import { decodeMessage, encodeFrame } from '../../../src/peer/peer-codec.ts';
import { ClientMessageType } from '../../../src/peer/peer-message.ts';
import type { ByteStream } from '../../../src/runtime/runtime.ts';
import { notification, PeerWorld } from '../../support/peer-world.ts';

const HELLO = 80;
const REFUSAL = 81;

interface Stranger {
  readonly stream: ByteStream;
  isClosed: boolean;
}

function strangers(peers: PeerWorld, port: number, count: number): Stranger[] {
  const { network } = peers.world.runtimeFor('stranger');
  return Array.from({ length: count }, () => {
    const stream = network.connect({ host: 's1', port }, 5000);
    const stranger = { stream, isClosed: false };
    const close = (): void => {
      stranger.isClosed = true;
    };
    stream.attach({ onData: () => undefined, onEnd: close, onClose: close });
    return stranger;
  });
}

function isStillOpen(stranger: Stranger): boolean {
  return !stranger.isClosed;
}

describe('a peer port', () => {
  for (const port of [2888, 3888]) {
    it(`${port} keeps 256 connections without a hello, and cuts the oldest off`, async () => {
      const peers = new PeerWorld(2);
      const server = await (port === 2888 ? peers.quorumPeer(1) : peers.electionPeer(1));
      const first = strangers(peers, port, 500);
      await peers.world.runFor(1000);
      assert.equal(first.filter(isStillOpen).length, 256);
      const second = strangers(peers, port, 200);
      await peers.world.runFor(1000);
      assert.equal(first.filter(isStillOpen).length, 56);
      assert.equal(second.filter(isStillOpen).length, 200);
      await peers.world.finish(server.transport.stop());
    });

    it(`${port} takes no hello longer than any hello is`, async () => {
      const peers = new PeerWorld(2);
      await (port === 2888 ? peers.quorumPeer(1) : peers.electionPeer(1));
      const [stranger] = strangers(peers, port, 1);
      assert(stranger !== undefined);
      stranger.stream.write(Buffer.from('00004001', 'hex'));
      await peers.world.runFor(100);
      assert(stranger.isClosed);
    });
  }

  it('serves servers while strangers hold all the places that there are for them', async () => {
    const peers = new PeerWorld(2);
    const server = await peers.electionPeer(1);
    strangers(peers, 3888, 300);
    await peers.world.runFor(100);
    const other = await peers.electionPeer(2);
    other.transport.notify(makeServerId(1), notification(4));
    await peers.world.runFor(1000);
    assert.deepEqual(server.heard, [{ from: 2, round: 4 }]);
  });

  it('writes no sentence in its log that a stranger made up', async () => {
    const peers = new PeerWorld(2);
    const server = await peers.quorumPeer(1);
    const [stranger] = strangers(peers, 2888, 1);
    assert(stranger !== undefined);
    stranger.stream.write(encodeRefusal('all is well'));
    await peers.world.runFor(100);
    assert(stranger.isClosed);
    assert.deepEqual(server.refusals, []);
  });
});

/** What comes behind a frame's length. */
function content(fields: readonly unknown[]): Uint8Array {
  return encodeFrame(fields).subarray(4);
}

describe('decodeHello', () => {
  it('takes for a refusal only a text, and no more of it than a sentence', () => {
    const circular = Buffer.concat([Buffer.of(0x92, REFUSAL), Buffer.alloc(100_000, 0x91)]);
    assert.equal(decodeHello(circular), undefined);
    assert.equal(decodeHello(content([REFUSAL, { toString: 1 }])), undefined);
    assert.equal(decodeHello(content([REFUSAL, 7])), undefined);
    assert.deepEqual(decodeHello(content([REFUSAL, 'x'.repeat(5000)])), {
      refusal: 'x'.repeat(1000),
    });
  });

  it('takes no id that is longer than any of ours', () => {
    const long = 'c'.repeat(129);
    assert.equal(decodeHello(content([HELLO, 1, 2, long, 'i', [1, 2], 1])), undefined);
    assert.equal(decodeHello(content([HELLO, 1, 2, 'c', long, [1, 2], 1])), undefined);
  });
});

describe('decodeMessage', () => {
  it('takes no request whose numbers no client can send', () => {
    const { request } = ClientMessageType;
    const fields = [request, 1, 2n, 3, 4, new Uint8Array(1), [], false];
    assert.notEqual(decodeMessage(content(fields)), undefined);
    for (const number of [Number.NaN, 1.5, 2 ** 31, Number.POSITIVE_INFINITY]) {
      assert.equal(decodeMessage(content(fields.with(3, number))), undefined);
      assert.equal(decodeMessage(content(fields.with(4, number))), undefined);
    }
  });

  it('takes no session timeout that no client can ask for', () => {
    const { revalidate } = ClientMessageType;
    assert.equal(decodeMessage(content([revalidate, 1, 2, 2 ** 31])), undefined);
    assert.notEqual(decodeMessage(content([revalidate, 1, 2, 2 ** 31 - 1])), undefined);
  });
});
