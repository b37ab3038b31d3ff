import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CreateMode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { check, create, read, set, write } from '../drafts.ts';
import { dataOf, judge, stat, type Teller } from './tale.ts';

type Tale = (first: Teller, second: Teller) => void;

function assertBroken(tell: Tale, expected: RegExp): void {
  assert.match(judge(tell).join('\n'), expected);
}

function assertFine(tell: Tale): void {
  assert.deepEqual(judge(tell), []);
}

describe('real time', () => {
  test('a write that takes effect before one that was acknowledged earlier is found', () => {
    assertBroken((first, second) => {
      first.created('/u/a', 7);
      second.created('/u/b', 6);
    }, /took effect at 0x6, though 0x7 was acknowledged before it was asked/);
  });

  test('writes that overlap may take effect in any order', () => {
    assertFine((first, second) => {
      const slow = second.ask(write(create('/u/b', 'b', CreateMode.persistent)));
      first.created('/u/a', 7);
      second.history.answered(slow, 6, 0, { path: '/u/b' });
    });
  });
});

describe('linearizability', () => {
  test('a read behind a sync that misses a write is found by the clock alone', () => {
    assertBroken((first, second) => {
      first.wrote('/r/0', 'a', 1, 2);
      first.wrote('/r/0', 'b', 2, 3);
      second.synced(2);
      second.read('/r/0', 'a', stat(2, 1), 2);
    }, /was set to b while it held a without a break/);
  });

  test('two values that were both there, one read after the other, are found', () => {
    assertBroken((first, second) => {
      first.wrote('/r/0', 'a', 1, 2);
      first.wrote('/r/0', 'b', 2, 3);
      second.synced(3);
      second.read('/r/0', 'b', stat(3, 2), 3);
      second.synced(3);
      second.read('/r/0', 'a', stat(2, 1), 3);
    }, /held a and b at one time/);
  });

  test('a value that is read before anybody wrote it is found', () => {
    assertBroken((first, second) => {
      second.synced(1);
      second.read('/r/0', 'a', stat(2, 1), 2);
      first.wrote('/r/0', 'a', 1, 2);
    }, /shows what was written only later/);
  });

  test('a read without a sync may be old', () => {
    assertFine((first, second) => {
      first.created('/r/0', 1);
      first.wrote('/r/0', 'a', 1, 2);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1);
    });
  });

  test('a write without an answer takes effect at any time, or never', () => {
    assertFine((first, second) => {
      first.created('/r/0', 1);
      first.lost(write(set('/r/0', 'a', -1)));
      second.synced(1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1);
      second.synced(2);
      second.read('/r/0', 'a', stat(2, 1), 2);
    });
  });
});

describe('locks and queues', () => {
  const fenced = (teller: Teller, token: number, zxid: number): void => {
    const changes = [check(`/l/q-000000000${token}`, -1), set('/f/0', `${token}`, -1)];
    const draft = { kind: 'multi', path: '', watch: false, changes } as const;
    const stats = [undefined, stat(zxid, zxid)];
    teller.history.answered(teller.ask(draft), zxid, 0, { stats });
  };

  test('a holder that writes after the next one has is found', () => {
    assertBroken((first, second) => {
      fenced(first, 3, 1);
      fenced(second, 4, 2);
      fenced(first, 3, 3);
    }, /wrote as holder 3 at 0x3 after holder 4 had/);
  });

  test('an item that is taken twice is found', () => {
    assertBroken((first, second) => {
      first.createdSequential('/q/q-', '/q/q-0000000000', 1);
      first.deleted('/q/q-0000000000', 2);
      second.deleted('/q/q-0000000000', 3);
    }, /was deleted at 0x3, though it was not there/);
  });

  test('an item whose maker was not told may be taken all the same', () => {
    assertFine((first, second) => {
      first.lost(write(create('/q/q-', 'x', CreateMode.persistentSequential)));
      second.deleted('/q/q-0000000000', 2);
    });
  });
});

describe('watches that stay', () => {
  const watching = (teller: Teller, path: string, zxid: number): void => {
    teller.history.answered(teller.ask(read('addWatch', path)), zxid, 0, {});
  };

  test('a change below a recursive watch that is never told is found', () => {
    assertBroken((first, second) => {
      watching(second, '/d', 1);
      first.created('/d/0', 2);
      second.missed('/r/1', 2);
    }, /was not told of the create of \/d\/0 at 0x2/);
  });

  test('an event that comes twice is found', () => {
    assertBroken((first, second) => {
      watching(second, '/d', 1);
      first.created('/d/0', 2);
      second.notified(EventType.nodeCreated, '/d/0', 2);
      second.notified(EventType.nodeCreated, '/d/0', 2);
    }, /was told twice of \/d\/0/);
  });

  test('an event that comes after what it announces is found', () => {
    assertBroken((first, second) => {
      watching(second, '/d/0', 1);
      first.created('/d/0', 2);
      second.missed('/r/1', 2);
      second.notified(EventType.nodeCreated, '/d/0', 2);
    }, /heard of \/d\/0 at 0x2 after it had seen 0x2/);
  });

  test('what changes while the client is away is not owed, what changes after it came back is', () => {
    const tell =
      (zxid: number): Tale =>
      (first, second) => {
        const { history, number, session } = second;
        watching(second, '/d', 1);
        history.saw(number, { kind: 'disconnected' });
        first.created('/d/0', 2);
        history.saw(number, { kind: 'connected', session, isNew: false });
        second.missed('/r/1', 2);
        first.deleted('/d/0', 3);
        second.missed('/r/1', zxid);
      };
    assertFine(tell(2));
    assertBroken(tell(3), /was not told of the delete of \/d\/0 at 0x3/);
  });
});
