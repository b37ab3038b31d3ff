import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  SESSION_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { TxnType } from '../../../src/store/txn.ts';

const SERVER = makeServerId(1);
const TIME_MS = 1_800_000_000_000;
const FIRST = makeZxid(makeEpoch(7), 1);

/** The part of the digest of a node that the first transaction creates below the root. */
function created(path: string, data: Uint8Array | null): bigint {
  const stat = Buffer.alloc(60);
  for (const at of [0, 8, 16]) stat.writeBigInt64BE(BigInt(FIRST), at);
  for (const at of [24, 32]) stat.writeBigInt64BE(BigInt(TIME_MS), at);
  const content = Buffer.concat([Buffer.from(path), data ?? Buffer.alloc(0)]);
  return BigInt(crc32(stat, crc32(content)));
}

function treeWith(path: string, data: Uint8Array | null): DataTree {
  const tree = new DataTree();
  apply(tree, FIRST, path, data);
  return tree;
}

function apply(tree: DataTree, zxid: Zxid, path: string, data: Uint8Array | null): void {
  const kind = { acl: OPEN_ACL, ephemeralOwner: SESSION_NONE, parentCversion: 1 };
  const body = { type: TxnType.create, path, data, ...kind } as const;
  const txn = {
    sessionId: SESSION_NONE,
    cxid: 1,
    timeMs: TIME_MS,
    origin: SERVER,
    requestId: 1,
    body,
  };
  tree.apply(zxid, txn, false);
}

/** What the root counts after the first creation below it, however the child is called. */
const ROOT_PART = treeWith('/a', null).digest - created('/a', null);

describe('TreeDigest', () => {
  for (const [what, path] of [
    ['a short path', '/node'],
    ['the longest path that counts as short', `/${'p'.repeat(127)}`],
    ['a longer path', `/${'p'.repeat(128)}`],
    ['a path beyond ASCII', '/é\u{1f600}'],
  ] as const) {
    it(`covers ${what} and data of any length`, () => {
      for (const length of [0, 1, 7, 8, 100, 256, 257, 5000]) {
        const data = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff);
        assert.equal(treeWith(path, data).digest, created(path, data) + ROOT_PART, `${length}`);
      }
      assert.equal(treeWith(path, null).digest, created(path, null) + ROOT_PART);
    });
  }
});
