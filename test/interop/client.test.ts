/** Our client library: every operation on the original and on ours, and a hundred thousand at once. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Acl,
  type Client,
  type ClientOptions,
  connect,
  isKeeperError,
  type KeeperErrorCode,
  MultiError,
  Perm,
  type WatchEvent,
} from '../../src/client/index.ts';
import { deleteTree, ensurePath } from '../../src/client/tree.ts';
import {
  APACHE,
  ENSEMBLE,
  STANDALONE,
  startApache,
  startEnsemble,
  startStandalone,
  type Target,
  type TargetKind,
} from './support.ts';

const ROOT = '/client-suite';
const EVERYTHING = { extendedTypesEnabled: 'true' };
const OPERATION_COUNT = 100_000;
const WINDOW = 1000;
/** Noise of the engine: code that is compiled meanwhile, buffers that wait for their finalizers. */
const HEAP_GROWTH_MAX_BYTES = 3 * 1024 * 1024;

const KINDS: readonly TargetKind[] = [
  { ...APACHE, start: () => startApache(['zookeeper.extendedTypesEnabled=true']) },
  { ...STANDALONE, start: () => startStandalone(EVERYTHING) },
  { ...ENSEMBLE, start: () => startEnsemble(EVERYTHING) },
];

async function fails(request: Promise<unknown>, code: KeeperErrorCode): Promise<void> {
  await assert.rejects(request, (error) => {
    assert(isKeeperError(error), String(error));
    assert.equal(error.code, code);
    assert.equal(error.outcomeUnknown, false);
    return true;
  });
}

/** Collects events of watches; `next` waits for one that nobody took. */
class Events {
  readonly #events: string[] = [];
  #wake = (): void => undefined;

  readonly listener = (event: WatchEvent): void => {
    this.#events.push(`${event.type} ${event.path}`);
    this.#wake();
  };

  async next(): Promise<string> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  get rest(): readonly string[] {
    return this.#events;
  }
}

