/** Which permission each write needs, and of which node: alone and as a member of a multi. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, type Identity, Perm } from '../../../src/base/acl.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { SESSION_NONE } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import type { WriteRequest } from '../../../src/base/write-request.ts';
import {
  check,
  create,
  multi,
  remove,
  request,
  StoreKit,
  setAcl,
  setData,
} from '../../support/store-kit.ts';

const { ok, noAuth } = ErrorCode;
const AMY: Identity = { scheme: 'digest', id: 'amy:hash' };
const SUPER: Identity = { scheme: 'super', id: '' };
const ANYBODY = create('/').acl;

interface Rule {
  readonly name: string;
  readonly asked: WriteRequest;
  /** The node whose ACL decides. */
  readonly decides: '/p' | '/p/c';
  readonly needed: number;
  readonly mayBeMember: boolean;
}

function made(op: OpCode, fields: Partial<WriteRequest> = {}): WriteRequest {
  return { ...create('/p/new'), op, ...fields };
}

const ttl = { flags: 5, durationMs: 1000 };
const RULES: readonly Rule[] = [
  ['create', made(OpCode.create), '/p', Perm.create, true],
  ['create2', made(OpCode.create2), '/p', Perm.create, true],
  ['createContainer', made(OpCode.createContainer, { flags: 4 }), '/p', Perm.create, true],
  ['createTTL', made(OpCode.createTtl, ttl), '/p', Perm.create, true],
  ['delete', remove('/p/c'), '/p', Perm.delete, true],
  ['setData', setData('/p/c', 'x'), '/p/c', Perm.write, true],
  ['check', check('/p/c'), '/p/c', Perm.read, true],
  ['setACL', setAcl('/p/c', ANYBODY), '/p/c', Perm.admin, false],
].map(([name, asked, decides, needed, mayBeMember]) => {
  return { name, asked, decides, needed, mayBeMember } as Rule;
});

/** `/p/c`, where Amy has these permissions of the deciding node and all of the other one. */
function kitFor(rule: Rule, perms: number, skipAcl = false): StoreKit {
  const kit = new StoreKit({ extendedTypes: true, skipAcl });
  const amys: readonly Acl[] = [{ perms, scheme: AMY.scheme, id: AMY.id }];
  const setUp = [create('/p'), create('/p/c'), setAcl(rule.decides, amys)];
  for (const asked of setUp) assert.equal(kit.run(asked).error, ok);
  return kit;
}

function errorAlone(kit: StoreKit, rule: Rule, identities: readonly Identity[]): number {
  if (rule.asked.op === OpCode.check) return errorInMulti(kit, rule, identities);
  return kit.run(rule.asked, { identities }).error;
}

function errorInMulti(kit: StoreKit, rule: Rule, identities: readonly Identity[]): number {
  return kit.run(multi(rule.asked), { identities }).results[0]?.error ?? Number.NaN;
}

for (const rule of RULES) {
  test(`${rule.name} needs its one permission of ${rule.decides}`, () => {
    assert.equal(errorAlone(kitFor(rule, rule.needed), rule, [AMY]), ok);
    assert.equal(errorAlone(kitFor(rule, Perm.all & ~rule.needed), rule, [AMY]), noAuth);
    assert.equal(errorAlone(kitFor(rule, Perm.all), rule, []), noAuth);
  });

  test(`${rule.name} is open to the super user and to everybody under skipACL`, () => {
    assert.equal(errorAlone(kitFor(rule, 0), rule, [SUPER]), ok);
    assert.equal(errorAlone(kitFor(rule, 0, true), rule, []), ok);
  });

  if (!rule.mayBeMember) continue;
  test(`${rule.name} needs the same permission inside a multi`, () => {
    assert.equal(errorInMulti(kitFor(rule, rule.needed), rule, [AMY]), ok);
    assert.equal(errorInMulti(kitFor(rule, Perm.all & ~rule.needed), rule, [AMY]), noAuth);
  });
}

test('skipACL still refuses an ACL that is none', () => {
  const kit = new StoreKit({ skipAcl: true });
  assert.equal(kit.run(create('/a', { acl: [] })).error, ErrorCode.invalidAcl);
});

test('the ACL of a node made earlier in a multi counts for its later members', () => {
  const kit = new StoreKit();
  const acl = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];
  const members = multi(create('/a', { acl }), create('/a/b'));
  const results = kit.run(members).results;
  assert.deepEqual(
    results.map(({ error }) => error),
    [ok, noAuth],
  );
});

test('deleteContainer asks for no permission, and only the leader itself may ask for it', () => {
  const kit = new StoreKit();
  const acl = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];
  kit.run({ ...create('/c', { flags: 4, acl }), op: OpCode.createContainer });
  const sweep = request(OpCode.deleteContainer, { path: '/c' });
  assert.equal(kit.run(sweep).error, ErrorCode.unimplemented);
  assert.equal(kit.run(sweep, { sessionId: SESSION_NONE }).error, ok);
});
