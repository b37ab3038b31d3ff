import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../src/store/byte-cursor.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { ABSENT_PAYLOAD, writeNode } from '../../../src/store/state-codec.ts';
import { PackReader, PackWriter } from '../../../src/store/state-pack.ts';
import { create, kitWith, setAcl, setData } from '../../support/store-kit.ts';
import { describeTree } from '../../support/tree-workload.ts';

const PAYLOAD = Uint8Array.of(7, 8);

/** A pack of these paths, each with the payload that is given for it. */
function packOf(...entries: readonly (readonly [path: string, payload: Uint8Array])[]): Uint8Array {
  const bytes = new ByteWriter(16);
  const pack = new PackWriter(bytes);
  for (const [path, payload] of entries) {
    pack.begin(path);
    bytes.raw(payload);
    pack.end();
  }
  return bytes.written(pack.finish());
}

function pathsIn(pack: PackReader): string[] {
  const paths: string[] = [];
  while (pack.next()) paths.push(pack.path);
  return paths;
}

/** One pack for each list of paths, of the nodes that a tree has there, absent where it has none. */
function packsOf(tree: DataTree, ...packs: readonly (readonly string[])[]): Uint8Array[] {
  return packs.map((paths) =>
    packOf(
      ...paths.map((path) => {
        const node = tree.find(path);
        const payload = new ByteWriter(64);
        if (node === undefined) payload.raw(ABSENT_PAYLOAD);
        else writeNode(payload, node);
        return [path, payload.written()] as const;
      }),
    ),
  );
}

/** Puts packs into a new tree, the newest of them first; what is wrong with one, and who waits. */
function restored(packs: readonly Uint8Array[]) {
  const tree = new DataTree();
  const restorer = tree.restorer();
  const problems = packs.map((pack, at) => restorer.add(new PackReader(pack), packs.length - at));
  return { tree, problems, waiting: restorer.placeholderCount };
}

test('PackReader gives back paths and payloads in their order', () => {
  const paths = ['/', '/a', '/a/b', '/ä/b', '/a/c', '/a'];
  const reader = new PackReader(packOf(...paths.map((path) => [path, PAYLOAD] as const)));
  assert.equal(reader.entryCount, paths.length);
  for (const path of paths) {
    assert.equal(reader.next(), true);
    assert.equal(reader.path, path);
    assert.deepEqual(reader.payload, PAYLOAD);
  }
  assert.equal(reader.next(), false);
  assert.equal(reader.isIntact, true);
});

test('PackWriter writes one pack after the other', () => {
  const bytes = new ByteWriter(16);
  const pack = new PackWriter(bytes);
  const written: Uint8Array[] = [];
  for (const path of ['/a/b', '/a/c']) {
    pack.begin(path);
    bytes.raw(PAYLOAD);
    pack.end();
    const start = pack.finish();
    written.push(bytes.written(start).slice());
  }
  assert.deepEqual(
    written.map((one) => pathsIn(new PackReader(one))),
    [['/a/b'], ['/a/c']],
  );
});

test('PackReader finds every cut, and every byte that no pack can have there', () => {
  const pack = packOf(['/a/b', PAYLOAD], ['/a/c', PAYLOAD]);
  for (let length = 0; length < pack.length; length++) {
    const reader = new PackReader(pack.subarray(0, length));
    pathsIn(reader);
    assert.equal(reader.isIntact, false, `cut at ${length}`);
  }
  const longer = new Uint8Array(pack.length + 1);
  longer.set(pack);
  const reader = new PackReader(longer);
  pathsIn(reader);
  assert.equal(reader.isIntact, false, 'a byte too many');
  for (const at of [0, 4, 6]) {
    const damaged = pack.slice();
    damaged[at] = 9;
    const other = new PackReader(damaged);
    pathsIn(other);
    assert.equal(other.isIntact, false, `byte ${at}`);
  }
});

test('PackRestorer takes children before their parents, whatever these are', () => {
  const { tree } = kitWith(
    create('/a', { data: new Uint8Array(600) }),
    create('/a/ä'),
    create('/a/ä/c', { acl: [{ perms: 1, scheme: 'ip', id: '10.0.0.0/8' }] }),
    create('/a/d', { acl: [{ perms: 1, scheme: 'ip', id: '10.0.0.0/8' }] }),
    setData('/a/ä', 'x'),
    setAcl('/a', [{ perms: 3, scheme: 'world', id: 'anyone' }]),
  );
  const births = ['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota'];
  const packs = packsOf(tree, ['/a/ä/c', '/a/d'], ['/a/ä', ...births], ['/a']);
  const { tree: copy, problems, waiting } = restored(packs);
  assert.deepEqual(problems, [undefined, undefined, undefined]);
  assert.equal(waiting, 0);
  for (const [id, timeoutMs] of tree.sessions.entries()) copy.restoreSession(id, timeoutMs);
  copy.restoreZxid(tree.lastZxid);
  assert.deepEqual(describeTree(copy), describeTree(tree));
  for (const [path, node] of tree.walk()) {
    assert.deepEqual(copy.find(path)?.snapshot(), node.snapshot(), path);
  }
});

test('PackRestorer tells that a parent never came', () => {
  const { tree } = kitWith(create('/a'), create('/a/b'), create('/a/b/c'));
  assert.equal(restored(packsOf(tree, ['/a/b/c'])).waiting, 2);
  assert.equal(restored(packsOf(tree, ['/a/b/c'], ['/a/b'])).waiting, 1);
});

test('PackRestorer makes room for parents deeper than a stack', () => {
  const { tree } = kitWith(create('/a'));
  const node = tree.find('/a');
  assert.ok(node !== undefined);
  const payload = new ByteWriter(64);
  writeNode(payload, node);
  const deep = packOf(['/a'.repeat(8000), payload.written()]);
  const { problems, waiting } = restored([deep]);
  assert.deepEqual(problems, [undefined]);
  assert.equal(waiting, 7999);
});

test('PackRestorer leaves out what a newer pack replaces, or says is gone', () => {
  const old = kitWith(create('/a'), create('/a/b'), create('/a/b/c'), create('/d'));
  const now = kitWith(create('/a'), setData('/a', 'new'));
  const [older] = packsOf(old.tree, ['/d', '/a/b/c', '/a/b', '/a']);
  const [newer] = packsOf(now.tree, ['/a', '/a/b', '/a/b/c', '/d']);
  assert.ok(older !== undefined && newer !== undefined);
  const { tree, problems, waiting } = restored([newer, older]);
  assert.deepEqual(problems, [undefined, undefined]);
  assert.equal(waiting, 0);
  assert.equal(tree.find('/a')?.dataText, 'new');
  assert.deepEqual(
    ['/a/b', '/a/b/c', '/d'].map((path) => tree.find(path)),
    [undefined, undefined, undefined],
  );
});

test('PackRestorer refuses what is no node, and what is no path', () => {
  const { tree } = kitWith(create('/a'));
  const node = new ByteWriter(64);
  const found = tree.find('/a');
  assert.ok(found !== undefined);
  writeNode(node, found);
  const payload = node.written();
  const refused: [string, Uint8Array][] = [
    ['/a', PAYLOAD],
    ['/a', payload.subarray(0, -1)],
    ['/a', Uint8Array.of(...payload, 0)],
    ['/a', Uint8Array.of(3, ...payload.subarray(1))],
    ['/a\0', payload],
    ['/ä\0', payload],
    ['/a//b', payload],
  ];
  for (const [path, bytes] of refused) {
    const { problems } = restored([packOf([path, bytes])]);
    assert.notEqual(problems[0], undefined, path);
  }
});
