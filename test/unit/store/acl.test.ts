import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, type Identity, OPEN_ACL, Perm } from '../../../src/base/acl.ts';
import { expandAcl, isAllowed, ownChars, redactAcl } from '../../../src/store/acl.ts';

const BOB: Identity = { scheme: 'digest', id: 'bob:hash' };
const ADDRESS: Identity = { scheme: 'ip', id: '10.1.2.3' };

function entry(scheme: string, id: string, perms: number = Perm.all): Acl {
  return { perms, scheme, id };
}

function accepts(scheme: string, id: string): boolean {
  return expandAcl([entry(scheme, id)], []) !== undefined;
}

test('expandAcl refuses null and empty lists', () => {
  assert.equal(expandAcl(null, [BOB]), undefined);
  assert.equal(expandAcl([], [BOB]), undefined);
});

test('expandAcl gives the shared open ACL for an equal list', () => {
  assert.equal(expandAcl([entry('world', 'anyone')], []), OPEN_ACL);
});

test('expandAcl accepts of world only anyone', () => {
  assert.equal(accepts('world', 'anyone'), true);
  assert.equal(accepts('world', 'someone'), false);
});

test('expandAcl accepts digest ids of exactly two parts as Java splits them', () => {
  for (const id of ['a:b', ':x', 'a:b:', 'a:b::']) assert.equal(accepts('digest', id), true, id);
  for (const id of ['a', 'a:', '', ':', '::', 'a:b:c', 'a::b', 'a:b:c:']) {
    assert.equal(accepts('digest', id), false, id);
  }
});

