import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Zxid } from '../../../src/base/ids.ts';
import { CreateMode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { create, read, set, write } from '../drafts.ts';
import type { Crashes } from './expiry.ts';
import { ServerHistory, type ServerSight } from './server-history.ts';
import { dataOf, judge, stat, type Teller } from './tale.ts';

function assertBroken(
  tell: (first: Teller, second: Teller) => void,
  expected: RegExp,
  crashes?: Crashes,
): void {
  const violations = judge(tell, crashes);
  assert.notEqual(violations.length, 0, 'nothing was found');
  assert.match(violations.join('\n'), expected);
}

function assertFine(tell: (first: Teller, second: Teller) => void, crashes?: Crashes): void {
  assert.deepEqual(judge(tell, crashes), []);
}

describe('replies', () => {
  test('a history in which all is well has no violation', () => {
    assertFine((first, second) => {
      first.created('/r/0', 1);
      first.wrote('/r/0', 'a', 1, 2);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1);
      second.synced(2);
      second.read('/r/0', 'a', stat(2, 1), 2);
      first.deleted('/r/0', 3);
      second.missed('/r/0', 3);
    });
  });

  test('a client that is taken back in time is found', () => {
    assertBroken((first) => {
      first.created('/r/0', 5);
      first.missed('/r/1', 4);
    }, /as of 0x4 after 0x5 was seen/);
  });

  test('a client that is taken back in time by another server is found', () => {
    assertBroken((first) => {
      first.created('/r/0', 5);
      const { session, number, history } = first;
      history.saw(number, { kind: 'disconnected' });
      history.saw(number, { kind: 'connected', session, isNew: false });
      first.missed('/r/1', 4);
    }, /as of 0x4 after 0x5 was seen/);
  });

  test('an answer older than an event before it is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1, true);
      second.notified(EventType.nodeDataChanged, '/r/0', 3);
      second.missed('/r/1', 2);
    }, /as of 0x2 after 0x3 was seen/);
  });

  test('two writes with one zxid are found', () => {
    assertBroken((first, second) => {
      first.created('/u/a', 7);
      second.created('/u/b', 7);
    }, /both have 0x7/);
  });

  test('a sync that missed an acknowledged write is found', () => {
    assertBroken((first, second) => {
      first.created('/u/a', 7);
      second.synced(6);
    }, /0x7 was acknowledged before it began/);
  });

  test('a sync need not see what was acknowledged after it began', () => {
    assertFine((first, second) => {
      const sync = second.ask(read('sync', '/'));
      first.created('/u/a', 7);
      second.history.answered(sync, 6, 0, {});
    });
  });
});

describe('nodes', () => {
  test('a lost acknowledged create is found', () => {
    assertBroken((first, second) => {
      first.created('/u/a', 3);
      second.listed('/u', [], 4);
    }, /lacks as of 0x4 what was written at 0x3: \/u\/a/);
  });

  test('a node that is back after its acknowledged deletion is found', () => {
    assertBroken((first, second) => {
      first.created('/u/a', 3);
      first.deleted('/u/a', 4);
      second.read('/u/a', dataOf('/u/a'), stat(3), 5);
    }, /though the delete of 0x4 was acknowledged/);
  });

  test('a stale read is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      first.wrote('/r/0', 'a', 1, 2);
      second.read('/r/0', dataOf('/r/0'), stat(1), 2);
    }, /shows the state of 0x1/);
  });

  test('a write of unknown outcome may have happened or not', () => {
    assertFine((first, second) => {
      first.created('/r/0', 1);
      first.lost(write(set('/r/0', 'a', -1)));
      second.read('/r/0', dataOf('/r/0'), stat(1), 3);
      second.read('/r/0', 'a', stat(4, 1), 5);
    });
  });

  test('a write that took effect after a later one of its session is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      first.lost(write(set('/r/0', 'a', -1)));
      first.created('/u/a', 2);
      second.read('/r/0', 'a', stat(3, 1), 3);
    }, /shows a of 0x3, written by nobody/);
  });

  test('a value that nobody wrote is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', 'b', stat(2, 1), 3);
    }, /shows b of 0x2, written by nobody/);
  });

  test('a value under the zxid of another write is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      first.wrote('/r/0', 'a', 1, 2);
      second.read('/r/0', 'b', stat(2, 1), 3);
    }, /shows b of 0x2, which wrote a/);
  });

  test('a version that was skipped is found', () => {
    assertBroken((first) => {
      first.created('/r/0', 1);
      first.wrote('/r/0', 'a', 1, 2);
      first.wrote('/r/0', 'b', 3, 3);
    }, /went from version 1 to 3/);
  });

  test('a node created twice is found', () => {
    assertBroken((first, second) => {
      first.created('/d/0', 1);
      second.created('/d/0', 2);
    }, /created at 0x2, though it was there/);
  });

  test('a node that nobody made is found', () => {
    assertBroken((_first, second) => second.listed('/u', ['x'], 1), /nobody made: x/);
  });

  test('an answer from the future is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 5);
      second.read('/r/0', dataOf('/r/0'), stat(5), 4);
    }, /shows 0x5 in an answer as of 0x4/);
  });

  test('half a multi is found', () => {
    assertBroken((first, second) => {
      const changes = ['/m/a', '/m/b'].map((path) => create(path, path, CreateMode.persistent));
      first.lost({ kind: 'multi', path: '', watch: false, changes });
      second.listed('/m', ['a'], 2);
    }, /shows only a of/);
  });

  test('an acknowledged multi is there whole', () => {
    assertFine((first, second) => {
      first.multi(['/m/a', '/m/b'], 2);
      second.listed('/m', ['b', 'a'], 2);
    });
  });
});

