import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, OPEN_ACL, Perm } from '../../../src/base/acl.ts';
import { makeSessionId } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { WatcherType, WatchMode } from '../../../src/base/watch-mode.ts';
import { type Watcher, WatchManager } from '../../../src/session/watch-manager.ts';

const OPEN = { acl: OPEN_ACL };
const SECRET = { acl: [{ perms: Perm.read, scheme: 'digest', id: 'bob:hash' }] };
const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;

/** Remembers what it is told, as `type path`. */
class Listener implements Watcher {
  readonly sessionId = makeSessionId(1n);
  readonly heard: string[] = [];
  readonly #maySeeSecrets: boolean;

  constructor(maySeeSecrets = false) {
    this.#maySeeSecrets = maySeeSecrets;
  }

  mayRead(acl: readonly Acl[]): boolean {
    return this.#maySeeSecrets || acl !== SECRET.acl;
  }

  notify(type: EventType, path: string): void {
    this.heard.push(`${type} ${path}`);
  }

  /** What was heard since the last call. */
  take(): string[] {
    return this.heard.splice(0);
  }
}

function fixture(): { watches: WatchManager; amy: Listener; bob: Listener } {
  return { watches: new WatchManager(), amy: new Listener(), bob: new Listener(true) };
}

test('a one-shot data watch fires for creation, change and deletion, each time only once', () => {
  const { watches, amy } = fixture();
  for (const type of [nodeCreated, nodeDataChanged, nodeDeleted]) {
    watches.addDataWatch('/a', amy);
    for (let round = 0; round < 2; round++) {
      if (type === nodeCreated) watches.created('/a', OPEN);
      else if (type === nodeDataChanged) watches.dataChanged('/a', OPEN);
      else watches.deleted('/a', OPEN);
    }
    assert.deepEqual(amy.take(), [`${type} /a`]);
  }
  assert.equal(watches.count, 0);
});

