import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeServerId, makeZxid } from '../../../src/base/ids.ts';
import type { LogEntry } from '../../../src/consensus/messages.ts';
import { ZabChronicle } from '../../support/zab-chronicle.ts';
import { type Disk, emptyDisk } from '../../support/zab-disk.ts';

const ONE = makeServerId(1);
const TWO = makeServerId(2);

function entry(epoch: number, counter: number, text = 't'): LogEntry {
  return { zxid: makeZxid(makeEpoch(epoch), counter), bytes: Buffer.from(text) };
}

function diskWith(...log: LogEntry[]): Disk {
  return { ...emptyDisk(), log };
}

describe('ZabChronicle', () => {
  it('finds a server that applies something else at the same place', () => {
    const chronicle = new ZabChronicle();
    chronicle.known(ONE, 1, 0, entry(1, 1, 'a'));
    chronicle.known(TWO, 1, 0, entry(1, 1, 'a'));
    assert.throws(() => chronicle.known(TWO, 1, 0, entry(1, 1, 'b')), /another history/);
  });

  it('finds a second server that claims an epoch', () => {
    const chronicle = new ZabChronicle();
    chronicle.claimed(ONE, 2, diskWith());
    chronicle.claimed(ONE, 2, diskWith());
    assert.throws(() => chronicle.claimed(TWO, 2, diskWith()), /servers 1 and 2 claim epoch 2/);
  });

  it('finds a claim that lacks what an earlier epoch has committed', () => {
    const chronicle = new ZabChronicle();
    chronicle.known(ONE, 1, 0, entry(1, 1));
    assert.throws(
      () => chronicle.claimed(TWO, 2, diskWith()),
      /claims epoch 2 without 0x100000001/,
    );
  });

  it('finds a commit of an epoch that nobody can be part of any more', () => {
    const chronicle = new ZabChronicle();
    chronicle.claimed(TWO, 2, diskWith());
    assert.throws(() => chronicle.known(ONE, 1, 0, entry(1, 1)), /claims epoch 2 without/);
  });

  it('lets a later leader commit what a claim in between did not hold', () => {
    const chronicle = new ZabChronicle();
    chronicle.claimed(TWO, 2, diskWith());
    chronicle.claimed(ONE, 3, diskWith(entry(1, 1)));
    chronicle.known(ONE, 3, 0, entry(1, 1));
  });

  it('finds a leader that lacks what was committed before its epoch', () => {
    const chronicle = new ZabChronicle();
    chronicle.claimed(TWO, 3, diskWith(entry(1, 1)));
    chronicle.known(ONE, 1, 0, entry(1, 1));
    chronicle.established(TWO, 3, diskWith(entry(1, 1)));
    assert.throws(() => chronicle.established(ONE, 2, diskWith()), /lacks committed transactions/);
  });

  it('lets a leader hear late of its establishment, when a later epoch has committed more', () => {
    const chronicle = new ZabChronicle();
    chronicle.known(ONE, 3, 0, entry(3, 1));
    chronicle.established(TWO, 2, diskWith());
  });
});
