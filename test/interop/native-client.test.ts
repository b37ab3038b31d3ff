/** The npm package zookeeper, which binds the C library, on our servers; on the original first, to check the tests. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import {
  loadNativePackage,
  NATIVE_SKIP,
  type NativePackage,
  type NativeSession,
} from './native-packages.ts';
import { Relay } from './relay.ts';
import { configuredKinds, type Target } from './support.ts';

const ROOT = '/native-client';
const SESSION_TIMEOUT_MS = 10_000;
const EVENT_MS = 15_000;
/** The package has no name for it. */
const RECONFIG_DISABLED = -123;
const KINDS = configuredKinds(['zookeeper.extendedTypesEnabled=true'], {
  extendedTypesEnabled: 'true',
});

interface SeenEvent {
  readonly type: number;
  readonly path: string;
}

/** Events in the order of their coming, each taken once. */
class Events {
  readonly #seen: SeenEvent[] = [];
  #onEvent: (() => void) | undefined;

  readonly watcher = (type: number, _state: number, path: string): void => {
    this.#seen.push({ type, path });
    this.#onEvent?.();
  };

  async next(): Promise<SeenEvent> {
    for (;;) {
      const event = this.#seen.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no event came')), EVENT_MS);
        this.#onEvent = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

function open(
  Native: NativePackage,
  server: string,
  identity: Readonly<Record<string, string>> = {},
): Promise<NativeSession> {
  const session = new Native();
  return new Promise((resolve) => {
    session.once('connect', () => resolve(session));
    const options = { connect: server, timeout: SESSION_TIMEOUT_MS, debug_level: 1 };
    session.init({ ...options, host_order_deterministic: false, ...identity });
  });
}

function addAuth(session: NativeSession, identity: string): Promise<number> {
  return new Promise((resolve) => session.add_auth('digest', identity, resolve));
}

function codeOf(error: unknown): number {
  return Number.parseInt((error as Error).message, 10);
}

async function fails(request: Promise<unknown>, code: number | undefined): Promise<void> {
  await assert.rejects(request, (error) => {
    assert.equal(codeOf(error), code);
    return true;
  });
}

/** What is gone is passed over: nobody waits for the end of a session that is closed, with its nodes. */
async function removeTree(
  Native: NativePackage,
  session: NativeSession,
  path: string,
): Promise<void> {
  try {
    for (const name of await session.get_children(path, false)) {
      await removeTree(Native, session, `${path}/${name}`);
    }
    await session.delete_(path, -1);
  } catch (error) {
    if (codeOf(error) !== Native.constants['ZNONODE']) throw error;
  }
}

async function emptyRoot(Native: NativePackage, server: string): Promise<void> {
  const cleaner = await open(Native, server);
  const names = await cleaner.get_children('/', false);
  if (names.includes(ROOT.slice(1))) await removeTree(Native, cleaner, ROOT);
  await cleaner.create(ROOT, '', 0);
  cleaner.close();
}

function clientTests(Native: NativePackage, servers: () => readonly string[]): void {
  const code = Native.constants;
  let session: NativeSession;

  beforeEach(async () => {
    await emptyRoot(Native, servers()[0] ?? '');
    session = await open(Native, servers()[0] ?? '');
  });

  afterEach(() => session.close());

  test('creates, reads, updates and deletes', async () => {
    const path = `${ROOT}/a`;
    assert.equal(await session.create(path, 'one', 0), path);
    const [stat, data] = await session.get(path, false);
    assert.equal(data.toString(), 'one');
    assert.equal(stat.version, 0);
    assert.equal((await session.set(path, Buffer.from('second'), 0)).version, 1);
    assert.equal((await session.exists(path, false)).dataLength, 6);
    assert.deepEqual(await session.get_children(ROOT, false), ['a']);
    const [names, parent] = await session.get_children2(ROOT, false);
    assert.deepEqual([names, parent.numChildren], [['a'], 1]);
    await session.delete_(path, 1);
    await fails(session.exists(path, false), code['ZNONODE']);
  });

  test('is refused with the code that says why', async () => {
    await session.create(`${ROOT}/a`, '', 0);
    await session.create(`${ROOT}/a/b`, '', 0);
    await fails(session.create(`${ROOT}/a`, '', 0), code['ZNODEEXISTS']);
    await fails(session.create(`${ROOT}/none/b`, '', 0), code['ZNONODE']);
    await fails(session.delete_(`${ROOT}/a`, -1), code['ZNOTEMPTY']);
    await fails(session.set(`${ROOT}/a`, 'x', 5), code['ZBADVERSION']);
  });

  test('makes nodes of every kind', async () => {
    const sequential = code['ZOO_SEQUENCE'] ?? 0;
    const ephemeral = code['ZOO_EPHEMERAL'] ?? 0;
    const first = `${ROOT}/s-0000000000`;
    assert.equal(await session.create(`${ROOT}/s-`, '', sequential | ephemeral), first);
    const { ephemeralOwner } = await session.exists(first, false);
    assert.equal(BigInt(`0x${ephemeralOwner}`), BigInt(`0x${session.client_id}`));
    const box = `${ROOT}/box`;
    assert.equal(await session.create(box, '', code['ZOO_CONTAINER'] ?? 0), box);
    const brief = `${ROOT}/brief`;
    const mode = code['ZOO_PERSISTENT_WITH_TTL'] ?? 0;
    assert.equal(await session.create(brief, '', mode, 3_600_000), brief);
  });

  test('makes a path with all that is missing above it', async () => {
    await new Promise<void>((resolve, reject) => {
      session.mkdirp(`${ROOT}/a/b/c`, (error) => (error ? reject(error) : resolve()));
    });
    assert.equal((await session.exists(`${ROOT}/a/b`, false)).numChildren, 1);
  });

  test('is told once of each kind of change', async () => {
    const other = await open(Native, servers().at(-1) ?? '');
    const events = new Events();
    const path = `${ROOT}/w`;
    await fails(session.w_exists(path, events.watcher), code['ZNONODE']);
    await other.create(path, '', 0);
    assert.deepEqual(await events.next(), { type: code['ZOO_CREATED_EVENT'], path });
    await session.w_get(path, events.watcher);
    await other.set(path, '1', -1);
    assert.deepEqual(await events.next(), { type: code['ZOO_CHANGED_EVENT'], path });
    await session.w_get_children(path, events.watcher);
    await other.create(`${path}/child`, '', 0);
    assert.deepEqual(await events.next(), { type: code['ZOO_CHILD_EVENT'], path });
    await session.w_exists(`${path}/child`, events.watcher);
    await other.delete_(`${path}/child`, -1);
    const gone = { type: code['ZOO_DELETED_EVENT'], path: `${path}/child` };
    assert.deepEqual(await events.next(), gone);
    other.close();
  });

  test('keeps strangers out, and lets them in when they show who they are', async () => {
    const path = `${ROOT}/private`;
    assert.equal(await addAuth(session, 'bob:secret'), 0);
    await session.create(path, 'x', 0);
    await session.set_acl(path, 0, [{ perms: 31, scheme: 'auth', auth: '' }]);
    const stranger = await open(Native, servers().at(-1) ?? '');
    await stranger.sync(ROOT);
    await fails(stranger.set(path, 'y', -1), code['ZNOAUTH']);
    assert.equal(await addAuth(stranger, 'bob:secret'), 0);
    assert.equal((await stranger.set(path, 'z', -1)).version, 1);
    stranger.close();
    const [acl, stat] = await session.get_acl(path);
    assert.deepEqual([acl[0]?.scheme, acl[0]?.perms, stat.aversion], ['digest', 31, 1]);
    await session.set_acl(path, 1, [{ perms: 31, scheme: 'world', auth: 'anyone' }]);
  });

  test('resumes a session with its id and password', async (t) => {
    const relay = await Relay.to(servers()[0] ?? '');
    t.after(() => relay.end());
    const first = await open(Native, relay.address);
    await first.create(`${ROOT}/mine`, '', code['ZOO_EPHEMERAL'] ?? 0);
    const { client_id, client_password } = first;
    // It would take its session back.
    relay.end();
    const again = await open(Native, servers().at(-1) ?? '', { client_id, client_password });
    assert.equal(again.client_id, client_id);
    const other = await open(Native, servers()[0] ?? '');
    const events = new Events();
    await other.sync(ROOT);
    await other.w_exists(`${ROOT}/mine`, events.watcher);
    // That closes the session for both.
    again.close();
    const gone = { type: code['ZOO_DELETED_EVENT'], path: `${ROOT}/mine` };
    assert.deepEqual(await events.next(), gone);
    first.close();
    other.close();
  });

  test('reads the configuration, and may not change it', async () => {
    const [stat] = await session.getconfig(false);
    assert.equal(stat.numChildren, 0);
    const request = session.reconfig('server.9=127.0.0.1:1:2;3', '', '', -1);
    await fails(request, RECONFIG_DISABLED);
  });

  test('has many requests answered in their order', async () => {
    const mode = code['ZOO_SEQUENCE'] ?? 0;
    const requests = Array.from({ length: 300 }, () => session.create(`${ROOT}/n-`, 'x', mode));
    const paths = await Promise.all(requests);
    assert.deepEqual(paths, [...paths].sort());
    assert.equal(new Set(paths).size, 300);
  });
}

describe('the npm package zookeeper', { skip: NATIVE_SKIP }, () => {
  if (NATIVE_SKIP !== false) return;
  const Native = loadNativePackage();
  for (const kind of KINDS) {
    describe(`on ${kind.name}`, { skip: kind.skip }, () => {
      let target: Target;

      before(async () => {
        target = await kind.start();
      });

      after(() => target.stop());

      clientTests(Native, () => target.servers);
    });
  }
});
