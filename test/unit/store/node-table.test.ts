import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NodeTable } from '../../../src/store/node-table.ts';
import { INT, NO_SLOT } from '../../../src/store/stat-slab.ts';

function insert(table: NodeTable, path: string): number {
  const cut = path.lastIndexOf('/');
  return table.insert(table.find(path, cut), path, cut, 0);
}

function find(table: NodeTable, path: string): number {
  return table.find(path, path.length);
}

function childNames(table: NodeTable, path: string): string[] {
  const names: string[] = [];
  const { slab } = table;
  let at = slab.int(find(table, path), INT.firstChild);
  for (; at !== NO_SLOT; at = slab.int(at, INT.nextSibling)) names.push(table.name(at));
  return names;
}

test('NodeTable.find looks at the part of the path before the end it is given', () => {
  const table = new NodeTable();
  const a = insert(table, '/a');
  const ab = insert(table, '/a/b');
  assert.equal(table.find('/a/b', 2), a);
  assert.equal(table.find('/a/b', 4), ab);
  assert.equal(table.find('/a/b', 3), NO_SLOT);
  assert.equal(table.find('/a/b', 0), table.root);
});

test('NodeTable tells names apart that have the same bytes or characters in part', () => {
  const table = new NodeTable();
  const paths = ['/é', '/é/x', '/Ã©', '/e', '/日本', '/日本/語', '/a', '/ab', '/a/b', '/b'];
  const slots = paths.map((path) => insert(table, path));
  assert.deepEqual(
    paths.map((path) => find(table, path)),
    slots,
  );
  assert.deepEqual(
    slots.map((slot) => table.name(slot)),
    paths.map((path) => path.slice(path.lastIndexOf('/') + 1)),
  );
  for (const path of ['/è', '/日', '/日本/', '/Ã', '/é/y', '//a']) {
    assert.equal(find(table, path), NO_SLOT, path);
  }
});

test('NodeTable.nameBytes are the name in UTF-8', () => {
  const table = new NodeTable();
  assert.equal(table.nameBytes(insert(table, '/日本')).toString('hex'), 'e697a5e69cac');
});

test('NodeTable keeps children in the order in which they came', () => {
  const table = new NodeTable();
  for (const name of ['c', 'a', 'd', 'b']) insert(table, `/${name}`);
  assert.deepEqual(childNames(table, '/'), ['c', 'a', 'd', 'b']);
  for (const [gone, left] of [
    ['/a', ['c', 'd', 'b']],
    ['/b', ['c', 'd']],
    ['/c', ['d']],
    ['/d', []],
  ] as const) {
    const slot = find(table, gone);
    table.remove(slot);
    table.release(slot);
    assert.deepEqual(childNames(table, '/'), left);
  }
  insert(table, '/e');
  assert.deepEqual(childNames(table, '/'), ['e']);
});

test('NodeTable.remove refuses a node with children', () => {
  const table = new NodeTable();
  const a = insert(table, '/a');
  insert(table, '/a/b');
  assert.throws(() => table.remove(a), /before its children/);
});

test('NodeTable.setData keeps the name whatever the lengths of old and new data', () => {
  const table = new NodeTable();
  const slot = insert(table, '/name');
  for (const length of [0, 1, 11, 12, 200, 3, 5000, 20_000, 20_001, 0, 64]) {
    table.setData(slot, Buffer.alloc(length, length & 0xff));
    assert.deepEqual(table.data(slot), Buffer.alloc(length, length & 0xff));
    assert.equal(table.name(slot), 'name');
    assert.equal(find(table, '/name'), slot);
  }
  table.setData(slot, null);
  assert.equal(table.data(slot), null);
  assert.equal(table.dataText(slot), null);
});

test('NodeTable gives a new node nothing of the one whose slot it takes', () => {
  const table = new NodeTable();
  const old = insert(table, '/old');
  table.setOwner(old, 7n as Parameters<NodeTable['setOwner']>[1]);
  table.setData(old, Buffer.from('secret'));
  table.slab.setInt(old, INT.version, 9);
  table.remove(old);
  table.release(old);
  const fresh = insert(table, '/fresh');
  assert.equal(fresh, old);
  assert.equal(table.owner(fresh), 0n);
  assert.equal(table.data(fresh), null);
  assert.equal(table.slab.int(fresh, INT.version), 0);
});

test('NodeTable finds what a plain map finds while thousands of nodes come and go', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'ba', 'é', '日', 'x'.repeat(40));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
  fc.assert(
    fc.property(fc.array(path, { maxLength: 300 }), (paths) => {
      const table = new NodeTable();
      const model = new Map<string, number>();
      for (const at of paths) {
        const parent = at.slice(0, at.lastIndexOf('/'));
        const known = model.get(at);
        assert.equal(find(table, at), known ?? NO_SLOT);
        const hasParent = parent === '' || model.has(parent);
        if (known === undefined && hasParent) model.set(at, insert(table, at));
        const hasChildren = [...model.keys()].some((other) => other.startsWith(`${at}/`));
        if (known !== undefined && !hasChildren) {
          table.remove(known);
          table.release(known);
          model.delete(at);
        }
      }
      for (const [at, slot] of model) assert.equal(find(table, at), slot);
    }),
    { seed: 6, numRuns: 200 },
  );
});

test('NodeTable finds every one of fifty thousand nodes, and none of those that went', () => {
  const table = new NodeTable();
  const paths = Array.from({ length: 50_000 }, (_, at) => `/n${at}`);
  for (const path of paths) insert(table, path);
  for (const path of paths) assert.notEqual(find(table, path), NO_SLOT, path);
  for (const path of paths.filter((_, at) => at % 3 === 0)) {
    const slot = find(table, path);
    table.remove(slot);
    table.release(slot);
  }
  for (const [at, path] of paths.entries()) {
    assert.equal(find(table, path) === NO_SLOT, at % 3 === 0, path);
  }
});
