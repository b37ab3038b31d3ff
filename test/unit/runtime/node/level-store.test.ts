import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeRuntime } from '../../../../src/runtime/node/node-runtime.ts';
import { type KeyValueStore, RuntimeError } from '../../../../src/runtime/runtime.ts';

const { storage } = createNodeRuntime();
let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vivarium-level-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function hasCode(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof RuntimeError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

async function makeStore(directory: string): Promise<void> {
  const store = await storage.open(directory, { create: true });
  await fill(store);
  await store.close();
}

async function fill(store: KeyValueStore): Promise<void> {
  const batch = store.batch();
  batch.put(Uint8Array.of(1), Uint8Array.of(2));
  await batch.write({ sync: true });
}

describe('openLevelStore()', () => {
  it('refuses a store that another process has open, naming it', async () => {
    const directory = join(root, 'db');
    const runtimeUrl = new URL('../../../../src/runtime/node/node-runtime.js', import.meta.url);
    const program = `
      import { createNodeRuntime } from ${JSON.stringify(fileURLToPath(runtimeUrl))};
      await createNodeRuntime().storage.open(${JSON.stringify(directory)}, { create: true });
      process.stdout.write('open');
      process.stdin.resume();
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      await hasCode(storage.open(directory, { create: true }), 'STORE_LOCKED', /db/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const store = await storage.open(directory, { create: false });
    await store.close();
  });

  it('calls a store damaged whose CURRENT file is garbage', async () => {
    await makeStore(join(root, 'db'));
    await writeFile(join(root, 'db', 'CURRENT'), 'garbage');
    await hasCode(storage.open(join(root, 'db'), { create: false }), 'STORE_DAMAGED', /CURRENT/);
  });

  it('calls a store damaged that has lost a file', async () => {
    await makeStore(join(root, 'db'));
    for (const name of await readdir(join(root, 'db'))) {
      if (name.startsWith('MANIFEST')) await rm(join(root, 'db', name));
    }
    await hasCode(storage.open(join(root, 'db'), { create: true }), 'STORE_DAMAGED', /MANIFEST/);
  });

  it('leaves nothing behind where it refuses to create', async () => {
    await hasCode(storage.open(join(root, 'db'), { create: false }), 'STORE_MISSING', /db/);
    assert.deepEqual(await readdir(root), []);
  });
});

describe('LevelStore.write()', () => {
  it('refuses everything after a write has failed', async () => {
    const directory = join(root, 'db');
    const store = await storage.open(directory, { create: true });
    await fill(store);
    // A synced write ends with a look at the directory, which fails once that is gone.
    await rm(directory, { recursive: true });
    await hasCode(fill(store), 'IO', /db/);
    const batch = store.batch();
    batch.put(Uint8Array.of(3), Uint8Array.of(4));
    await hasCode(batch.write({ sync: false }), 'IO', /failed before/);
    await store.close();
  });

  it('refuses what waits behind the write that fails', async () => {
    const directory = join(root, 'db');
    const store = await storage.open(directory, { create: true });
    await fill(store);
    await rm(directory, { recursive: true });
    const outcomes = await Promise.allSettled([fill(store), fill(store), fill(store)]);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['rejected', 'rejected', 'rejected'],
    );
    await store.close();
  });

  it('has on the disk, when a synced write settles, all that was written before it', async () => {
    const directory = join(root, 'db');
    const store = await storage.open(directory, { create: true });
    const value = new Uint8Array(100_000);
    for (let i = 0; i < 300; i++) {
      const batch = store.batch();
      batch.put(Uint8Array.of(i >> 8, i), value);
      await batch.write({ sync: false });
    }
    await fill(store);
    // LevelDB has begun another file meanwhile, and syncs only the last: the rest must be in tables.
    const logs = (await readdir(directory)).filter((name) => name.endsWith('.log'));
    const sizes = await Promise.all(
      logs.map(async (name) => (await stat(join(directory, name))).size),
    );
    assert.ok(Math.max(...sizes) < 1000, `${sizes.join(' and ')} bytes that may not be synced`);
    await store.close();
  });
});
