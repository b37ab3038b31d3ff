/** The pure JavaScript client that npm users have, on our servers; on the original first, to check the tests. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type ForeignError, type ForeignPackage, NODE_PACKAGES } from './node-packages.ts';
import { NodeSession } from './node-session.ts';
import { APACHE, ENSEMBLE, STANDALONE, type Target } from './support.ts';

const ROOT = '/node-client';

async function fails(request: Promise<unknown>, code: number): Promise<void> {
  await assert.rejects(request, (error) => {
    assert.equal((error as ForeignError).getCode(), code);
    return true;
  });
}

async function removeTree(session: NodeSession, path: string): Promise<void> {
  if ((await session.exists(path)) === undefined) return;
  for (const name of await session.children(path)) await removeTree(session, `${path}/${name}`);
  await session.remove(path);
}

function clientTests(foreign: ForeignPackage, servers: () => readonly string[]): void {
  const { CreateMode, Event, Exception } = foreign;
  let session: NodeSession;

  beforeEach(async () => {
    const cleaner = await NodeSession.open(foreign, servers()[0] ?? '');
    await removeTree(cleaner, ROOT);
    await cleaner.create(ROOT);
    await cleaner.close();
    session = await NodeSession.open(foreign, servers()[0] ?? '');
  });

  afterEach(() => session.close());

  test('creates, reads, updates and deletes', async () => {
    assert.equal(await session.create(`${ROOT}/a`, 'one'), `${ROOT}/a`);
    const { data, stat } = await session.getData(`${ROOT}/a`);
    assert.equal(data, 'one');
    assert.equal(stat.version, 0);
    assert.equal(stat.dataLength, 3);
    assert.deepEqual(stat.czxid, stat.mzxid);
    assert.equal((await session.setData(`${ROOT}/a`, 'two', 0)).version, 1);
    assert.equal((await session.getData(`${ROOT}/a`)).data, 'two');
    assert.deepEqual(await session.children(ROOT), ['a']);
    await session.remove(`${ROOT}/a`, 1);
    assert.equal(await session.exists(`${ROOT}/a`), undefined);
  });

  test('is refused with the code that says why', async () => {
    await session.create(`${ROOT}/a`);
    await session.create(`${ROOT}/a/b`);
    await fails(session.create(`${ROOT}/a`), Exception.NODE_EXISTS);
    await fails(session.create(`${ROOT}/none/b`), Exception.NO_NODE);
    await fails(session.getData(`${ROOT}/none`), Exception.NO_NODE);
    await fails(session.remove(`${ROOT}/a`), Exception.NOT_EMPTY);
    await fails(session.setData(`${ROOT}/a`, 'x', 5), Exception.BAD_VERSION);
    await fails(session.remove(`${ROOT}/a/b`, 5), Exception.BAD_VERSION);
  });

  test('numbers sequential nodes in their order', async () => {
    const paths: string[] = [];
    for (let i = 0; i < 3; i++) {
      paths.push(await session.create(`${ROOT}/s-`, '', CreateMode.PERSISTENT_SEQUENTIAL));
    }
    assert.deepEqual(
      paths,
      [0, 1, 2].map((i) => `${ROOT}/s-000000000${i}`),
    );
    const last = await session.create(`${ROOT}/e-`, '', CreateMode.EPHEMERAL_SEQUENTIAL);
    assert.equal(last, `${ROOT}/e-0000000003`);
  });

  test('loses its ephemeral nodes with its session, and others see it', async () => {
    const owner = await NodeSession.open(foreign, servers().at(-1) ?? '');
    await owner.create(`${ROOT}/mine`, '', CreateMode.EPHEMERAL);
    await fails(owner.create(`${ROOT}/mine/child`), Exception.NO_CHILDREN_FOR_EPHEMERALS);
    // A write brings this session's server as far as the owner's.
    await session.setData(ROOT, 'seen');
    const stat = await session.exists(`${ROOT}/mine`);
    assert.equal(stat?.ephemeralOwner.toString('hex'), owner.idHex);
    await owner.close();
    const event = await session.nextEvent();
    assert.deepEqual(event, { type: Event.NODE_DELETED, path: `${ROOT}/mine` });
    assert.equal(await session.exists(`${ROOT}/mine`), undefined);
  });

  test('is told once of each kind of change', async () => {
    const other = await NodeSession.open(foreign, servers().at(-1) ?? '');
    const path = `${ROOT}/w`;
    assert.equal(await session.exists(path), undefined);
    await other.create(path);
    assert.deepEqual(await session.nextEvent(), { type: Event.NODE_CREATED, path });
    await session.getData(path);
    await other.setData(path, '1');
    assert.deepEqual(await session.nextEvent(), { type: Event.NODE_DATA_CHANGED, path });
    await session.children(path);
    await other.setData(path, '2');
    await other.create(`${path}/child`);
    assert.deepEqual(await session.nextEvent(), { type: Event.NODE_CHILDREN_CHANGED, path });
    await session.getData(`${path}/child`);
    await other.remove(`${path}/child`);
    const gone = { type: Event.NODE_DELETED, path: `${path}/child` };
    assert.deepEqual(await session.nextEvent(), gone);
    await session.setData(ROOT, 'a round trip brings whatever else was on its way');
    assert.deepEqual(session.events, []);
    await other.close();
  });

  test('sets what it watches again on a new connection, with the same session', async () => {
    const other = await NodeSession.open(foreign, servers().at(-1) ?? '');
    await session.create(`${ROOT}/w`);
    await session.create(`${ROOT}/mine`, '', CreateMode.EPHEMERAL);
    await session.getData(`${ROOT}/w`);
    const id = session.idHex;
    await session.cutAndReconnect();
    assert.equal(session.idHex, id);
    await other.setData(`${ROOT}/w`, 'after the cut');
    const path = `${ROOT}/w`;
    assert.deepEqual(await session.nextEvent(), { type: Event.NODE_DATA_CHANGED, path });
    const stat = await session.exists(`${ROOT}/mine`);
    assert.equal(stat?.ephemeralOwner.toString('hex'), id);
    await other.close();
  });

  test('keeps strangers out, and lets them in when they show who they are', async () => {
    const { ACL, Id, Permission } = foreign;
    const path = `${ROOT}/private`;
    session.addAuth('digest', 'bob:secret');
    await session.create(path, 'x');
    const mine = new ACL(Permission.ALL, new Id('auth', ''));
    assert.equal((await session.setAcl(path, [mine], 0)).aversion, 1);
    const stranger = await NodeSession.open(foreign, servers().at(-1) ?? '');
    await session.setData(ROOT, 'seen');
    await fails(stranger.setData(path, 'y'), Exception.NO_AUTH);
    stranger.addAuth('digest', 'bob:secret');
    assert.equal((await stranger.setData(path, 'z')).version, 1);
    await stranger.close();
    const { entries, version } = await session.acl(path);
    assert.equal(version, 1);
    assert.match(entries.join(), /^digest:bob:[^:]+:31$/);
    // The cleaning before the next test lists the children of every node.
    await session.setAcl(path, [new ACL(Permission.ALL, new Id('world', 'anyone'))]);
  });

  test('is shown the entries of a node and the version of their list', async () => {
    const { ACL, Id, Permission } = foreign;
    await session.create(`${ROOT}/a`);
    const open = { entries: [`world:anyone:${Permission.ALL}`], version: 0 };
    assert.deepEqual(await session.acl(`${ROOT}/a`), open);
    const read = new ACL(Permission.READ, new Id('world', 'anyone'));
    await fails(session.setAcl(`${ROOT}/a`, [read], 5), Exception.BAD_VERSION);
    await fails(
      session.setAcl(`${ROOT}/a`, [new ACL(31, new Id('nonsense', 'x'))]),
      Exception.INVALID_ACL,
    );
    await session.setAcl(`${ROOT}/a`, [read], 0);
    await fails(session.setData(`${ROOT}/a`, 'x'), Exception.NO_AUTH);
  });

  test('makes a path with all that is missing above it', async () => {
    await session.makePath(`${ROOT}/a/b/c`);
    assert.notEqual(await session.exists(`${ROOT}/a/b/c`), undefined);
  });

  test('changes several nodes at once, or none', async () => {
    await session.create(`${ROOT}/kept`, 'old');
    const results = await session.transact((transaction) =>
      transaction
        .check(`${ROOT}/kept`, 0)
        .create(`${ROOT}/made`, Buffer.from('x'))
        .setData(`${ROOT}/kept`, Buffer.from('new'))
        .remove(`${ROOT}/made`)
        .create(`${ROOT}/n-`, Buffer.from('y'), CreateMode.PERSISTENT_SEQUENTIAL),
    );
    assert.equal(results.length, 5);
    assert.deepEqual(await session.children(ROOT), ['kept', 'n-0000000002']);
    const failed = session.transact((transaction) =>
      transaction.setData(`${ROOT}/kept`, Buffer.from('never')).remove(`${ROOT}/kept`, 9),
    );
    await fails(failed, Exception.BAD_VERSION);
    assert.equal((await session.getData(`${ROOT}/kept`)).data, 'new');
  });

  test('has many requests answered in their order', async () => {
    const mode = CreateMode.PERSISTENT_SEQUENTIAL;
    const requests = Array.from({ length: 300 }, () => session.create(`${ROOT}/n-`, 'x', mode));
    const paths = await Promise.all(requests);
    assert.deepEqual(paths, [...paths].sort());
    assert.equal(new Set(paths).size, 300);
  });
}

for (const kind of [APACHE, STANDALONE, ENSEMBLE]) {
  describe(`npm's clients on ${kind.name}`, { skip: kind.skip }, () => {
    let target: Target;

    before(async () => {
      target = await kind.start();
    });

    after(() => target.stop());

    for (const { name, foreign } of NODE_PACKAGES) {
      describe(name, () => clientTests(foreign, () => target.servers));
    }
  });
}