test('expandAcl accepts IPv4 addresses with an optional prefix of 0 to 32 bits', () => {
  for (const id of ['1.2.3.4', '0.0.0.0/0', '255.255.255.255/32', '10.0.0.0/8']) {
    assert.equal(accepts('ip', id), true, id);
  }
  for (const id of ['1.2.3', '1.2.3.256', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', 'host']) {
    assert.equal(accepts('ip', id), false, id);
  }
});

test('expandAcl accepts numbers of IPv4 addresses as the original reads them', () => {
  for (const id of ['0127.0.0.1', '+1.2.3.4', '1.2.3.4/+8', '1.2.3.4/008']) {
    assert.equal(accepts('ip', id), true, id);
  }
  for (const id of [' 1.2.3.4', '1.2.3.4 ', '0x7f.0.0.1', '1.2.3.', '1.2.3.4/1e1', '1..2.3']) {
    assert.equal(accepts('ip', id), false, id);
  }
});

test('expandAcl accepts IPv6 addresses with an optional prefix of 0 to 128 bits', () => {
  for (const id of ['::1', '::/0', 'fe80::1/64', '1:2:3:4:5:6:7:8/128', '::ffff:1.2.3.4']) {
    assert.equal(accepts('ip', id), true, id);
  }
  for (const id of ['::1/129', '1::2::3', ':1', '1:2:3', 'g::', '12345::', '1:2:3:4:5:6:7::8']) {
    assert.equal(accepts('ip', id), false, id);
  }
});

test('expandAcl refuses super and schemes nobody provides', () => {
  for (const scheme of ['super', 'sasl', 'x509', 'ensemble', '']) {
    assert.equal(accepts(scheme, 'a:b'), false, scheme);
  }
});

test('expandAcl drops exact duplicates and keeps the first', () => {
  const acl = [entry('ip', '1.1.1.1'), entry('digest', 'a:b', 1), entry('ip', '1.1.1.1')];
  assert.deepEqual(expandAcl(acl, []), acl.slice(0, 2));
  const differing = [entry('ip', '1.1.1.1', 1), entry('ip', '1.1.1.1', 2)];
  assert.deepEqual(expandAcl(differing, []), differing);
});

test('expandAcl replaces auth by every proved identity, neither address nor super power', () => {
  const sasl = { scheme: 'sasl', id: 'amy' };
  const identities = [ADDRESS, { scheme: 'super', id: '' }, BOB, sasl];
  assert.deepEqual(expandAcl([entry('auth', 'whatever', 3)], identities), [
    { ...BOB, perms: 3 },
    { ...sasl, perms: 3 },
  ]);
  assert.equal(expandAcl([entry('auth', '')], [ADDRESS]), undefined);
});

test('expandAcl keeps duplicates that come from the replacement', () => {
  const acl = [entry('digest', 'bob:hash'), entry('auth', '')];
  assert.equal(expandAcl(acl, [BOB])?.length, 2);
});

test('isAllowed needs any one of the bits asked for', () => {
  const acl = [entry('world', 'anyone', Perm.read)];
  assert.equal(isAllowed(acl, Perm.read, []), true);
  assert.equal(isAllowed(acl, Perm.read | Perm.admin, []), true);
  assert.equal(isAllowed(acl, Perm.write, []), false);
});

test('isAllowed lets everybody in where the list is empty, and super everywhere', () => {
  assert.equal(isAllowed([], Perm.admin, []), true);
  assert.equal(
    isAllowed([entry('digest', 'x:y')], Perm.admin, [{ scheme: 'super', id: '' }]),
    true,
  );
});

test('isAllowed compares scheme and id', () => {
  const acl = [entry('digest', 'bob:hash')];
  assert.equal(isAllowed(acl, Perm.read, [BOB]), true);
  assert.equal(isAllowed(acl, Perm.read, [{ scheme: 'sasl', id: 'bob:hash' }]), false);
  assert.equal(isAllowed(acl, Perm.read, [{ scheme: 'digest', id: 'bob:other' }]), false);
});

test('isAllowed compares addresses up to the prefix', () => {
  const from = (id: string, range: string): boolean =>
    isAllowed([entry('ip', range)], Perm.read, [{ scheme: 'ip', id }]);
  assert.equal(from('10.1.2.3', '10.0.0.0/8'), true);
  assert.equal(from('11.1.2.3', '10.0.0.0/8'), false);
  assert.equal(from('10.1.2.3', '10.1.2.3'), true);
  assert.equal(from('10.1.2.4', '10.1.2.3'), false);
  assert.equal(from('200.1.2.4', '0.0.0.0/0'), true);
  assert.equal(from('10.1.2.130', '10.1.2.128/25'), true);
  assert.equal(from('10.1.2.127', '10.1.2.128/25'), false);
  assert.equal(from('::1', '0.0.0.0/0'), false);
});

test('redactAcl hides the hash of digests from those who may not administer', () => {
  const acl = [entry('digest', 'bob:hash'), entry('ip', '1.2.3.4')];
  assert.deepEqual(redactAcl(acl, []), [entry('digest', 'bob:x'), entry('ip', '1.2.3.4')]);
  assert.equal(redactAcl(acl, [BOB]), acl);
});

test('expandAcl keeps the first of repeated entries in long lists as in short ones', () => {
  const entries = Array.from({ length: 40 }, (_, at) => entry('ip', `10.0.0.${at}`));
  const repeated = [...entries, ...entries, entry('ip', '10.0.0.1', Perm.read)];
  assert.deepEqual(expandAcl(repeated, []), [...entries, entry('ip', '10.0.0.1', Perm.read)]);
});

test('expandAcl looks at each entry of a list once, however long it is', () => {
  let lookCount = 0;
  const entries = Array.from({ length: 5000 }, (_, at) => ({
    perms: Perm.all,
    scheme: 'digest',
    get id() {
      lookCount += 1;
      return `user${at}:hash`;
    },
  }));
  assert.equal(expandAcl(entries, [])?.length, 5000);
  assert.ok(lookCount <= 3 * entries.length, `${lookCount} looks`);
});

test('ownChars counts what the entries of scheme auth stand for', () => {
  const chars = 'digest'.length + BOB.id.length;
  assert.equal(ownChars(null, [BOB]), 0);
  assert.equal(ownChars([entry('world', 'anyone')], [BOB]), 0);
  assert.equal(
    ownChars([entry('auth', ''), entry('auth', '', Perm.read)], [BOB, ADDRESS]),
    2 * chars,
  );
});

test('isAllowed says the same of a long list as of a short one', () => {
  const filler = Array.from({ length: 40 }, (_, at) => entry('ip', `10.9.0.${at}`, Perm.admin));
  const all = { scheme: 'super', id: '' };
  const askers: readonly (readonly Identity[])[] = [
    [],
    [BOB],
    [ADDRESS],
    [BOB, ADDRESS],
    [{ scheme: 'ip', id: 'fe80::1%eth0' }],
    [all],
  ];
  for (const short of [
    [entry('digest', 'bob:hash', Perm.read), entry('digest', 'bob:hash', Perm.write)],
    [entry('ip', '10.1.0.0/16', Perm.read), entry('digest', 'amy:hash')],
    [entry('ip', 'fe80::/10', Perm.write)],
    [entry('world', 'anyone', Perm.create), entry('ip', 'anyone', Perm.delete)],
  ]) {
    const long = [...short, ...filler];
    for (const identities of [...askers, ...askers]) {
      for (const needed of [Perm.read, Perm.write, Perm.create, Perm.delete, Perm.admin | 1]) {
        assert.equal(isAllowed(long, needed, identities), isAllowed(short, needed, identities));
      }
    }
  }
});

test('isAllowed looks through a long list once for one who asks again', () => {
  let lookCount = 0;
  const list = Array.from({ length: 100 }, (_, at) => ({
    perms: Perm.read,
    scheme: 'digest',
    get id() {
      lookCount += 1;
      return `user${at}:hash`;
    },
  }));
  const identities = [BOB];
  for (let at = 0; at < 1000; at++) assert.equal(isAllowed(list, Perm.read, identities), false);
  assert.ok(lookCount <= 2 * list.length, `${lookCount} looks`);
});