test('a one-shot child watch fires for changes of the children and for deletion, not for data', () => {
  const { watches, amy } = fixture();
  watches.addChildWatch('/a', amy);
  watches.created('/a', OPEN);
  watches.dataChanged('/a', OPEN);
  assert.deepEqual(amy.take(), []);
  watches.childrenChanged('/a', OPEN);
  watches.childrenChanged('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeChildrenChanged} /a`]);
  watches.addChildWatch('/a', amy);
  watches.deleted('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeDeleted} /a`]);
});

test('asking twice is one watch', () => {
  const { watches, amy } = fixture();
  watches.addDataWatch('/a', amy);
  watches.addDataWatch('/a', amy);
  assert.equal(watches.count, 1);
  watches.dataChanged('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeDataChanged} /a`]);
});

test('a deletion is told once to who watches both data and children', () => {
  const { watches, amy, bob } = fixture();
  watches.addDataWatch('/a', amy);
  watches.addChildWatch('/a', amy);
  watches.addChildWatch('/a', bob);
  watches.deleted('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeDeleted} /a`]);
  assert.deepEqual(bob.take(), [`${nodeDeleted} /a`]);
  assert.equal(watches.count, 0);
});

test('a persistent watch hears of everything at its path, again and again, and of nothing below', () => {
  const { watches, amy } = fixture();
  watches.addLastingWatch('/a', amy, WatchMode.persistent);
  for (let round = 0; round < 2; round++) {
    watches.created('/a', OPEN);
    watches.childrenChanged('/a', OPEN);
    watches.dataChanged('/a', OPEN);
    watches.dataChanged('/a/b', OPEN);
    watches.deleted('/a', OPEN);
    const types = [nodeCreated, nodeChildrenChanged, nodeDataChanged, nodeDeleted];
    assert.deepEqual(
      amy.take(),
      types.map((type) => `${type} /a`),
    );
  }
});

test('a recursive watch hears of its path and all below, never of changed children', () => {
  const { watches, amy } = fixture();
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  watches.created('/a', OPEN);
  watches.created('/a/b/c', OPEN);
  watches.childrenChanged('/a/b', OPEN);
  watches.dataChanged('/a/b', OPEN);
  watches.deleted('/a/b/c', OPEN);
  watches.dataChanged('/ab', OPEN);
  watches.dataChanged('/', OPEN);
  const expected = [
    `${nodeCreated} /a`,
    `${nodeCreated} /a/b/c`,
    `${nodeDataChanged} /a/b`,
    `${nodeDeleted} /a/b/c`,
  ];
  assert.deepEqual(amy.take(), expected);
});

test('a recursive watch on the root hears of every node', () => {
  const { watches, amy } = fixture();
  watches.addLastingWatch('/', amy, WatchMode.recursive);
  for (const path of ['/', '/a', '/a/b']) watches.dataChanged(path, OPEN);
  const expected = ['/', '/a', '/a/b'].map((path) => `${nodeDataChanged} ${path}`);
  assert.deepEqual(amy.take(), expected);
});

test('all modes on one path give one event, and only the one-shot watch is used up', () => {
  const { watches, amy } = fixture();
  watches.addDataWatch('/a', amy);
  watches.addLastingWatch('/a', amy, WatchMode.persistent);
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  watches.addLastingWatch('/', amy, WatchMode.recursive);
  watches.dataChanged('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeDataChanged} /a`]);
  assert.equal(watches.has('/a', amy, WatcherType.data), false);
  assert.equal(watches.has('/a', amy, WatcherType.persistent), true);
  assert.equal(watches.has('/a', amy, WatcherType.recursive), true);
});

test('a deletion is told once whatever modes and tables name the connection', () => {
  const { watches, amy } = fixture();
  watches.addChildWatch('/a', amy);
  watches.addLastingWatch('/a', amy, WatchMode.persistent);
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  watches.deleted('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeDeleted} /a`]);
  assert.equal(watches.has('/a', amy, WatcherType.children), false);
});

test('a child watch beside a recursive one still hears of changed children', () => {
  const { watches, amy } = fixture();
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  watches.addChildWatch('/a', amy);
  watches.childrenChanged('/a', OPEN);
  watches.childrenChanged('/a', OPEN);
  assert.deepEqual(amy.take(), [`${nodeChildrenChanged} /a`]);
});

test('who may not read the node hears nothing, and its one-shot watch is used up', () => {
  const { watches, amy, bob } = fixture();
  for (const watcher of [amy, bob]) {
    watches.addDataWatch('/s', watcher);
    watches.addChildWatch('/s', watcher);
    watches.addLastingWatch('/', watcher, WatchMode.recursive);
  }
  watches.dataChanged('/s', SECRET);
  watches.childrenChanged('/s', SECRET);
  watches.created('/s/t', SECRET);
  watches.deleted('/s/t', SECRET);
  const expected = [
    `${nodeDataChanged} /s`,
    `${nodeChildrenChanged} /s`,
    `${nodeCreated} /s/t`,
    `${nodeDeleted} /s/t`,
  ];
  assert.deepEqual(bob.take(), expected);
  assert.deepEqual(amy.take(), []);
  assert.equal(watches.has('/s', amy, WatcherType.data), false);
  assert.equal(watches.has('/s', amy, WatcherType.children), false);
});

test('has() and remove() know each type at exactly the path and only the own connection', () => {
  const { watches, amy, bob } = fixture();
  watches.addDataWatch('/a', amy);
  watches.addChildWatch('/a', amy);
  watches.addLastingWatch('/a', amy, WatchMode.persistent);
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  const { children, data, persistent, recursive, any } = WatcherType;
  for (const type of [children, data, persistent, recursive]) {
    assert.equal(watches.has('/a', bob, type), false);
    assert.equal(watches.has('/a/b', amy, type), false);
    assert.equal(watches.remove('/a', bob, type), false);
    assert.equal(watches.remove('/a/b', amy, type), false);
    assert.equal(watches.has('/a', amy, any), true);
    assert.equal(watches.remove('/a', amy, type), true);
    assert.equal(watches.has('/a', amy, type), false);
    assert.equal(watches.remove('/a', amy, type), false);
  }
  assert.equal(watches.has('/a', amy, any), false);
  assert.deepEqual(amy.take(), []);
});

test('remove() of any type removes every mode at the path', () => {
  const { watches, amy } = fixture();
  watches.addChildWatch('/a', amy);
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  assert.equal(watches.remove('/a', amy, WatcherType.any), true);
  assert.equal(watches.remove('/a', amy, WatcherType.any), false);
  assert.equal(watches.count, 0);
});

test('counts and views take several modes at one path for one watch of a table', () => {
  const { watches, amy, bob } = fixture();
  watches.addDataWatch('/a', amy);
  watches.addLastingWatch('/a', amy, WatchMode.persistent);
  watches.addLastingWatch('/a', amy, WatchMode.recursive);
  watches.addLastingWatch('/b', bob, WatchMode.recursive);
  watches.addChildWatch('/c', bob);
  assert.equal(watches.dataWatchCount, 2);
  assert.equal(watches.count, 4);
  assert.deepEqual([...watches.dataWatches.keys()].sort(), ['/a', '/b']);
  assert.deepEqual([...(watches.dataWatchers.get(bob) ?? [])], ['/b']);
});

test('a watcher that closes while it is told is told no more and leaves nothing behind', () => {
  const watches = new WatchManager();
  const amy = new Listener();
  const leaving: Watcher = {
    sessionId: makeSessionId(2n),
    mayRead: () => true,
    notify: () => {
      watches.removeWatcher(leaving);
      watches.removeWatcher(amy);
    },
  };
  watches.addLastingWatch('/a', leaving, WatchMode.persistent);
  watches.addLastingWatch('/', leaving, WatchMode.recursive);
  watches.dataChanged('/a', OPEN);
  assert.equal(watches.count, 0);
});

/** The same watches as plain lists, looked through from end to end. */
class PlainModel {
  #watches: { mode: string; path: string; watcher: Listener }[] = [];

  add(mode: string, path: string, watcher: Listener): void {
    this.remove((watch) => watch.mode === mode && watch.path === path && watch.watcher === watcher);
    this.#watches.push({ mode, path, watcher });
  }

  remove(matches: (watch: { mode: string; path: string; watcher: Listener }) => boolean): void {
    this.#watches = this.#watches.filter((watch) => !matches(watch));
  }

  /** Who hears of it through the table; one-shot watches go. */
  fire(table: 'data' | 'child', path: string): Set<Listener> {
    const matching = this.#watches.filter((watch) => {
      if (watch.mode === table || watch.mode === 'persistent') return watch.path === path;
      if (watch.mode !== 'recursive' || table === 'child') return false;
      return watch.path === '/' || watch.path === path || path.startsWith(`${watch.path}/`);
    });
    this.remove((watch) => watch.mode === table && watch.path === path);
    return new Set(matching.map((watch) => watch.watcher));
  }

  count(modes: readonly string[]): number {
    const found = this.#watches.filter((watch) => modes.includes(watch.mode));
    return new Map(found.map(({ path, watcher }) => [`${path} ${watchersId(watcher)}`, true])).size;
  }
}

const ids = new Map<Listener, number>();

function watchersId(watcher: Listener): number {
  const id = ids.get(watcher) ?? ids.size;
  ids.set(watcher, id);
  return id;
}

test('random watches and triggers leave the counts and events that a recount gives', () => {
  const prng = new Prng(20_261_121);
  const watches = new WatchManager();
  const model = new PlainModel();
  const watchers = [new Listener(), new Listener(), new Listener()];
  const paths = ['/', '/a', '/a/b', '/a/b/c', '/b'];
  const pick = <T>(list: readonly T[]): T => list[prng.between(0, list.length - 1)] as T;
  for (let step = 0; step < 4000; step++) {
    const path = pick(paths);
    const watcher = pick(watchers);
    switch (prng.between(0, 7)) {
      case 0:
        watches.addDataWatch(path, watcher);
        model.add('data', path, watcher);
        break;
      case 1:
        watches.addChildWatch(path, watcher);
        model.add('child', path, watcher);
        break;
      case 2:
        watches.addLastingWatch(path, watcher, WatchMode.persistent);
        model.add('persistent', path, watcher);
        break;
      case 3:
        watches.addLastingWatch(path, watcher, WatchMode.recursive);
        model.add('recursive', path, watcher);
        break;
      case 4:
        watches.remove(path, watcher, WatcherType.any);
        model.remove((watch) => watch.path === path && watch.watcher === watcher);
        break;
      case 5:
        watches.dataChanged(path, OPEN);
        expectTold(watchers, model.fire('data', path), `${nodeDataChanged} ${path}`);
        break;
      case 6: {
        watches.deleted(path, OPEN);
        const told = new Set([...model.fire('data', path), ...model.fire('child', path)]);
        expectTold(watchers, told, `${nodeDeleted} ${path}`);
        break;
      }
      default:
        if (prng.chance(0.2)) {
          watches.removeWatcher(watcher);
          model.remove((watch) => watch.watcher === watcher);
        }
    }
    const dataCount = model.count(['data', 'persistent', 'recursive']);
    assert.equal(watches.dataWatchCount, dataCount);
    assert.equal(watches.count, dataCount + model.count(['child', 'persistent']));
  }
});

function expectTold(all: readonly Listener[], told: ReadonlySet<Listener>, event: string): void {
  for (const watcher of all) assert.deepEqual(watcher.take(), told.has(watcher) ? [event] : []);
}

test('ten thousand watchers of one node and a hundred thousand paths of one watcher stay cheap', () => {
  const watches = new WatchManager();
  const crowd = Array.from({ length: 10_000 }, () => new Listener());
  const reader = new Listener();
  for (const watcher of crowd) watches.addDataWatch('/hot', watcher);
  for (let at = 0; at < 100_000; at++) watches.addDataWatch(`/tree/${at % 100}/${at}`, reader);
  assert.equal(watches.count, 110_000);
  watches.dataChanged('/hot', OPEN);
  assert.ok(crowd.every((watcher) => watcher.heard.length === 1));
  // Quadratic work would take minutes here.
  for (let at = 0; at < 100_000; at += 2) watches.deleted(`/tree/${at % 100}/${at}`, OPEN);
  assert.equal(reader.heard.length, 50_000);
  watches.removeWatcher(reader);
  assert.equal(watches.count, 0);
  assert.equal(watches.dataWatches.size + watches.dataWatchers.size, 0);
});

test('WatchManager refuses what goes beyond the limit of a connection, and only that', () => {
  const watches = new WatchManager({ perWatcher: 3, inAll: 100 });
  const [amy, bob] = [new Listener(), new Listener()];
  assert.ok(watches.addDataWatch('/a', amy));
  assert.ok(watches.addChildWatch('/a', amy));
  assert.ok(watches.addLastingWatch('/a', amy, WatchMode.recursive));
  assert.equal(watches.addDataWatch('/b', amy), false);
  assert.equal(watches.addLastingWatch('/b', amy, WatchMode.persistent), false);
  assert.ok(watches.addDataWatch('/a', amy), 'armed already');
  assert.ok(watches.addDataWatch('/b', bob));
  watches.dataChanged('/a', OPEN);
  assert.ok(watches.addDataWatch('/b', amy), 'room again');
});

test('WatchManager refuses what goes beyond the limit of all connections', () => {
  const watches = new WatchManager({ perWatcher: 100, inAll: 2 });
  const [amy, bob] = [new Listener(), new Listener()];
  assert.ok(watches.addDataWatch('/a', amy));
  assert.ok(watches.addDataWatch('/a', bob));
  assert.equal(watches.addChildWatch('/a', bob), false);
  watches.removeWatcher(amy);
  assert.ok(watches.addChildWatch('/a', bob));
});

test('WatchManager counts long paths for the room they take, until they are gone', () => {
  const watches = new WatchManager({ perWatcher: 5, inAll: 100 });
  const amy = new Listener();
  const long = `/${'x'.repeat(4 * 128)}`;
  assert.ok(watches.addDataWatch(long, amy));
  assert.equal(watches.addDataWatch('/a', amy), false);
  assert.ok(watches.remove(long, amy, WatcherType.data));
  assert.ok(watches.addDataWatch('/a', amy));
  assert.ok(watches.addChildWatch(long, amy));
  watches.deleted(long, OPEN);
  assert.ok(watches.addChildWatch('/a', amy));
  assert.ok(watches.addChildWatch(long, amy));
  watches.removeWatcher(amy);
  assert.ok(watches.addDataWatch('/a', amy));
});

/** Operations on maps and sets while `work` runs: what it costs, whatever the machine. */
function operationsOf(work: () => void): number {
  let count = 0;
  const undo: (() => void)[] = [];
  for (const [prototype, names] of [
    [Map.prototype, ['get', 'has', 'set', 'delete']],
    [Set.prototype, ['has', 'add', 'delete']],
  ] as const) {
    for (const name of names) {
      const original = Reflect.get(prototype, name) as (...values: unknown[]) => unknown;
      const counted = function (this: unknown, ...values: unknown[]): unknown {
        count += 1;
        return original.apply(this, values);
      };
      Reflect.set(prototype, name, counted);
      undo.push(() => Reflect.set(prototype, name, original));
    }
  }
  try {
    work();
  } finally {
    for (const restore of undo) restore();
  }
  return count;
}

const CROWD = 10_000;
const WIDE = 100_000;
/** For each pair of path and connection: in the index, in the counts, with and without limits. */
const OPERATIONS_PER_PAIR = 16;

test('ten thousand watches on one node cost as much each as one alone, to set, fire and close', () => {
  for (const lasting of [false, true]) {
    const watches = new WatchManager({ perWatcher: 1000, inAll: 1_000_000 });
    const crowd = Array.from({ length: CROWD }, () => new Listener());
    if (lasting) watches.addLastingWatch('/elsewhere', new Listener(), WatchMode.persistent);
    const set = operationsOf(() => {
      for (const watcher of crowd) watches.addDataWatch('/a', watcher);
    });
    assert.ok(set <= 3 * OPERATIONS_PER_PAIR * CROWD, `${set} to set`);
    const fired = operationsOf(() => watches.dataChanged('/a', OPEN));
    assert.ok(fired <= OPERATIONS_PER_PAIR * CROWD, `${fired} to fire`);
    for (const watcher of crowd) assert.deepEqual(watcher.take(), [`${nodeDataChanged} /a`]);
    for (const watcher of crowd) watches.addChildWatch('/a', watcher);
    const closed = operationsOf(() => {
      for (const watcher of crowd) watches.removeWatcher(watcher);
    });
    assert.ok(closed <= OPERATIONS_PER_PAIR * CROWD, `${closed} to close`);
  }
});

test('a hundred thousand watches over the tree cost nothing where nothing happens to them', () => {
  const watches = new WatchManager();
  const watchers = Array.from({ length: 10 }, () => new Listener());
  for (let i = 0; i < WIDE; i++) {
    const watcher = watchers[i % watchers.length] ?? new Listener();
    watches.addDataWatch(`/d/${i}`, watcher);
    watches.addLastingWatch(`/p/${i}`, watcher, WatchMode.persistent);
    watches.addLastingWatch(`/r/${i}`, watcher, WatchMode.recursive);
  }
  const perEvent = operationsOf(() => {
    watches.created('/x/y/z', OPEN);
    watches.childrenChanged('/x/y', OPEN);
    watches.dataChanged('/d/77', OPEN);
  });
  assert.ok(perEvent < 60, `${perEvent} operations`);
  assert.equal(
    operationsOf(() => assert.equal(watches.count, 4 * WIDE - 1)),
    0,
  );
});
