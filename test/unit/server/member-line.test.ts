import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/server/config-error.ts';
import { type Member, parseMemberLine } from '../../../src/server/member-line.ts';

function parse(value: string, key = 'server.1'): Member {
  return parseMemberLine({ key, value, where: 'zoo.cfg:7', line: 7 });
}

function fails(value: string, message: RegExp, key = 'server.1'): void {
  assert.throws(
    () => parse(value, key),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.line, 7);
      assert.ok(error.message.startsWith('zoo.cfg:7: '), error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

const CANONICAL: readonly (readonly [line: string, text: string])[] = [
  ['zk1:2888:3888', 'server.1=zk1:2888:3888:participant'],
  ['zk1:2888:3888:Observer', 'server.1=zk1:2888:3888:observer'],
  ['zk1:2888:3888;2181', 'server.1=zk1:2888:3888:participant;0.0.0.0:2181'],
  ['zk1:2888:3888;10.0.0.1:2181', 'server.1=zk1:2888:3888:participant;10.0.0.1:2181'],
  ['zk1:2888:3888;2181;2281', 'server.1=zk1:2888:3888:participant;0.0.0.0:2181;0.0.0.0:2281'],
  ['zk1:2888:3888;;2281', 'server.1=zk1:2888:3888:participant;;0.0.0.0:2281'],
  ['[2001:db8::1]:2888:3888;[::]:2181', 'server.1=[2001:db8::1]:2888:3888:participant;[::]:2181'],
];

for (const [line, text] of CANONICAL) {
  test(`parseMemberLine brings ${line} into canonical form`, () => {
    assert.equal(parse(line).text, text);
  });
}

test('parseMemberLine yields the parts of a line', () => {
  const member = parse('zk1:2888:3888:observer;10.0.0.1:2181', 'server.12');
  assert.equal(member.id, 12);
  assert.equal(member.host, 'zk1');
  assert.equal(member.quorumPort, 2888);
  assert.equal(member.electionPort, 3888);
  assert.equal(member.role, 'observer');
  assert.equal(member.clientHost, '10.0.0.1');
  assert.equal(member.clientPort, 2181);
  assert.equal(member.line, 7);
});

const MISTAKES: readonly (readonly [what: string, line: string, message: RegExp])[] = [
  ['a missing election port', 'zk1:2888', /does not have the form of a member line; expected host/],
  ['too many fields', 'zk1:1:2:observer:x', /does not have the form/],
  ['a bracket that does not close', '[::1:2888:3888', /does not have the form/],
  ['a missing host', ':2888:3888', /has no host/],
  ['equal ports', 'zk1:2888:2888', /uses port 2888 for both .* expected two different ports/],
  ['a port that is no number', 'zk1:abc:3888', /the quorum port "abc"; expected a port from 1/],
  ['a port out of range', 'zk1:2888:99999', /the election port "99999"; expected a port from 1 to/],
  ['an unknown role', 'zk1:2888:3888:voter', /has the role "voter"; expected participant or obs/],
  ['several addresses', 'a:1:2|b:3:4', /names several addresses; expected one address/],
  ['a client part without a number', 'zk1:2888:3888;x', /the client port "x"/],
  ['a third client part', 'zk1:2888:3888;1;2;3', /has more than two parts/],
];

for (const [what, line, message] of MISTAKES) {
  test(`parseMemberLine refuses ${what}`, () => fails(line, message));
}

for (const key of ['server.0', 'server.256', 'server.x', 'server.', 'server.-1']) {
  test(`parseMemberLine refuses the key ${key}`, () => {
    fails('zk1:2888:3888', /expected server\.N with N from 1 to 255/, key);
  });
}