describe('sequences', () => {
  test('a number given twice is found', () => {
    assertBroken((first, second) => {
      first.createdSequential('/s/q-', '/s/q-0000000003', 1);
      second.createdSequential('/s/q-', '/s/q-0000000003', 2);
    }, /got number 3 at 0x2 after 3/);
  });

  test('a node whose number only its finder knows may be taken away', () => {
    assertFine((first, second) => {
      first.lost(write(create('/s/q-', 'value', CreateMode.persistentSequential)));
      second.listed('/s', ['q-0000000000'], 1);
      second.deleted('/s/q-0000000000', 2);
      second.listed('/s', [], 2);
    });
  });

  test('numbers that fall while zxids rise are found', () => {
    assertBroken((first, second) => {
      first.createdSequential('/s/q-', '/s/q-0000000004', 1);
      second.createdSequential('/s/q-', '/s/q-0000000003', 2);
    }, /got number 3 at 0x2 after 4/);
  });
});

describe('ephemerals', () => {
  test('an ephemeral node that is gone while its session lives is found', () => {
    assertBroken((first, second) => {
      first.created('/e/a', 1, CreateMode.ephemeral);
      second.listed('/e', [], 2);
    }, /lacks as of 0x2/);
  });

  test('an ephemeral node that outlives its closed session is found', () => {
    assertBroken((first, second) => {
      first.created('/e/a', 1, CreateMode.ephemeral);
      first.closed(2);
      second.listed('/e', ['a'], 3);
    }, /deleted at 0x2/);
  });

  test('an ephemeral node that outlives its expired session is found in the end', () => {
    assertBroken((first, second) => {
      first.created('/e/a', 1, CreateMode.ephemeral);
      first.session.state = 'expired';
      first.session.expiredMs = first.session.aliveMs + 1000;
      second.listed('/e', ['a'], 3);
    }, /shows a of a session that has ended/);
  });

  test('a session that expires soon after it was heard of is found', () => {
    assertBroken((first) => {
      first.created('/r/0', 1);
      first.history.sessionExpired(first.session);
    }, /timeout of 1000 ms expired \d ms after it was heard of/);
  });

  test('a session of one server may be over as soon as another server is asked', () => {
    assertFine((first) => {
      first.session.kind = 'local';
      first.created('/r/0', 1);
      first.history.sessionExpired(first.session, 's2');
    });
    assertBroken((first) => {
      first.session.kind = 'local';
      first.created('/r/0', 1);
      first.history.sessionExpired(first.session, first.session.home);
    }, /timeout of 1000 ms expired \d ms after it was heard of/);
  });

  test('a session of one server is over with that server, also before its client hears of it', () => {
    const beginLate = ({ history, number }: Teller): void => {
      const askedMs = history.nowMs;
      const session = history.sessionBegan(number, 7n, 1000, 's1', 'local', askedMs);
      history.sessionExpired(session, 's1');
    };
    // Asked for at 2, and said to have expired at 3.
    assertFine(beginLate, new Map([['s1', [2.5]]]));
    const expected = /timeout of 1000 ms expired \d ms after it was heard of/;
    assertBroken(beginLate, expected);
    assertBroken(beginLate, expected, new Map([['s1', [1.5, 3.5]]]));
    assertBroken(beginLate, expected, new Map([['s2', [2.5]]]));
  });

  test('an acknowledged ephemeral node makes its session one that every server knows', () => {
    assertBroken((first) => {
      first.session.kind = 'local';
      first.created('/e/a', 1, CreateMode.ephemeral);
      first.history.sessionExpired(first.session, 's2');
    }, /timeout of 1000 ms expired \d ms after it was heard of/);
  });

  test('an ephemeral node may go at any time once its session is not heard of', () => {
    assertFine((first, second) => {
      first.created('/e/a', 1, CreateMode.ephemeral);
      first.session.state = 'abandoned';
      second.listed('/e', [], 3);
    });
  });
});

