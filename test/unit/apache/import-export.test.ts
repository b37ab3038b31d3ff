/** From the original's directories into ours and back, with a server of ours in between. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApacheDataError } from '../../../src/apache/apache-data-error.ts';
import { listDirectory } from '../../../src/apache/data-dir.ts';
import { dumpLog, dumpSnapshot, dumpTree } from '../../../src/apache/dump-source.ts';
import { exportApacheData } from '../../../src/apache/export-data.ts';
import { importApacheData } from '../../../src/apache/import-data.ts';
import { loadApacheData } from '../../../src/apache/load-data.ts';
import { OwnData } from '../../../src/apache/own-data.ts';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import { NodePlainFiles } from '../../../src/runtime/node/node-plain-files.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { FatalError } from '../../../src/server/fatal-error.ts';
import { configFromOptions } from '../../../src/server/load-config.ts';
import { SILENT_LOGGER } from '../../../src/server/logger.ts';
import { createServer } from '../../../src/server/server.ts';
import { logDirectory } from '../../../src/store/directories.ts';
import { type Txn, TxnType } from '../../../src/store/txn.ts';
import { encodeTxn } from '../../../src/store/txn-codec.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { createMemoryRuntime } from '../../../src/testing/memory-runtime.ts';
import { MemoryFiles } from '../../support/apache-files.ts';
import { assertIsExpected, goldenPath, readExpectedTree } from '../../support/expected-tree.ts';

const GOLDEN = goldenPath('apache-datadir');
const QUORUM = goldenPath('apache-datadir-quorum/data');
const files = new NodePlainFiles();

async function imported(apacheDir: string, dataDir = 'data'): Promise<Runtime> {
  const runtime = createMemoryRuntime();
  await importApacheData(files, runtime, { apacheDir, dataDir });
  return runtime;
}

function createTxn(path: string): Txn {
  return {
    sessionId: makeSessionId(0x100000cb1b10000n),
    cxid: 1,
    timeMs: 1,
    origin: SERVER_NONE,
    requestId: 0,
    body: {
      type: TxnType.create,
      path,
      data: null,
      acl: OPEN_ACL,
      ephemeralOwner: SESSION_NONE,
      parentCversion: -1,
    },
  };
}

function withCode(code: ApacheDataError['code'], words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ApacheDataError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };
}

test('importApacheData() makes a checkpoint of the tree and a log that begins behind it', async () => {
  const runtime = await imported(GOLDEN);
  const data = await OwnData.open(runtime.storage, 'data');
  assertIsExpected(await data.loadTree(), readExpectedTree('apache-datadir/expected-tree.json'));
  const { meta } = data.log;
  assert.equal(meta.lastZxid, 0x195);
  assert.equal(meta.baseZxid, 0x195);
  assert.equal(meta.commitHint, 0x195);
  assert.equal(data.log.entryCount, 0);
  await data.close();
});

test('importApacheData() keeps the epochs, the history of epochs and the number of the server', async () => {
  const runtime = await imported(QUORUM);
  const data = await OwnData.open(runtime.storage, 'data');
  const { meta } = data.log;
  assert.equal(meta.serverId, 1);
  assert.equal(meta.acceptedEpoch, 2);
  assert.equal(meta.currentEpoch, 2);
  assert.deepEqual(meta.epochs, [
    { epoch: 1, last: 0x100000016 },
    { epoch: 2, last: 0x2000000a1 },
  ]);
  await data.close();
  assert.equal(await runtime.storage.readText('data/myid'), '1\n');
});

test('importApacheData() reports what it imported and compared', async () => {
  const phases = new Set<string>();
  const report = await importApacheData(files, createMemoryRuntime(), {
    apacheDir: GOLDEN,
    dataDir: 'data',
    serverId: 7,
    progress: (phase) => phases.add(phase),
  });
  const { warnings, ...facts } = report;
  assert.deepEqual(facts, {
    serverId: 7,
    acceptedEpoch: 0,
    currentEpoch: 0,
    zxid: 0x195,
    snapshot: 'snapshot.18c',
    txnCount: 9,
    nodeCount: 129,
    sessionCount: 3,
    ephemeralCount: 4,
    orphanCount: 0,
    digest: (251490800773).toString(16),
    digestCount: 10,
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual([...phases], ['snapshot', 'log', 'write', 'verify']);
});

test('importApacheData() refuses directories that hold data already', async () => {
  const runtime = await imported(GOLDEN);
  const again = importApacheData(files, runtime, { apacheDir: GOLDEN, dataDir: 'data' });
  await assert.rejects(again, withCode('TARGET_IN_USE', /data\/state: it already holds data/));
});

test('importApacheData() refuses to import once more where an import was done and its data are gone', async () => {
  const runtime = createMemoryRuntime();
  await runtime.storage.writeText('data/imported-from-apache', 'zxid=0x5\n');
  const again = importApacheData(files, runtime, { apacheDir: GOLDEN, dataDir: 'data' });
  await assert.rejects(again, withCode('TARGET_IN_USE', /imported into this directory before/));
});

test('importApacheData() refuses a myid that is no number', async () => {
  const runtime = createMemoryRuntime();
  await runtime.storage.writeText('data/myid', 'one\n');
  const refused = importApacheData(files, runtime, { apacheDir: GOLDEN, dataDir: 'data' });
  await assert.rejects(refused, withCode('NOT_FOUND', /myid: it says "one".*--my-id/));
});

test('a server starts with the tree that was imported', async () => {
  const runtime = await imported(GOLDEN);
  const config = await configFromOptions({ dataDir: 'data', clientPort: 0 });
  const server = createServer(config, runtime, { log: SILENT_LOGGER });
  await server.start();
  assert.equal(server.view.lastZxid, 0x195);
  assert.equal(server.view.digest, (251490800773).toString(16));
  await server.stop();
});

test("a server refuses Apache's data and says what to do", async () => {
  const runtime = createMemoryRuntime();
  await runtime.storage.writeText('data/version-2/log.1', 'x');
  const config = await configFromOptions({ dataDir: 'data', clientPort: 0 });
  await assert.rejects(createServer(config, runtime, { log: SILENT_LOGGER }).start(), (error) => {
    assert.ok(error instanceof FatalError);
    assert.equal(error.code, 'DATA');
    assert.match(error.message, /--import.*vivarium import data --data-dir DIR/);
    return true;
  });
});

test('a server starts beside the data it was imported from, unless Apache went on there', async () => {
  const runtime = await imported(GOLDEN);
  await runtime.storage.writeText('data/version-2/log.18d', 'x');
  const config = await configFromOptions({ dataDir: 'data', clientPort: 0 });
  const server = createServer(config, runtime, { log: SILENT_LOGGER });
  await server.start();
  await server.stop();
  await runtime.storage.writeText('data/version-2/log.196', 'x');
  await assert.rejects(createServer(config, runtime, { log: SILENT_LOGGER }).start(), (error) => {
    assert.ok(error instanceof FatalError);
    assert.match(error.message, /log\.196 was written after this server's data were imported/);
    return true;
  });
});

test('exportApacheData() writes what loads as the same tree, sessions and epochs', async () => {
  const runtime = await imported(QUORUM);
  const out = new MemoryFiles();
  const report = await exportApacheData(out, runtime.storage, { dataDir: 'data', to: '/out' });
  assert.equal(report.snapshot, 'snapshot.2000000a1');
  assert.equal(report.log, 'log.2000000a1');
  assert.equal(await runtime.storage.readText('/out/myid'), '1\n');
  assert.equal(await runtime.storage.readText('/out/version-2/acceptedEpoch'), '2');
  assert.equal(await runtime.storage.readText('/out/version-2/currentEpoch'), '2');
  const { tree } = await loadApacheData(out, await listDirectory(out, '/out'));
  assertIsExpected(tree, readExpectedTree('apache-datadir-quorum/expected-tree.json'));
});

test('exportApacheData() writes what follows the checkpoint as a log, with digests', async () => {
  const runtime = await imported(GOLDEN);
  const logStore = await runtime.storage.open(logDirectory('data'), { create: false });
  const log = await TxnLog.open(logStore, { serverId: 1 as TxnLog['meta']['serverId'] });
  const txns = [createTxn('/later'), createTxn('/later/still')];
  const append = txns.map((txn, at) => ({
    zxid: (0x1_0000_0001 + at) as Zxid,
    bytes: encodeTxn(txn),
  }));
  await log.write({ append, acceptedEpoch: 1 as never, currentEpoch: 1 as never });
  await log.close();
  const out = new MemoryFiles();
  const report = await exportApacheData(out, runtime.storage, { dataDir: 'data', to: '/out' });
  assert.equal(report.log, 'log.100000001');
  assert.equal(report.txnCount, 2);
  assert.equal(report.nodeCount, 131);
  assert.equal(report.ttlNodeCount, 4);
  const loaded = await loadApacheData(out, await listDirectory(out, '/out'));
  assert.equal(loaded.txnCount, 2);
  assert.equal(loaded.digestCount, 3);
  assert.equal(loaded.tree.digestHex, report.digest);
  assert.ok(loaded.tree.find('/later/still'));
});

test('exportApacheData() refuses a directory that is in use, and one without data', async () => {
  const runtime = await imported(GOLDEN);
  const out = new MemoryFiles();
  out.contents.set('/out/version-2/snapshot.5', new Uint8Array(1));
  await assert.rejects(
    exportApacheData(out, runtime.storage, { dataDir: 'data', to: '/out' }),
    withCode('TARGET_IN_USE', /\/out\/version-2: it already holds snapshot\.5/),
  );
  await assert.rejects(
    exportApacheData(out, runtime.storage, { dataDir: 'elsewhere', to: '/new' }),
    withCode('NOT_FOUND', /elsewhere\/log: there is no data of Vivarium/),
  );
});

test('exportApacheData() refuses the data of a running server', async () => {
  const runtime = await imported(GOLDEN);
  const config = await configFromOptions({ dataDir: 'data', clientPort: 0 });
  const server = createServer(config, runtime, { log: SILENT_LOGGER });
  await server.start();
  await assert.rejects(
    exportApacheData(new MemoryFiles(), runtime.storage, { dataDir: 'data', to: '/out' }),
    withCode('TARGET_IN_USE', /data: a server is running on it; stop it first/),
  );
  await server.stop();
});

async function treePaths(path: string, runtime: Runtime): Promise<string[]> {
  const paths: string[] = [];
  const visitor = {
    item: (item: { kind: string; path?: string }): void => {
      if (item.path !== undefined) paths.push(item.path);
    },
    turn: () => Promise.resolve(),
  };
  await dumpTree(files, runtime.storage, { path }, visitor);
  return paths.sort();
}

test('dumpTree() shows the same nodes of the original and of what was imported', async () => {
  const runtime = createMemoryRuntime();
  const expected = readExpectedTree('apache-datadir/expected-tree.json');
  const paths = expected.nodes.map((node) => node.path).sort();
  assert.deepEqual(await treePaths(GOLDEN, runtime), paths);
});

test('dumpSnapshot() shows one file, compressed or not', async () => {
  const runtime = createMemoryRuntime();
  for (const name of ['snapshot.195.gz', 'snapshot.195.snappy']) {
    let count = 0;
    const path = goldenPath(`apache-snapshots-compressed/${name}`);
    const visitor = {
      item: (): void => {
        count += 1;
      },
      turn: () => Promise.resolve(),
    };
    await dumpSnapshot(files, runtime.storage, { path }, visitor);
    assert.equal(count, 129 + 3, name);
  }
});

test('dumpLog() shows every transaction with file and offset, in order', async () => {
  const zxids: number[] = [];
  let first: { file: string | undefined; offset: number | undefined } | undefined;
  for await (const txn of dumpLog(files, createMemoryRuntime().storage, { path: GOLDEN })) {
    first ??= { file: txn.file, offset: txn.offset };
    zxids.push(txn.zxid);
  }
  assert.deepEqual(first, { file: `${GOLDEN}/version-2/log.1`, offset: 16 });
  assert.deepEqual(
    zxids,
    Array.from({ length: 0x195 }, (_, at) => at + 1),
  );
});
