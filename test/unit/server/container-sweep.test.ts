import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../../src/base/op-code.ts';
import type { WriteRequest } from '../../../src/base/write-request.ts';
import { ContainerSweep, type SweepPolicy } from '../../../src/server/container-sweep.ts';
import { create, remove, StoreKit, setData } from '../../support/store-kit.ts';

const POLICY: SweepPolicy = {
  checkIntervalMs: 1000,
  maxPerMinute: 60_000,
  maxNeverUsedIntervalMs: 0,
};

function container(path: string): WriteRequest {
  return { ...create(path, { flags: 4 }), op: OpCode.createContainer };
}

function withTtl(path: string, durationMs: number): WriteRequest {
  return { ...create(path, { flags: 5, durationMs }), op: OpCode.createTtl };
}

/** A sweep over a tree whose clock stands still unless a test says otherwise. */
class Fixture {
  readonly kit = new StoreKit({ extendedTypes: true });
  readonly deleted: string[] = [];
  readonly #sweep: ContainerSweep;

  constructor(policy: Partial<SweepPolicy> = {}, ...asked: WriteRequest[]) {
    for (const one of asked) assert.equal(this.kit.run(one).error, 0);
    const hooks = {
      isPending: (path: string) => this.kit.preparer.isPending(path),
      delete: (path: string) => void this.deleted.push(path),
    };
    this.#sweep = new ContainerSweep({ ...POLICY, ...policy }, hooks, 0);
  }

  /** Paths deleted by a tick at this moment; `agoMs` after the last transaction. */
  tick(nowMs: number, agoMs = 0): string[] {
    this.#sweep.tick(this.kit.tree, nowMs, StoreKit.timeMs(this.kit.zxid) + agoMs);
    return this.deleted.splice(0).sort();
  }
}

test('a container goes when its last child went, and not before the first look', () => {
  const sweep = new Fixture({}, container('/c'), create('/c/x'), remove('/c/x'));
  assert.deepEqual(sweep.tick(999), []);
  assert.deepEqual(sweep.tick(1000), ['/c']);
});

test('a container stays while it has a child', () => {
  const sweep = new Fixture({}, container('/c'), create('/c/x'));
  assert.deepEqual(sweep.tick(1000), []);
});

test('a container that never had a child stays for ever by default', () => {
  const sweep = new Fixture({}, container('/c'));
  assert.deepEqual(sweep.tick(1000, 1e9), []);
});

test('a container that never had a child goes after the age that was set', () => {
  const sweep = new Fixture({ maxNeverUsedIntervalMs: 5000 }, container('/c'));
  assert.deepEqual(sweep.tick(1000, 5000), []);
  assert.deepEqual(sweep.tick(2000, 5001), ['/c']);
});

test('a node with a time to live goes when it is older and has no child', () => {
  const sweep = new Fixture({}, withTtl('/t', 500), withTtl('/p', 500), create('/p/x'));
  assert.deepEqual(sweep.tick(1000, 490), []);
  assert.deepEqual(sweep.tick(2000, 600), ['/t']);
});

test('new data begins the time to live again', () => {
  const sweep = new Fixture({}, withTtl('/t', 500));
  sweep.kit.run(setData('/t', 'x'));
  assert.deepEqual(sweep.tick(1000, 500), []);
  assert.deepEqual(sweep.tick(2000, 501), ['/t']);
});

test('ordinary and ephemeral nodes are never looked at', () => {
  const sweep = new Fixture({}, create('/a'), create('/e', { flags: 1 }));
  assert.deepEqual(sweep.tick(1000, 1e9), []);
});

test('a node whose change is under way waits for the next look', () => {
  const sweep = new Fixture({}, withTtl('/t', 500));
  sweep.kit.prepare(setData('/t', 'x'));
  assert.deepEqual(sweep.tick(1000, 1e6), []);
});

test('what is due is worked off at the pace of the policy', () => {
  const nodes = Array.from({ length: 10 }, (_, at) => withTtl(`/t${at}`, 1));
  const sweep = new Fixture({ maxPerMinute: 600 }, ...nodes);
  assert.equal(sweep.tick(1000, 1e6).length, 1);
  assert.equal(sweep.tick(1050, 1e6).length, 0);
  assert.equal(sweep.tick(1100, 1e6).length, 1);
  assert.equal(sweep.tick(1400, 1e6).length, 3);
  assert.equal(sweep.tick(9000, 1e6).length, 5);
});

test('a node that got a child while it waited for its turn stays', () => {
  const sweep = new Fixture({ maxPerMinute: 600 }, withTtl('/t1', 1), withTtl('/t2', 1));
  assert.deepEqual(sweep.tick(1000, 1e6), ['/t1']);
  sweep.kit.run(create('/t2/x'));
  assert.deepEqual(sweep.tick(1500, 1e6), []);
});
