/** Data directories of the original's, recorded and put together by hand, loaded into our tree. */

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ApacheDataError } from '../../../src/apache/apache-data-error.ts';
import { listDirectory } from '../../../src/apache/data-dir.ts';
import {
  type LoadedData,
  type LoadOptions,
  loadApacheData,
} from '../../../src/apache/load-data.ts';
import { encodeLogRecord, writeLog } from '../../../src/apache/log-writer.ts';
import { writeSnapshot } from '../../../src/apache/snapshot-writer.ts';
import type { TxnRecord } from '../../../src/apache/txn-record.ts';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import {
  makeSessionId,
  SERVER_NONE,
  SESSION_NONE,
  type SessionId,
  type Zxid,
} from '../../../src/base/ids.ts';
import { NodePlainFiles } from '../../../src/runtime/node/node-plain-files.ts';
import type { PlainFiles } from '../../../src/runtime/plain-files.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { type TxnBody, TxnType } from '../../../src/store/txn.ts';
import { joined, MemoryFiles } from '../../support/apache-files.ts';
import { assertIsExpected, goldenPath, readExpectedTree } from '../../support/expected-tree.ts';

const SESSION = makeSessionId(0x100000000000001n);
const DIR = '/apache/version-2';

async function load(
  files: PlainFiles,
  path: string,
  options: LoadOptions = {},
): Promise<LoadedData> {
  return await loadApacheData(files, await listDirectory(files, path), options);
}

function loadGolden(name: string, options: LoadOptions = {}): Promise<LoadedData> {
  return load(new NodePlainFiles(), goldenPath(name), options);
}

/** A copy of recorded files that may be damaged. */
function copyOf(t: TestContext, name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'vivarium-apache-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(goldenPath(name), directory, { recursive: true });
  return directory;
}

/** Transactions one after the other, with the digests their tree has. */
class History {
  readonly tree = new DataTree({ extendedTypes: true });
  readonly records: TxnRecord[] = [];

  add(body: TxnBody, options: { zxid?: number; sessionId?: SessionId } = {}): this {
    const zxid = (options.zxid ?? this.tree.lastZxid + 1) as Zxid;
    const sessionId = options.sessionId ?? SESSION;
    const txn = {
      sessionId,
      cxid: 1,
      timeMs: 1000 + zxid,
      origin: SERVER_NONE,
      requestId: 0,
      body,
    };
    this.tree.apply(zxid, txn, false);
    this.records.push({ zxid, txn, digest: this.tree.digest });
    return this;
  }
}

function create(path: string, ephemeralOwner: SessionId = SESSION_NONE): TxnBody {
  const data = new TextEncoder().encode(path);
  return { type: TxnType.create, path, data, acl: OPEN_ACL, ephemeralOwner, parentCversion: -1 };
}

async function directoryOf(
  logs: Readonly<Record<string, readonly TxnRecord[]>>,
  snapshots: Readonly<Record<string, DataTree>> = {},
): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  for (const [name, tree] of Object.entries(snapshots)) {
    await files.write(`${DIR}/${name}`, writeSnapshot(tree));
  }
  for (const [name, records] of Object.entries(logs)) {
    await files.write(`${DIR}/${name}`, writeLog(records));
  }
  return files;
}

function withCode(code: ApacheDataError['code'], words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ApacheDataError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };
}

test('loadApacheData makes of snapshot and logs the tree that clients of that server saw', async () => {
  const loaded = await loadGolden('apache-datadir');
  assert.equal(loaded.snapshot?.name, 'snapshot.18c');
  assert.equal(loaded.txnCount, 9);
  assert.deepEqual(loaded.warnings, []);
  assertIsExpected(loaded.tree, readExpectedTree('apache-datadir/expected-tree.json'));
});

for (const name of ['snapshot.0', 'snapshot.35', 'snapshot.56', 'snapshot.73', 'snapshot.b2']) {
  test(`loadApacheData makes the same tree from ${name} and a longer log`, async () => {
    const files = new NodePlainFiles();
    const directory = await listDirectory(files, goldenPath('apache-datadir'));
    const snapshots = directory.snapshots.filter((snapshot) => snapshot.name === name);
    const loaded = await loadApacheData(files, { ...directory, snapshots });
    assert.equal(loaded.snapshot?.name, name);
    assertIsExpected(loaded.tree, readExpectedTree('apache-datadir/expected-tree.json'));
  });
}

test('loadApacheData replays over a snapshot that was written while changes went on', async () => {
  const loaded = await loadGolden('apache-datadir-fuzzy');
  assert.equal(loaded.txnCount, 2433);
  assert.ok(loaded.digestCount > 1500);
  assertIsExpected(loaded.tree, readExpectedTree('apache-datadir-fuzzy/expected-tree.json.gz'));
});

test('loadApacheData follows a log through epochs and reconfigurations', async () => {
  const loaded = await loadGolden('apache-datadir-quorum/data');
  assertIsExpected(loaded.tree, readExpectedTree('apache-datadir-quorum/expected-tree.json'));
  assert.deepEqual(loaded.epochs.ends, [
    { epoch: 1, last: 0x100000016 },
    { epoch: 2, last: 0x2000000a1 },
  ]);
});

