/** Snapshots of the original's, read and written. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { adler32 } from '../../../src/apache/adler32.ts';
import { ApacheDataError } from '../../../src/apache/apache-data-error.ts';
import { ByteSource } from '../../../src/apache/byte-source.ts';
import { listDirectory } from '../../../src/apache/data-dir.ts';
import { loadApacheData } from '../../../src/apache/load-data.ts';
import {
  isMissingAcl,
  readSnapshot,
  type SnapshotSummary,
} from '../../../src/apache/snapshot-reader.ts';
import { writeSnapshot } from '../../../src/apache/snapshot-writer.ts';
import type { Acl } from '../../../src/base/acl.ts';
import type { Zxid } from '../../../src/base/ids.ts';
import { JuteWriter } from '../../../src/protocol/jute-writer.ts';
import { NodePlainFiles } from '../../../src/runtime/node/node-plain-files.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import type { NodeFields } from '../../../src/store/znode.ts';
import { inPieces, joined } from '../../support/apache-files.ts';
import { assertIsExpected, goldenPath, readExpectedTree } from '../../support/expected-tree.ts';

interface Read {
  readonly summary: SnapshotSummary;
  readonly nodes: ReadonlyMap<string, NodeFields>;
}

async function read(bytes: Uint8Array, pieceBytes = 64 * 1024): Promise<Read> {
  const nodes = new Map<string, NodeFields>();
  const summary = await readSnapshot(new ByteSource('snapshot', inPieces(bytes, pieceBytes)), {
    session: () => undefined,
    node: (path, fields) => {
      nodes.set(path, fields);
      return undefined;
    },
  });
  return { summary, nodes };
}

/** A snapshot as 3.4 wrote it: one seal. `trailer` is called to add what later versions have. */
function snapshotOf(
  nodes: readonly (readonly [path: string, aclId: number])[],
  trailer: (writer: JuteWriter, seal: () => void) => void = () => undefined,
): Uint8Array {
  const writer = new JuteWriter(1 << 16);
  let written = Buffer.alloc(0);
  const seal = (): void => {
    written = Buffer.concat([written, writer.take()]);
    writer.writeLong(adler32(written));
    writer.writeString('/');
  };
  writer.writeInt(0x5a4b534e);
  writer.writeInt(2);
  writer.writeLong(-1);
  writer.writeInt(0);
  writer.writeInt(0);
  for (const [path, aclId] of nodes) {
    writer.writeString(path);
    writer.writeBuffer(null);
    writer.writeLong(aclId);
    for (let i = 0; i < 15; i++) writer.writeInt(0);
  }
  writer.writeString('/');
  seal();
  trailer(writer, seal);
  return Buffer.concat([written, writer.take()]);
}

test('readSnapshot() reads recorded files piece by piece', async () => {
  const bytes = readFileSync(goldenPath('apache-datadir/version-2/snapshot.73'));
  const whole = await read(bytes);
  assert.ok(whole.nodes.size > 50);
  for (const size of [1, 7, 100]) {
    const again = await read(bytes, size);
    assert.deepEqual([...again.nodes.keys()], [...whole.nodes.keys()]);
    assert.deepEqual(again.summary, whole.summary);
  }
});

test('readSnapshot() finds every bit that has changed', async () => {
  const bytes = readFileSync(goldenPath('apache-datadir/version-2/snapshot.0'));
  // The database's number says nothing; but the seal covers it as well.
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    await assert.rejects(read(damaged), ApacheDataError, `byte ${at}`);
  }
});

test('readSnapshot() refuses a file that is cut off anywhere but behind a seal', async () => {
  const bytes = readFileSync(goldenPath('apache-datadir/version-2/snapshot.0'));
  const firstSealEnd = bytes.length - 33;
  for (let length = 0; length < bytes.length; length++) {
    if (length === firstSealEnd) await read(bytes.subarray(0, length));
    else await assert.rejects(read(bytes.subarray(0, length)), ApacheDataError, `${length} bytes`);
  }
});

test('readSnapshot() reads what 3.4 wrote: one seal and no digest', async () => {
  const { summary, nodes } = await read(snapshotOf([['', -1]]));
  assert.equal(summary.digest, undefined);
  assert.deepEqual([...nodes.keys()], ['/']);
});

test('readSnapshot() reads what 3.9 adds, with and without a digest before it', async () => {
  const both = snapshotOf([['', -1]], (writer, seal) => {
    writer.writeLong(7);
    writer.writeInt(2);
    writer.writeLong(4711);
    seal();
    writer.writeLong(7);
    seal();
  });
  assert.deepEqual((await read(both)).summary.digest, { zxid: 7, version: 2, value: 4711n });
  const zxidOnly = snapshotOf([['', -1]], (writer, seal) => {
    writer.writeLong(7);
    seal();
  });
  assert.equal((await read(zxidOnly)).summary.digest, undefined);
});

test('readSnapshot() lets a node name an ACL that the table does not hold yet', async () => {
  const { summary, nodes } = await read(snapshotOf([['', 5]]));
  assert.equal(summary.missingAclCount, 1);
  const acl: readonly Acl[] = nodes.get('/')?.acl ?? [];
  assert.ok(isMissingAcl(acl));
  assert.equal(acl[0]?.perms, 0);
});

test('writeSnapshot() writes what the reader takes for the same tree', async () => {
  const files = new NodePlainFiles();
  const directory = await listDirectory(files, goldenPath('apache-datadir'));
  const { tree } = await loadApacheData(files, directory);
  const bytes = await joined(writeSnapshot(tree));
  const copy = new DataTree({ extendedTypes: true });
  const summary = await readSnapshot(new ByteSource('copy', inPieces(bytes, 1 << 16)), {
    session: (sessionId, timeoutMs) => copy.restoreSession(sessionId, timeoutMs),
    node: (path, fields) => (copy.restoreNode(path, fields) ? undefined : 'no parent'),
  });
  copy.restoreZxid(0x195 as Zxid);
  assert.deepEqual(summary.digest, { zxid: 0x195, version: 2, value: tree.digest });
  assertIsExpected(copy, readExpectedTree('apache-datadir/expected-tree.json'));
});

test('writeSnapshot() ends plain files as the original looks for it', async () => {
  const bytes = await joined(writeSnapshot(new DataTree()));
  assert.equal(Buffer.from(bytes.subarray(-5)).toString('hex'), '000000012f');
});

test('writeSnapshot() of a new tree holds what a new server of the original writes', async () => {
  const ours = await read(await joined(writeSnapshot(new DataTree())));
  const theirs = await read(readFileSync(goldenPath('apache-datadir/version-2/snapshot.0')));
  assert.deepEqual(new Set(ours.nodes.keys()), new Set(theirs.nodes.keys()));
  for (const [path, fields] of theirs.nodes) assert.deepEqual(ours.nodes.get(path), fields, path);
});
