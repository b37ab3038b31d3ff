/** Trees and transactions go to the original's formats and come back the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteSource } from '../../src/apache/byte-source.ts';
import { LogReader, type LogRecord } from '../../src/apache/log-reader.ts';
import { writeLog } from '../../src/apache/log-writer.ts';
import { decompressBlock } from '../../src/apache/snappy.ts';
import { readSnapshot } from '../../src/apache/snapshot-reader.ts';
import { writeSnapshot } from '../../src/apache/snapshot-writer.ts';
import type { TxnRecord } from '../../src/apache/txn-record.ts';
import type { Acl } from '../../src/base/acl.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../src/base/ids.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { type TxnBody, TxnType } from '../../src/store/txn.ts';
import { inPieces, joined } from '../support/apache-files.ts';

const RUNS = { seed: 20261121, numRuns: 60 };

const name = fc.constantFrom('a', 'b', 'c', 'ä', '日本');
const path = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((names) => names.map((part) => `/${part}`).join(''));
const data = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
const acl: fc.Arbitrary<Acl[]> = fc.array(
  fc.record(
    { perms: fc.integer({ min: 0, max: 31 }), scheme: fc.string(), id: fc.string() },
    { noNullPrototype: true },
  ),
  { maxLength: 3 },
);
const owner = fc.constantFrom(SESSION_NONE, makeSessionId(0x100000000000005n));

const op: fc.Arbitrary<TxnBody> = fc.oneof(
  fc
    .record({ path, data, acl, ephemeralOwner: owner })
    .map((fields) => ({ type: TxnType.create, parentCversion: -1, ...fields })),
  path.map((at) => ({ type: TxnType.delete, path: at })),
  fc
    .record({ path, data, version: fc.nat(1000) })
    .map((fields) => ({ type: TxnType.setData, ...fields })),
  fc
    .record({ path, acl, version: fc.nat(1000) })
    .map((fields) => ({ type: TxnType.setAcl, ...fields })),
);
const body: fc.Arbitrary<TxnBody> = fc.oneof(
  { weight: 6, arbitrary: op },
  fc.array(op, { maxLength: 4 }).map((ops) => ({ type: TxnType.multi, ops })),
  fc.nat(100_000).map((timeoutMs) => ({ type: TxnType.createSession, timeoutMs })),
  fc.array(path, { maxLength: 3 }).map((paths) => ({ type: TxnType.closeSession, paths })),
);

/** What a server would have logged. An ephemeral's owner is the session of its transaction. */
const records = fc.array(body, { maxLength: 60 }).map((bodies) => {
  const tree = new DataTree({ extendedTypes: true });
  const list: TxnRecord[] = bodies.map((given, at) => {
    const zxid = (at + 1) as Zxid;
    const sessionId = makeSessionId(0x100000000000005n);
    const txn = { sessionId, cxid: at, timeMs: at, origin: SERVER_NONE, requestId: 0, body: given };
    tree.apply(zxid, txn, false);
    return { zxid, txn, digest: tree.digest };
  });
  return { tree, list };
});

async function readLog(bytes: Uint8Array, pieceBytes: number): Promise<LogRecord[]> {
  const reader = new LogReader(new ByteSource('log', inPieces(bytes, pieceBytes)));
  const found: LogRecord[] = [];
  for (let some = await reader.next(); some !== undefined; some = await reader.next()) {
    found.push(...some);
  }
  assert.equal(reader.end?.kind, 'clean');
  return found;
}

test('a log that was written is read as the same transactions, however it arrives', async () => {
  const pieces = fc.integer({ min: 1, max: 300 });
  const property = fc.asyncProperty(records, pieces, async ({ list }, pieceBytes) => {
    const read = await readLog(await joined(writeLog(list)), pieceBytes);
    assert.deepEqual(
      read.map(({ offset: _, ...record }) => record),
      list,
    );
  });
  await fc.assert(property, RUNS);
});

test('a snapshot that was written is read as the same tree', async () => {
  const property = fc.asyncProperty(
    records,
    fc.integer({ min: 1, max: 500 }),
    async ({ tree }, pieceBytes) => {
      const bytes = await joined(writeSnapshot(tree));
      const copy = new DataTree({ extendedTypes: true });
      const summary = await readSnapshot(new ByteSource('snapshot', inPieces(bytes, pieceBytes)), {
        session: (sessionId, timeoutMs) => copy.restoreSession(sessionId, timeoutMs),
        node: (at, fields) => (copy.restoreNode(at, fields) ? undefined : 'no parent'),
      });
      assert.equal(copy.digest, tree.digest);
      assert.equal(summary.nodeCount, tree.nodeCount);
      assert.deepEqual([...copy.sessions.entries()], [...tree.sessions.entries()]);
      for (const [at, node] of tree.walk()) {
        const other = copy.find(at);
        assert.deepEqual(other?.snapshot(), node.snapshot(), at);
        assert.deepEqual(other?.acl, node.acl, at);
        assert.deepEqual(other?.data, node.data, at);
      }
    },
  );
  await fc.assert(property, RUNS);
});

/** Elements of a block and what they make: the format's description, written the other way round. */
function compressed(
  elements: readonly ({ literal: Uint8Array } | { back: number; length: number })[],
): { readonly block: Uint8Array; readonly plain: Uint8Array } {
  const out: number[] = [];
  const plain: number[] = [];
  for (const element of elements) {
    if ('literal' in element) {
      const { literal } = element;
      if (literal.length === 0) continue;
      if (literal.length <= 60) out.push((literal.length - 1) << 2);
      else out.push(60 << 2, literal.length - 1);
      out.push(...literal);
      plain.push(...literal);
      continue;
    }
    if (plain.length === 0) continue;
    const offset = 1 + (element.back % plain.length);
    const { length } = element;
    if (length >= 4 && length <= 11 && offset < 2048) {
      out.push(1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset & 0xff);
    } else {
      out.push(2 | ((length - 1) << 2), offset & 0xff, offset >> 8);
    }
    for (let i = 0; i < length; i++) plain.push(plain[plain.length - offset] ?? 0);
  }
  const length: number[] = [];
  let rest = plain.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80);
  length.push(rest);
  return { block: Uint8Array.from([...length, ...out]), plain: Uint8Array.from(plain) };
}

test('decompressBlock() undoes any sequence of literals and copies', () => {
  const element = fc.oneof(
    fc.record({ literal: fc.uint8Array({ maxLength: 100 }) }),
    fc.record({ back: fc.nat(5000), length: fc.integer({ min: 1, max: 64 }) }),
  );
  const property = fc.property(fc.array(element, { maxLength: 80 }), (elements) => {
    const { block, plain } = compressed(elements);
    assert.deepEqual(decompressBlock(block), plain);
  });
  fc.assert(property, { ...RUNS, numRuns: 300 });
});

test('decompressBlock() survives any bytes', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const plain = decompressBlock(bytes);
    assert.ok(plain === undefined || plain instanceof Uint8Array);
  });
  fc.assert(property, { ...RUNS, numRuns: 500 });
});
