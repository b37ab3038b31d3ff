/** What a client of the original read of a tree that one of its data directories leads to. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Acl } from '../../src/base/acl.ts';
import { makeSessionId } from '../../src/base/ids.ts';
import type { DataTree } from '../../src/store/data-tree.ts';
import type { Znode } from '../../src/store/znode.ts';

/** Base64, or for long data its length and hash. */
type ExpectedData = string | null | { readonly sha256: string; readonly length: number };

export interface ExpectedNode {
  readonly path: string;
  readonly data: ExpectedData;
  readonly stat: Readonly<Record<string, string | number>>;
  readonly acl: readonly Acl[];
  readonly storedEphemeralOwner: string;
}

export interface ExpectedTree {
  readonly meta: {
    readonly liveSessions: Readonly<Record<string, number>>;
    readonly lastZxid: string;
    readonly nodeCount: number;
    readonly lastTxnDigest: { readonly treeDigest: number };
  };
  readonly nodes: readonly ExpectedNode[];
}

export function goldenPath(name: string): string {
  return join(process.cwd(), 'test/golden', name);
}

export function readExpectedTree(name: string): ExpectedTree {
  const bytes = readFileSync(goldenPath(name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}

/** Every node with every field, the sessions, the last zxid and the digest. */
export function assertIsExpected(tree: DataTree, expected: ExpectedTree): void {
  const { meta, nodes } = expected;
  assert.equal(tree.lastZxid, Number(meta.lastZxid));
  assert.equal(tree.digestHex, meta.lastTxnDigest.treeDigest.toString(16));
  assert.equal(tree.nodeCount, nodes.length);
  const sessions = [...tree.sessions.entries()].map(([id, timeoutMs]) => [id, timeoutMs]);
  const live = Object.entries(meta.liveSessions).map(([id, timeoutMs]) => [
    makeSessionId(BigInt(id)),
    timeoutMs,
  ]);
  assert.deepEqual(new Set(sessions.map(String)), new Set(live.map(String)));
  for (const want of nodes) {
    const node = tree.find(want.path);
    assert.ok(node, want.path);
    assert.deepEqual(node.acl, want.acl, want.path);
    assert.equal(node.storedOwner, makeSessionId(BigInt(want.storedEphemeralOwner)), want.path);
    assert.deepEqual(statOf(node), want.stat, want.path);
    assert.deepEqual(dataOf(node, want.data), want.data, want.path);
  }
}

/** As the recordings have it: zxids and owners in hex. */
export function statOf(node: Znode): Record<string, string | number> {
  return {
    czxid: `0x${node.czxid.toString(16)}`,
    mzxid: `0x${node.mzxid.toString(16)}`,
    ctime: node.ctimeMs,
    mtime: node.mtimeMs,
    version: node.version,
    cversion: node.cversion,
    aversion: node.aversion,
    ephemeralOwner: `0x${BigInt.asUintN(64, node.ephemeralOwner).toString(16)}`,
    dataLength: node.dataLength,
    numChildren: node.numChildren,
    pzxid: `0x${node.pzxid.toString(16)}`,
  };
}

function dataOf(node: Znode, want: ExpectedData): ExpectedData {
  const { data } = node;
  if (data === null) return null;
  if (want === null || typeof want === 'string') return Buffer.from(data).toString('base64');
  return { sha256: createHash('sha256').update(data).digest('hex'), length: data.length };
}