for (const kind of KINDS) {
  describe(`the client library on ${kind.name}`, { skip: kind.skip }, () => {
    let target: Target;
    let client: Client;
    const others: Client[] = [];

    /** Another client, on the last server. */
    async function another(options: Partial<ClientOptions> = {}): Promise<Client> {
      const other = await connect({ hosts: target.servers.at(-1) ?? '', ...options });
      others.push(other);
      return other;
    }

    before(async () => {
      target = await kind.start();
    });

    after(() => target.stop());

    beforeEach(async () => {
      client = await connect({ hosts: target.servers[0] ?? '', sessionTimeoutMs: 10_000 });
      await deleteTree(client, ROOT);
      await client.create(ROOT);
    });

    afterEach(async () => {
      for (const opened of [client, ...others.splice(0)]) await opened.close();
    });

    test('creates nodes of every kind', async () => {
      assert.equal(await client.create(`${ROOT}/a`, 'text'), `${ROOT}/a`);
      assert.equal(await client.create(`${ROOT}/null`, null), `${ROOT}/null`);
      assert.equal((await client.get(`${ROOT}/null`)).data, null);
      assert.equal((await client.get(`${ROOT}/a`)).data?.toString(), 'text');
      const made = await client.create(`${ROOT}/b`, Uint8Array.of(0, 255), { stat: true });
      assert.equal(made.stat.dataLength, 2);
      assert.deepEqual((await client.get(`${ROOT}/b`)).stat, made.stat);
      const sequential = { mode: 'persistentSequential' } as const;
      assert.equal(await client.create(`${ROOT}/s-`, '', sequential), `${ROOT}/s-0000000003`);
      assert.equal(await client.create(`${ROOT}/`, '', sequential), `${ROOT}/0000000004`);
      const ephemeral = await client.create(`${ROOT}/e`, '', { mode: 'ephemeral', stat: true });
      assert.equal(ephemeral.stat.ephemeralOwner, client.sessionId);
      const numbered = await client.create(`${ROOT}/e-`, '', { mode: 'ephemeralSequential' });
      assert.equal(numbered, `${ROOT}/e-0000000006`);
      assert.equal(await client.create(`${ROOT}/c`, '', { mode: 'container' }), `${ROOT}/c`);
      assert.equal(await client.create(`${ROOT}/t`, '', { ttlMs: 60_000 }), `${ROOT}/t`);
      const lasting = { ...sequential, ttlMs: 60_000, stat: true } as const;
      assert.equal((await client.create(`${ROOT}/t-`, '', lasting)).path, `${ROOT}/t-0000000009`);
    });

    test('reads and changes data with versions', async () => {
      await client.create(`${ROOT}/a`, 'one');
      assert.equal((await client.set(`${ROOT}/a`, 'two', { version: 0 })).version, 1);
      assert.equal((await client.set(`${ROOT}/a`, '')).version, 2);
      assert.equal((await client.get(`${ROOT}/a`)).data?.length, 0);
      await fails(client.set(`${ROOT}/a`, 'x', { version: 0 }), 'BAD_VERSION');
      await fails(client.delete(`${ROOT}/a`, { version: 0 }), 'BAD_VERSION');
      await client.delete(`${ROOT}/a`, { version: 2 });
      assert.equal(await client.exists(`${ROOT}/a`), undefined);
    });

    test('is refused with the code that says why', async () => {
      await client.create(`${ROOT}/a`, '', { mode: 'ephemeral' });
      await fails(client.create(`${ROOT}/a`), 'NODE_EXISTS');
      await fails(client.create(`${ROOT}/a/b`), 'NO_CHILDREN_FOR_EPHEMERALS');
      await fails(client.create(`${ROOT}/none/b`), 'NO_NODE');
      await fails(client.get(`${ROOT}/none`), 'NO_NODE');
      await fails(client.children(`${ROOT}/none`), 'NO_NODE');
      await fails(client.getAcl(`${ROOT}/none`), 'NO_NODE');
      await fails(client.delete(ROOT), 'NOT_EMPTY');
      await fails(client.delete('/'), 'BAD_ARGUMENTS');
      await fails(client.create(`${ROOT}/x`, '', { acl: [] }), 'INVALID_ACL');
      await fails(client.reconfig({ leaving: ['9'] }), 'RECONFIG_DISABLED');
    });

    test('reads children, ephemerals, counts and the configuration', async () => {
      await ensurePath(client, `${ROOT}/a/b/c`);
      await ensurePath(client, `${ROOT}/a/b/c`);
      await client.create(`${ROOT}/e`, '', { mode: 'ephemeral' });
      assert.deepEqual((await client.children(ROOT)).sort(), ['a', 'e']);
      const { children, stat } = await client.children(ROOT, { stat: true });
      assert.equal(children.length, stat.numChildren);
      assert.equal(await client.getAllChildrenNumber(ROOT), 4);
      assert.deepEqual(await client.getEphemerals(), [`${ROOT}/e`]);
      assert.deepEqual(await client.getEphemerals('/elsewhere'), []);
      await client.sync(ROOT);
      await client.sync();
      assert.equal((await client.getConfig()).stat.numChildren, 0);
      await deleteTree(client, `${ROOT}/a`);
      assert.deepEqual(await client.children(ROOT), ['e']);
    });

    test('guards nodes with ACLs, and authenticates', async () => {
      const mine: Acl[] = [{ perms: Perm.all, scheme: 'auth', id: '' }];
      await client.addAuth('digest', 'bob:pw');
      await client.create(`${ROOT}/mine`, 'secret', { acl: mine });
      const { acl, stat } = await client.getAcl(`${ROOT}/mine`);
      const bob = 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=';
      assert.deepEqual(acl, [{ perms: Perm.all, scheme: 'digest', id: bob }]);
      assert.equal(stat.aversion, 0);
      const other = await another();
      await other.sync();
      await fails(other.get(`${ROOT}/mine`), 'NO_AUTH');
      const readable = [...acl, { perms: Perm.read, scheme: 'world', id: 'anyone' }];
      await fails(client.setAcl(`${ROOT}/mine`, readable, { version: 5 }), 'BAD_VERSION');
      assert.equal((await client.setAcl(`${ROOT}/mine`, readable, { version: 0 })).aversion, 1);
      await other.sync();
      assert.equal((await other.get(`${ROOT}/mine`)).data?.toString(), 'secret');
      await fails(other.set(`${ROOT}/mine`, 'x'), 'NO_AUTH');
      const carries = await another({ auth: [{ scheme: 'digest', auth: 'bob:pw' }] });
      await carries.set(`${ROOT}/mine`, 'y');
      const identities = await client.whoAmI();
      assert.deepEqual(
        identities.filter(({ scheme }) => scheme === 'digest'),
        [{ scheme: 'digest', user: 'bob' }],
      );
      const refused = await another();
      await fails(refused.addAuth('nonsense', 'x'), 'AUTH_FAILED');
      assert.equal(refused.state, 'authFailed');
    });

    test('changes several nodes at once, or none', async () => {
      await client.create(`${ROOT}/kept`, 'old');
      const [checked, made, set, deleted, numbered] = await client
        .multi()
        .check(`${ROOT}/kept`, { version: 0 })
        .create(`${ROOT}/made`, 'x')
        .set(`${ROOT}/kept`, 'new')
        .delete(`${ROOT}/made`)
        .create(`${ROOT}/n-`, '', { mode: 'ephemeralSequential' })
        .commit();
      assert.equal(checked.type, 'check');
      assert.equal(made.path, `${ROOT}/made`);
      assert.equal(set.stat.version, 1);
      assert.equal(deleted.type, 'delete');
      assert.equal(numbered.path, `${ROOT}/n-0000000002`);
      const failed = client.multi().create(`${ROOT}/x`).check(`${ROOT}/kept`, { version: 9 });
      await assert.rejects(failed.set(`${ROOT}/kept`, 'never').commit(), (error) => {
        assert(error instanceof MultiError);
        assert.equal(error.code, 'BAD_VERSION');
        assert.equal(error.failedIndex, 1);
        assert.deepEqual(
          error.failures.map(({ code }) => code),
          ['OK', 'BAD_VERSION', 'RUNTIME_INCONSISTENCY'],
        );
        return true;
      });
      const [kept, names, none] = await client
        .multiRead()
        .get(`${ROOT}/kept`)
        .children(ROOT)
        .get(`${ROOT}/none`)
        .commit();
      assert.equal(kept.value?.data?.toString(), 'new');
      assert.equal(names.value?.length, 2);
      assert.equal(none.error?.code, 'NO_NODE');
    });

    test('watches once, for good, and everything below', async () => {
      const other = await another();
      const once = new Events();
      assert.equal(await client.exists(`${ROOT}/w`, { watch: once.listener }), undefined);
      await client.children(ROOT, { watch: once.listener });
      const lasting = new Events();
      const watch = await client.addWatch(`${ROOT}/lasting`, lasting.listener);
      // A client of its own: up to 3.8 a lasting watch takes the place of a one-shot one at its path.
      const below = (await another()).watch(ROOT, { recursive: true });
      await below.ready;
      await other.create(`${ROOT}/w`, '1');
      assert.deepEqual(
        new Set([await once.next(), await once.next()]),
        new Set([`created ${ROOT}/w`, `childrenChanged ${ROOT}`]),
      );
      await client.get(`${ROOT}/w`, { watch: once.listener });
      await other.set(`${ROOT}/w`, '2');
      assert.equal(await once.next(), `dataChanged ${ROOT}/w`);
      await other.create(`${ROOT}/lasting`);
      await other.create(`${ROOT}/lasting/x`);
      await other.delete(`${ROOT}/lasting/x`);
      await other.set(`${ROOT}/lasting`, 'x');
      await other.delete(`${ROOT}/lasting`);
      const told = [];
      for (let i = 0; i < 5; i++) told.push((await lasting.next()).split(' ')[0]);
      assert.deepEqual(told, [
        'created',
        'childrenChanged',
        'childrenChanged',
        'dataChanged',
        'deleted',
      ]);
      const seen: string[] = [];
      for await (const { type, path } of below) {
        seen.push(`${type} ${path.slice(ROOT.length)}`);
        if (seen.length === 7) break;
      }
      assert.deepEqual(seen, [
        'created /w',
        'dataChanged /w',
        'created /lasting',
        'created /lasting/x',
        'deleted /lasting/x',
        'dataChanged /lasting',
        'deleted /lasting',
      ]);
      watch.remove();
      await other.create(`${ROOT}/lasting`);
      await client.sync();
      await client.get(`${ROOT}/lasting`);
      assert.deepEqual(lasting.rest, []);
      assert.deepEqual(once.rest, []);
    });

    test('checks and removes watches', async () => {
      const events = new Events();
      await client.get(ROOT, { watch: events.listener });
      await client.children(ROOT, { watch: events.listener });
      assert.equal(await client.checkWatches(ROOT, 'data'), true);
      assert.equal(await client.checkWatches(`${ROOT}/none`, 'any'), false);
      await client.removeWatches(ROOT, 'data');
      assert.equal(await events.next(), `dataWatchRemoved ${ROOT}`);
      await client.removeWatches(ROOT);
      assert.equal(await events.next(), `childWatchRemoved ${ROOT}`);
      await fails(client.removeWatches(ROOT), 'NO_WATCHER');
      assert.equal(client.watchCount, 0);
    });

    test('lives under a chroot', async () => {
      await client.create(`${ROOT}/app`, 'root of the app');
      const app = await another({ hosts: `${target.servers.at(-1)}${ROOT}/app` });
      await app.sync();
      assert.equal((await app.get('/')).data?.toString(), 'root of the app');
      const events = new Events();
      await app.exists('/a', { watch: events.listener });
      assert.equal(await app.create('/a', '', { mode: 'ephemeral' }), '/a');
      assert.equal(await events.next(), 'created /a');
      assert.deepEqual(await app.getEphemerals(), ['/a']);
      const [made] = await app.multi().create('/b').commit();
      assert.equal(made.path, '/b');
      await client.sync();
      assert.deepEqual((await client.children(`${ROOT}/app`)).sort(), ['a', 'b']);
      await fails(app.delete('/'), 'BAD_ARGUMENTS');
      assert.ok((await app.getConfig()).stat);
    });

    test('hands a session over, and cannot resume one that was closed', async () => {
      const first = await another();
      await first.create(`${ROOT}/e`, '', { mode: 'ephemeral' });
      const { session } = first;
      await first.close({ closeSession: false });
      const second = await another({ hosts: target.servers.join(','), session });
      assert.equal(second.sessionId, session.id);
      assert.equal((await second.exists(`${ROOT}/e`))?.ephemeralOwner, session.id);
      await second.close();
      await client.sync();
      assert.equal(await client.exists(`${ROOT}/e`), undefined);
      await fails(connect({ hosts: target.servers.join(','), session }), 'SESSION_EXPIRED');
    });

    test('refuses what is too large, and sends what just fits', async () => {
      const most = Buffer.alloc(1_048_000, 'x');
      await client.create(`${ROOT}/large`, most);
      assert.deepEqual((await client.get(`${ROOT}/large`)).data, most);
      await fails(client.set(`${ROOT}/large`, Buffer.alloc(1_048_576)), 'BAD_ARGUMENTS');
      assert.equal(client.isConnected, true);
    });

    test(`answers ${OPERATION_COUNT} pipelined operations in order with the heap flat`, async (t) => {
      await client.create(`${ROOT}/n`, 'x'.repeat(100));
      const warmUp = await heapAfter(() => pipeline(client, 20_000));
      const grown: number[] = [];
      for (let part = 0; part < 5; part++) {
        const heap = await heapAfter(() => pipeline(client, OPERATION_COUNT / 5));
        grown.push(heap - warmUp);
      }
      const atOnce = await heapAfter(async () => {
        const reads = Array.from({ length: OPERATION_COUNT }, () => client.exists(`${ROOT}/n`));
        for (const stat of await Promise.all(reads)) assert.equal(stat?.dataLength, 100);
      });
      t.diagnostic(`heap grown by ${[...grown, atOnce - warmUp].map(kib).join(', ')} KiB`);
      assert(Math.max(...grown, atOnce - warmUp) < HEAP_GROWTH_MAX_BYTES);
      assert.equal(client.outstandingCount, 0);
    });
  });
}

/** Keeps `WINDOW` operations under way, a fifth of them writes, and checks their order. */
async function pipeline(client: Client, count: number): Promise<void> {
  const { version } = (await client.get(`${ROOT}/n`)).stat;
  let written = 0;
  let started = 0;
  let last = version;
  const run = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      if (started % 5 !== 0) {
        const { stat } = await client.get(`${ROOT}/n`);
        assert(stat.version >= last, 'a reply overtook another');
        last = stat.version;
      } else {
        written += 1;
        const stat = await client.set(`${ROOT}/n`, 'y'.repeat(100));
        assert(stat.version > last, 'a reply overtook another');
        last = stat.version;
      }
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, run));
  assert.equal(last, version + written);
}

/** Bytes of the heap in use after the work, with what it left behind collected. */
async function heapAfter(work: () => Promise<void>): Promise<number> {
  await work();
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  // The test runner's hooks keep a note of each promise that is collected until the next turn.
  for (let turn = 0; turn < 3; turn++) {
    collect();
    await setImmediate();
  }
  collect();
  return process.memoryUsage().heapUsed;
}

function kib(bytes: number): string {
  return Math.round(bytes / 1024).toString();
}
