/** Whether a tree holds what the plain model holds. */

import assert from 'node:assert/strict';
import type { SessionId } from '../../src/base/ids.ts';
import type { DataTree } from '../../src/store/data-tree.ts';
import type { ModelNode, TreeModel } from './tree-model.ts';

/** What `/zookeeper` adds to every digest: the checksum of its path and 60 zero bytes. */
const ZOOKEEPER_DIGEST = 1303661912n;

/** Throws what differs: nodes with all their numbers, children, sessions, ephemerals, counts, digest. */
export function expectSameTree(tree: DataTree, model: TreeModel): void {
  const walked = [...tree.walk()];
  const own = walked.map(([path]) => path).filter((path) => !path.startsWith('/zookeeper'));
  assert.equal(own.sort().join(), [...model.nodes.keys()].sort().join());
  for (const [path, node] of model.nodes) {
    if (path !== '/') assert.equal(describe(tree, path), described(node), path);
    const children = model.children(path).length + (path === '/' ? 1 : 0);
    assert.equal(tree.find(path)?.numChildren, children, path);
  }
  expectSameSessions(tree, model);
  let size = 0;
  for (const [path, node] of walked) size += path.length + node.dataLength;
  assert.equal(tree.approximateDataSize, size);
  assert.equal(tree.nodeCount, walked.length);
  assert.equal(tree.digest, model.digest(ZOOKEEPER_DIGEST));
}

function expectSameSessions(tree: DataTree, model: TreeModel): void {
  const sessions = [...tree.sessions.entries()].map(([id, timeoutMs]) => `${id} ${timeoutMs}`);
  const expected = [...model.sessions].map(([id, timeoutMs]) => `${id} ${timeoutMs}`);
  assert.equal(sessions.sort().join(), expected.sort().join());
  let count = 0;
  for (const id of model.sessions.keys()) {
    const owned = [...tree.ephemerals.of(id as SessionId)].map(({ path }) => path);
    assert.equal(owned.sort().join(), model.ephemerals(id).sort().join());
    count += owned.length;
  }
  assert.equal(tree.ephemeralCount, count);
}

function describe(tree: DataTree, path: string): string {
  const node = tree.find(path);
  assert(node !== undefined, path);
  const { czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion, acl } = node;
  const numbers = { czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion };
  assert.equal(node.cversion, 2 * creates - node.numChildren);
  return described({ data: node.dataText, acl, ...numbers, owner: node.storedOwner });
}

function described(node: ModelNode): string {
  const { data, czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion, owner } = node;
  const numbers = [czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion, owner];
  const acl = node.acl.map(({ perms, scheme, id }) => `${perms}:${scheme}:${id}`);
  return `${data === null ? 'null' : `"${data}"`} ${acl.join()} ${numbers.join()}`;
}
