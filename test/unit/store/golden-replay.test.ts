/**
 * A log recorded from Apache ZooKeeper 3.8.0 and the tree its clients then saw: what our tree makes
 * of the same transactions must agree in every digest, number, ACL and byte.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Acl } from '../../../src/base/acl.ts';
import type { ErrorCode } from '../../../src/base/error-code.ts';
import {
  makeSessionId,
  SERVER_NONE,
  SESSION_NONE,
  type SessionId,
  type Zxid,
} from '../../../src/base/ids.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { CONTAINER_OWNER, NodeKind, ttlOfOwner, ttlOwner } from '../../../src/store/owner.ts';
import { type Txn, type TxnBody, TxnType } from '../../../src/store/txn.ts';
import { statOf } from '../../support/expected-tree.ts';

const GOLDEN = join(process.cwd(), 'test/golden/apache-datadir');
/** Kept by each server on its own, outside the log. */
const STATS_PATH = '/zookeeper/quota/q/zookeeper_stats';

/** Base64, or for long data its length and hash; its bytes follow a rule. */
type RecordedData = string | null | { readonly sha256: string; readonly length: number };

interface RecordedBody {
  readonly type: TxnType;
  readonly path?: string;
  readonly data?: RecordedData;
  readonly acl?: Acl[];
  readonly ephemeral?: boolean;
  readonly parentCVersion?: number;
  readonly ttl?: number;
  readonly version?: number;
  readonly timeOut?: number;
  readonly paths2Delete?: string[];
  readonly err?: ErrorCode;
  readonly txns?: RecordedBody[];
}

interface Recorded {
  readonly zxid?: string;
  readonly clientId: string;
  readonly cxid: number;
  readonly time: number;
  readonly type: TxnType;
  readonly txn: Omit<RecordedBody, 'type'>;
  readonly digest?: { readonly treeDigest: number };
}

interface ExpectedNode {
  readonly path: string;
  readonly data: RecordedData;
  readonly stat: Record<string, string | number>;
  readonly acl: Acl[];
  readonly storedEphemeralOwner: string;
  readonly kind: keyof typeof NodeKind;
  readonly ttl?: number;
}

interface ExpectedTree {
  readonly meta: {
    readonly liveSessions: Record<string, number>;
    readonly lastZxid: string;
    readonly nodeCount: number;
    readonly lastTxnDigest: { readonly treeDigest: number };
  };
  readonly nodes: ExpectedNode[];
}

function dataOf(data: RecordedData | undefined): Uint8Array | null {
  if (data === null || data === undefined) return null;
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  const bytes = Uint8Array.from({ length: data.length }, (_, at) => at * 7 + (at >> 8) * 13);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), data.sha256);
  return bytes;
}

function ownerOf(body: RecordedBody, sessionId: SessionId): SessionId {
  if (body.type === TxnType.createContainer) return CONTAINER_OWNER;
  if (body.type === TxnType.createTtl) return ttlOwner(body.ttl ?? 0);
  return body.ephemeral === true ? sessionId : SESSION_NONE;
}

function toBody(body: RecordedBody, sessionId: SessionId): TxnBody {
  const path = body.path ?? '';
  const acl = body.acl ?? [];
  switch (body.type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl: {
      const ephemeralOwner = ownerOf(body, sessionId);
      const parentCversion = body.parentCVersion ?? -1;
      return {
        type: body.type,
        path,
        data: dataOf(body.data),
        acl,
        ephemeralOwner,
        parentCversion,
      };
    }
    case TxnType.delete:
    case TxnType.deleteContainer:
    case TxnType.check:
      return { type: body.type, path };
    case TxnType.setData:
      return { type: body.type, path, data: dataOf(body.data), version: body.version ?? 0 };
    case TxnType.setAcl:
      return { type: body.type, path, acl, version: body.version ?? 0 };
    case TxnType.createSession:
      return { type: body.type, timeoutMs: body.timeOut ?? 0 };
    case TxnType.closeSession:
      return { type: body.type, paths: body.paths2Delete ?? [] };
    case TxnType.error:
      return { type: body.type, error: body.err ?? 0 };
    case TxnType.multi:
      return { type: body.type, ops: (body.txns ?? []).map((op) => toBody(op, sessionId)) };
  }
}

function toTxn(record: Recorded): Txn {
  const sessionId = makeSessionId(BigInt(record.clientId));
  const body = toBody({ ...record.txn, type: record.type }, sessionId);
  return {
    sessionId,
    cxid: record.cxid,
    timeMs: record.time,
    origin: SERVER_NONE,
    requestId: 0,
    body,
  };
}

function readLog(): Recorded[] {
  const lines = readFileSync(join(GOLDEN, 'decoded-txnlog.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line): Recorded => JSON.parse(line));
  return records.filter((record) => record.zxid !== undefined);
}

function readExpected(): ExpectedTree {
  return JSON.parse(readFileSync(join(GOLDEN, 'expected-tree.json'), 'utf8'));
}

function replay(afterEach: (tree: DataTree, record: Recorded) => void): DataTree {
  const tree = new DataTree({ extendedTypes: true });
  for (const record of readLog()) {
    tree.apply(Number(record.zxid) as Zxid, toTxn(record), false);
    afterEach(tree, record);
  }
  return tree;
}

test('DataTree.digest agrees with Apache after every recorded transaction', () => {
  let compared = 0;
  replay((tree, record) => {
    if (record.digest === undefined) return;
    assert.equal(tree.digest, BigInt(record.digest.treeDigest), `after zxid ${record.zxid}`);
    compared += 1;
  });
  assert.equal(compared, 400);
});

test('DataTree after replaying an Apache log holds the nodes its clients saw', () => {
  const tree = replay(() => undefined);
  const expected = readExpected();
  assert.equal(tree.lastZxid, Number(expected.meta.lastZxid));
  assert.equal(tree.nodeCount, expected.nodes.length);
  assert.equal(tree.digestHex, expected.meta.lastTxnDigest.treeDigest.toString(16));
  for (const want of expected.nodes) {
    const node = tree.find(want.path);
    assert.ok(node, want.path);
    assert.equal(node.path, want.path);
    assert.deepEqual(node.acl, want.acl, want.path);
    assert.equal(node.storedOwner, makeSessionId(BigInt(want.storedEphemeralOwner)), want.path);
    assert.equal(node.kind, NodeKind[want.kind], want.path);
    if (want.ttl !== undefined && want.ttl !== null) {
      assert.equal(ttlOfOwner(node.storedOwner), want.ttl);
    }
    if (want.path === STATS_PATH) continue;
    assert.deepEqual(statOf(node), want.stat, want.path);
    const data = dataOf(want.data);
    assert.deepEqual(node.data, data === null ? null : Buffer.from(data), want.path);
  }
});

test('DataTree after replaying an Apache log holds the sessions that were alive', () => {
  const tree = replay(() => undefined);
  const sessions = Object.entries(readExpected().meta.liveSessions);
  assert.equal(tree.sessionCount, sessions.length);
  for (const [id, timeoutMs] of sessions) {
    assert.equal(tree.sessions.timeoutMs(makeSessionId(BigInt(id))), timeoutMs);
  }
});