for (const suffix of ['gz', 'snappy']) {
  test(`loadApacheData reads a snapshot compressed as .${suffix}`, async () => {
    const files = new NodePlainFiles();
    const directory = await listDirectory(files, goldenPath('apache-snapshots-compressed'));
    const snapshots = directory.snapshots.filter((snapshot) => snapshot.name.endsWith(suffix));
    assert.equal(snapshots.length, 1);
    const loaded = await loadApacheData(files, { ...directory, snapshots }, { snapshotOnly: true });
    assertIsExpected(loaded.tree, readExpectedTree('apache-datadir/expected-tree.json'));
  });
}

test('loadApacheData begins with an empty tree when the logs begin at the first transaction', async () => {
  const history = new History().add(create('/a')).add(create('/a/b'));
  const files = await directoryOf({ 'log.1': history.records });
  const loaded = await load(files, '/apache');
  assert.equal(loaded.snapshot, undefined);
  assert.equal(loaded.tree.digest, history.tree.digest);
  assert.equal(loaded.digestCount, 2);
});

test('loadApacheData refuses logs that begin later when there is no snapshot', async () => {
  const history = new History().add(create('/a')).add(create('/b'));
  const files = await directoryOf({ 'log.2': history.records.slice(1) });
  await assert.rejects(load(files, '/apache'), withCode('GAP', /do not begin at the first/));
});

test('loadApacheData refuses a snapshot without any log unless it is told that this is all', async () => {
  const history = new History().add(create('/a'));
  const files = await directoryOf({}, { 'snapshot.1': history.tree });
  await assert.rejects(load(files, '/apache'), withCode('NOT_FOUND', /--log-dir.*--snapshot-only/));
  const loaded = await load(files, '/apache', { snapshotOnly: true });
  assert.equal(loaded.tree.digest, history.tree.digest);
});

test('loadApacheData refuses a directory with nothing in it', async () => {
  const files = new MemoryFiles();
  files.contents.set(`${DIR}/acceptedEpoch`, new TextEncoder().encode('3'));
  await assert.rejects(load(files, '/apache'), withCode('NOT_FOUND', /nothing to import/));
});

test('loadApacheData leaves out a last record that was never completed, and says so', async (t) => {
  const directory = copyOf(t, 'apache-datadir');
  const log = join(directory, 'version-2/log.18d');
  const bytes = readFileSync(log);
  // The last byte of the last record is its end mark.
  const end = bytes.lastIndexOf(0x42);
  bytes.fill(0, end - 20);
  writeFileSync(log, bytes);
  const loaded = await load(new NodePlainFiles(), directory);
  assert.equal(loaded.tree.lastZxid, 0x194);
  assert.equal(loaded.warnings.length, 1);
  assert.match(loaded.warnings[0] ?? '', /log\.18d: the record at byte \d+ was never completed/);
});

test('loadApacheData takes a log cut off anywhere for what it holds up to there', async () => {
  const history = new History();
  for (const name of ['/a', '/b', '/c']) history.add(create(name));
  const whole = await joined(writeLog(history.records));
  const ends = [16];
  for (const record of history.records) {
    ends.push((ends.at(-1) ?? 0) + encodeLogRecord(record).length);
  }
  for (let length = 0; length <= whole.length; length++) {
    const files = await directoryOf({}, { 'snapshot.0': new DataTree({ extendedTypes: true }) });
    files.contents.set(`${DIR}/log.1`, whole.slice(0, length));
    const loaded = await load(files, '/apache');
    const complete = ends.filter((end) => end <= length).length - 1;
    assert.equal(loaded.txnCount, Math.max(0, complete), `${length} bytes`);
    // Zeros are no beginning of a record: so looks what was allocated in advance.
    const rest = whole.slice(complete < 0 ? length : ends[complete], length);
    const isTorn = complete < 0 || rest.some((byte) => byte !== 0);
    assert.equal(loaded.warnings.length, isTorn ? 1 : 0, `${length} bytes`);
  }
});

test('loadApacheData goes on in the next log behind one that was torn', async () => {
  const history = new History().add(create('/a')).add(create('/b')).add(create('/c'));
  const [first, second, third] = history.records;
  assert.ok(first && second && third);
  const files = await directoryOf({ 'log.1': [first], 'log.2': [second, third] });
  const torn = Buffer.concat([files.bytes(`${DIR}/log.1`), encodeLogRecord(second).slice(0, 30)]);
  files.contents.set(`${DIR}/log.1`, torn);
  const loaded = await load(files, '/apache');
  assert.equal(loaded.tree.digest, history.tree.digest);
  assert.equal(loaded.warnings.length, 1);
});

test('loadApacheData passes over a log that the server died before it began', async () => {
  const history = new History().add(create('/a'));
  const files = await directoryOf({ 'log.1': history.records });
  files.contents.set(`${DIR}/log.2`, new Uint8Array(0));
  const loaded = await load(files, '/apache');
  assert.equal(loaded.txnCount, 1);
  assert.match(loaded.warnings[0] ?? '', /log\.2 is empty/);
});