describe('watches', () => {
  test('a change seen before its event is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1, true);
      first.wrote('/r/0', 'a', 1, 2);
      second.read('/r/0', 'a', stat(2, 1), 2);
    }, /shows 0x2 before the event of the watch set at 0x1/);
  });

  test('a later state shown before the event of another node is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1, true);
      first.wrote('/r/0', 'a', 1, 2);
      second.missed('/r/1', 3);
    }, /saw 0x3 without the event that its data watch on \/r\/0 owed it for 0x2/);
  });

  test('a second event of one watch is found', () => {
    assertBroken((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1, true);
      second.notified(EventType.nodeDataChanged, '/r/0', 2);
      second.notified(EventType.nodeDataChanged, '/r/0', 3);
    }, /of which it has no watch/);
  });

  test('a missing event for a new child is found', () => {
    assertBroken((first, second) => {
      second.listed('/u', [], 1, true);
      first.created('/u/a', 2);
      second.missed('/r/1', 2);
    }, /child watch on \/u owed it for 0x2/);
  });

  test('the end of a session owes no event for a node that may have been deleted before', () => {
    assertFine((first, second) => {
      first.created('/e/a', 1, CreateMode.ephemeral);
      first.lost(write({ ...create('/e/a', '', CreateMode.persistent), kind: 'delete' }));
      second.listed('/e', [], 2, true);
      first.closed(3);
      second.missed('/r/1', 3);
    });
  });

  test('an event in time satisfies its watch', () => {
    assertFine((first, second) => {
      first.created('/r/0', 1);
      second.read('/r/0', dataOf('/r/0'), stat(1), 1, true);
      first.wrote('/r/0', 'a', 1, 2);
      second.notified(EventType.nodeDataChanged, '/r/0', 2);
      second.read('/r/0', 'a', stat(2, 1), 2);
    });
  });
});

describe('ServerHistory', () => {
  const sight = (zxid: number, digest: string, more: Partial<ServerSight> = {}): ServerSight => ({
    mode: 'follower',
    lastZxid: zxid as Zxid,
    digest,
    epoch: 1,
    ...more,
  });

  test('observe() finds two trees at one zxid', () => {
    const violations: string[] = [];
    const servers = new ServerHistory(violations);
    servers.observe(1, {}, sight(5, 'aa'));
    servers.observe(2, {}, sight(5, 'ab'));
    assert.match(violations.join(), /digest ab at 0x5, where another has aa/);
  });

  test('observe() finds a process that goes back, and lets a new one start earlier', () => {
    const violations: string[] = [];
    const servers = new ServerHistory(violations);
    const life = {};
    servers.observe(1, life, sight(5, 'aa'));
    servers.observe(1, {}, sight(4, 'a4'));
    assert.deepEqual(violations, []);
    servers.observe(2, life, sight(5, 'aa'));
    servers.observe(2, life, sight(4, 'a4'));
    assert.match(violations.join(), /server 2 went back from 0x5 to 0x4/);
  });

  test('observe() finds two leaders of one epoch', () => {
    const violations: string[] = [];
    const servers = new ServerHistory(violations);
    servers.observe(1, {}, sight(5, 'aa', { mode: 'leader' }));
    servers.observe(2, {}, sight(5, 'aa', { mode: 'leader', epoch: 2 }));
    assert.deepEqual(violations, []);
    servers.observe(3, {}, sight(5, 'aa', { mode: 'leader', epoch: 2 }));
    assert.match(violations.join(), /servers 2 and 3 both lead in epoch 2/);
  });
});
