import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Acl, OPEN_ACL } from '../../src/base/acl.ts';
import { makeSessionId, SERVER_NONE, type SessionId, type Zxid } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { Preparer } from '../../src/store/prepare.ts';
import type { Txn } from '../../src/store/txn.ts';
import { decodeTxn, encodeTxn, TxnDecodeError } from '../../src/store/txn-codec.ts';
import { bytes, request } from '../support/store-kit.ts';
import { expectSameTree } from '../support/tree-check.ts';
import { type ModelOutcome, TreeModel } from '../support/tree-model.ts';

const SEED = 20_240_611;
const BASE_TIME_MS = 1_700_000_000_000;
const OTHER_ACL: readonly Acl[] = [
  { perms: 31, scheme: 'world', id: 'anyone' },
  { perms: 1, scheme: 'ip', id: '10.0.0.1' },
];

const anyPath = fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/b/x', '/a/x/deep');
const anyText = fc.constantFrom(null, '', 'one', 'ÿ two');
const anyAcl = fc.constantFrom(OPEN_ACL, OTHER_ACL);
const anyVersion = fc.constantFrom(-1, -1, -1, 0, 1, 2);
const anySession = fc.constantFrom(1n, 1n, 1n, 2n).map(makeSessionId);

const anyCreate = fc
  .tuple(anyPath, anyText, anyAcl, fc.constantFrom(0, 0, 0, 1, 2, 3))
  .map(([path, text, acl, flags]) =>
    request(OpCode.create, { path, data: text === null ? null : bytes(text), acl, flags }),
  );
const anyDelete = fc
  .tuple(anyPath, anyVersion)
  .map(([path, version]) => request(OpCode.delete, { path, version }));
const anySetData = fc
  .tuple(anyPath, anyText, anyVersion)
  .map(([path, text, version]) =>
    request(OpCode.setData, { path, data: text === null ? null : bytes(text), version }),
  );
const anySetAcl = fc
  .tuple(anyPath, anyAcl, anyVersion)
  .map(([path, acl, version]) => request(OpCode.setAcl, { path, acl, version }));
const anyCheck = fc
  .tuple(anyPath, anyVersion)
  .map(([path, version]) => request(OpCode.check, { path, version }));
const anyMulti = fc
  .array(fc.oneof(anyCreate, anyDelete, anySetData, anyCheck), { maxLength: 5 })
  .map((ops) => request(OpCode.multi, { ops }));
const anyRequest = fc.oneof(
  { weight: 6, arbitrary: anyCreate },
  { weight: 3, arbitrary: anyDelete },
  { weight: 3, arbitrary: anySetData },
  { weight: 1, arbitrary: anySetAcl },
  { weight: 3, arbitrary: anyMulti },
  { weight: 1, arbitrary: fc.constant(request(OpCode.createSession, { durationMs: 9000 })) },
  { weight: 1, arbitrary: fc.constant(request(OpCode.closeSession)) },
);

interface Step {
  readonly asked: WriteRequest;
  readonly sessionId: SessionId;
  /** How many pending transactions are applied after this one is prepared. */
  readonly applyCount: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  asked: anyRequest,
  sessionId: anySession,
  applyCount: fc.constantFrom(0, 0, 0, 1, 1, 2, 9),
});

/** Runs the steps with a backlog between preparing and applying; every txn goes through its bytes. */
class Run {
  readonly tree = new DataTree();
  readonly outcomes: ModelOutcome[][] = [];
  readonly #preparer = new Preparer(this.tree);
  readonly #backlog: Uint8Array[] = [];
  #zxid = 0;

  step(step: Step): void {
    this.#zxid += 1;
    const { sessionId, asked } = step;
    const zxid = this.#zxid as Zxid;
    const body = this.#preparer.prepare(asked, { sessionId, identities: [], zxid });
    const timeMs = BASE_TIME_MS + zxid;
    const txn: Txn = { sessionId, cxid: 0, timeMs, origin: SERVER_NONE, requestId: 0, body };
    this.#backlog.push(encodeTxn(txn));
    this.apply(step.applyCount);
  }

  apply(count: number): void {
    for (let at = 0; at < count; at++) {
      const next = this.#backlog.shift();
      if (next === undefined) return;
      const txn = decodeTxn(next);
      assert.ok(!(txn instanceof TxnDecodeError));
      const zxid = (this.tree.lastZxid + 1) as Zxid;
      const result = this.tree.apply(zxid, txn, true);
      this.#preparer.applied(zxid);
      const results = txn.body.type === 14 ? result.results : [result];
      this.outcomes.push(results.map(({ error, path }) => ({ error, path })));
    }
  }

  get pendingCount(): number {
    return this.#preparer.pendingCount;
  }
}

test('preparing ahead of applying gives what a plain model gives one request at a time', () => {
  const property = fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
    const run = new Run();
    const model = new TreeModel();
    const expected: ModelOutcome[][] = [];
    const opening = request(OpCode.createSession, { durationMs: 9000 });
    const first: Step = { asked: opening, sessionId: makeSessionId(1n), applyCount: 0 };
    const all = [first, ...steps];
    for (let at = 0; at < all.length; at++) {
      const step = all[at] ?? first;
      run.step(step);
      const zxid = at + 1;
      const { asked, sessionId } = step;
      expected.push(model.run(asked, { sessionId, zxid, timeMs: BASE_TIME_MS + zxid }));
    }
    run.apply(all.length);
    assert.deepEqual(run.outcomes, expected);
    expectSameTree(run.tree, model);
    assert.equal(run.pendingCount, 0);
  });
  fc.assert(property, { seed: SEED, numRuns: 400 });
});

test('decodeTxn never throws and finds changed bytes', () => {
  const sample = encodeTxn({
    sessionId: makeSessionId(7n),
    cxid: 1,
    timeMs: BASE_TIME_MS,
    origin: SERVER_NONE,
    requestId: 3,
    body: { type: 2, path: '/a/b' },
  });
  const property = fc.property(
    fc.nat(sample.length - 1),
    fc.integer({ min: 1, max: 255 }),
    (at, x) => {
      const changed = Buffer.from(sample);
      changed[at] = (changed[at] ?? 0) ^ x;
      assert.ok(decodeTxn(changed) instanceof TxnDecodeError);
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 300 });
  const garbage = fc.property(fc.uint8Array({ maxLength: 80 }), (some) => {
    assert.ok(decodeTxn(Uint8Array.of(1, ...some)) instanceof TxnDecodeError);
  });
  fc.assert(garbage, { seed: SEED, numRuns: 300 });
});