test('loadApacheData stops at a checksum that does not match, with file and byte', async (t) => {
  const directory = copyOf(t, 'apache-datadir');
  const log = join(directory, 'version-2/log.18d');
  const bytes = readFileSync(log);
  bytes[16 + 12 + 4] = (bytes[16 + 12 + 4] ?? 0) ^ 1;
  writeFileSync(log, bytes);
  await assert.rejects(
    load(new NodePlainFiles(), directory),
    withCode('DAMAGED', /log\.18d at byte 16: the checksum of the record/),
  );
});

test('loadApacheData stops where transactions are missing between two logs', async () => {
  const history = new History();
  for (const name of ['/a', '/b', '/c', '/d']) history.add(create(name));
  const { records } = history;
  const files = await directoryOf({ 'log.1': records.slice(0, 2), 'log.4': records.slice(3) });
  await assert.rejects(
    load(files, '/apache'),
    withCode('GAP', /log\.4 at byte 16: transaction 0x4 follows after 0x2/),
  );
});

test('loadApacheData stops where a block of zeros hides transactions', async () => {
  const history = new History();
  for (const name of ['/a', '/b', '/c', '/d']) history.add(create(name));
  const { records } = history;
  const files = await directoryOf({ 'log.1': records.slice(0, 3), 'log.4': records.slice(3) });
  const bytes = files.bytes(`${DIR}/log.1`);
  const second = 16 + encodeLogRecord(records[0] as TxnRecord).length;
  bytes.fill(0, second, second + 64);
  await assert.rejects(load(files, '/apache'), withCode('GAP', /0x4 follows after 0x1/));
});

test('loadApacheData warns of bytes behind the end of the last log', async () => {
  const history = new History().add(create('/a'));
  const files = await directoryOf({ 'log.1': history.records });
  const padded = Buffer.concat([files.bytes(`${DIR}/log.1`), Buffer.alloc(5000), Buffer.from([7])]);
  files.contents.set(`${DIR}/log.1`, padded);
  const loaded = await load(files, '/apache');
  assert.match(
    loaded.warnings[0] ?? '',
    new RegExp(`something follows at byte ${padded.length - 1}`),
  );
});

test('loadApacheData takes an older snapshot when the newest is damaged', async (t) => {
  const directory = copyOf(t, 'apache-datadir');
  truncateSync(join(directory, 'version-2/snapshot.18c'), 500_000);
  const loaded = await load(new NodePlainFiles(), directory);
  assert.equal(loaded.snapshot?.name, 'snapshot.b2');
  assert.match(loaded.warnings[0] ?? '', /snapshot\.18c.*an older snapshot was taken/);
  assertIsExpected(loaded.tree, readExpectedTree('apache-datadir/expected-tree.json'));
});

test('loadApacheData stops when the tree is not the one the digests speak of', async () => {
  const history = new History().add(create('/a')).add(create('/b'));
  const [first, second] = history.records;
  assert.ok(first && second);
  const wrong = { ...second, digest: 4711n };
  const files = await directoryOf({ 'log.1': [first, wrong] });
  await assert.rejects(
    load(files, '/apache'),
    withCode('DIGEST', /after transaction 0x2 .* 1267 is written there; .*--ignore-digests/),
  );
  const loaded = await load(files, '/apache', { ignoreDigests: true });
  assert.equal(loaded.tree.lastZxid, 2);
  assert.match(loaded.warnings[0] ?? '', /1 digests in the files do not agree/);
});

test('loadApacheData drops ephemeral nodes whose session is no more, as Apache does at its start', async () => {
  const history = new History()
    .add({ type: TxnType.createSession, timeoutMs: 5000 })
    .add(create('/mine', SESSION))
    .add(create('/orphan', makeSessionId(99n)), { sessionId: makeSessionId(99n) });
  const files = await directoryOf({ 'log.1': history.records });
  const loaded = await load(files, '/apache');
  assert.equal(loaded.orphanCount, 1);
  assert.equal(loaded.tree.find('/orphan'), undefined);
  assert.ok(loaded.tree.find('/mine'));
  assert.equal(loaded.tree.sessions.timeoutMs(SESSION), 5000);
});

test('loadApacheData counts the usage of quotas anew', async () => {
  const history = new History()
    .add(create('/q'))
    .add(create('/zookeeper/quota/q'))
    .add(create('/zookeeper/quota/q/zookeeper_limits'))
    .add(create('/zookeeper/quota/q/zookeeper_stats'))
    .add({
      type: TxnType.setData,
      path: '/zookeeper/quota/q/zookeeper_stats',
      data: new TextEncoder().encode('count=77,bytes=88'),
      version: 1,
    });
  const files = await directoryOf({ 'log.1': history.records });
  const { tree } = await load(files, '/apache');
  assert.equal(tree.find('/zookeeper/quota/q/zookeeper_stats')?.dataText, 'count=1,bytes=2');
});
