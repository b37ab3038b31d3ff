/**
 * The original's own shell on our servers: what it prints must be what it prints on the original,
 * but for times and the numbers of transactions and sessions, which are compared by their order.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { configuredKinds, runProgram, type Target } from './support.ts';
import { type Printed, QUIET, SKIP, ZKCLI, zkCli } from './zkcli.ts';

/** Nodes with a time to live are switched on; nothing is swept during a session. */
const KINDS = configuredKinds(['zookeeper.extendedTypesEnabled=true'], {
  extendedTypesEnabled: 'true',
});

const EVERYDAY = [
  'ls /',
  'create /zk_test my_data',
  'ls /',
  'get -s /zk_test',
  'set /zk_test junk',
  'set -s -v 1 /zk_test junk2',
  'set -v 1 /zk_test late',
  'get /zk_test',
  'stat /zk_test',
  'create /zk_test again',
  'create -e /zk_test/mine here',
  'create /zk_test/mine/child x',
  'create -s /zk_test/item- a',
  'create -s /zk_test/item- b',
  'create -e -s /zk_test/turn- c',
  'create /empty',
  'get -s /empty',
  'ls -s /zk_test',
  'ls -R /zk_test',
  'getAcl -s /zk_test',
  'get -w /zk_test',
  'set /zk_test seen',
  'stat -w /soon',
  'create /soon x',
  'ls -w /soon',
  'create /soon/child y',
  'delete /zk_test',
  'delete /soon/child',
  'delete -v 7 /soon',
  'delete /soon',
  'delete /soon',
  'create -c /box',
  'stat /box',
  'create /secret x digest:bob:nothing:cdrwa',
  'get /secret',
  'getAcl /secret',
  'setAcl /secret world:anyone:r',
  'addauth digest bob:secret',
  'create /own x auth::cdrwa',
  'getAcl /own',
  'set /own y',
  'setAcl -s /own world:anyone:cdrwa',
  'deleteall /zk_test/item-0000000001',
  'sync /',
  'create relative x',
  'create /missing/child x',
  'ls /missing',
  'delete /empty',
  'delete /own',
  'delete /secret',
  'delete /box',
  'ls /',
  'quit',
];

/** Commands and options that `EVERYDAY` does not have. */
const THE_REST = [
  'version',
  'printwatches',
  'whoami',
  'addauth digest bob:secret',
  'whoami',
  'create -t 3600000 /brief x',
  'stat /brief',
  'create -s -t 3600000 /brief/n- y',
  'create -t 3600000 -e /brief/no',
  'create -c -e /brief/no',
  'create -t 0 /brief/no',
  'create /tree a',
  'create /tree/a b',
  'create /tree/a/b c',
  'create /tree/d e',
  'getAllChildrenNumber /tree',
  'getAllChildrenNumber /',
  'getAllChildrenNumber /none',
  'create -e /tree/mine',
  'create -e /apart',
  'getEphemerals',
  'getEphemerals /tree',
  'getEphemerals /none',
  'create /watched x',
  'addWatch /watched',
  'create /watched/a y',
  'set /watched/a changed',
  'delete /watched/a',
  'removewatches /watched',
  'removewatches /watched',
  'addWatch -m PERSISTENT /watched',
  'set /watched once',
  'set /watched twice',
  'create /watched/a y',
  'removewatches /watched -c',
  'removewatches /watched -a',
  'addWatch -m SOMETHING /watched',
  'get -w /watched',
  'removewatches /watched -d',
  'stat -w /watched',
  'removewatches /watched -d -l',
  'ls -w -R /watched',
  'ls -w /watched',
  'removewatches /watched -c',
  'getAcl -s /tree/a',
  'setAcl -R /tree world:anyone:cdrwa,auth::cdrwa',
  'getAcl /tree/a/b',
  'setAcl -v 7 /tree world:anyone:cdrwa',
  'setAcl -v 1 -s /tree world:anyone:cdrwa',
  'setAcl /tree ip:127.0.0.1:cdrwa,world:anyone:r',
  'getAcl /tree',
  'setAcl /tree world:anyone:cdrwa',
  'setAcl /tree nonsense',
  'deleteall -b 2 /tree/a',
  'deleteall /none',
  'sync /tree',
  'sync /none',
  'reconfig -remove 3',
  'reconfig -add server.9=127.0.0.1:1:2;3',
  'reconfig',
  'history',
  'redo 3',
  'redo 999',
  'nonsense',
  'ls',
  'create',
  'get /tree/a extra',
  'printwatches off',
  'get -w /tree',
  'set /tree unseen',
  // Answered by the thread that prints events, and so behind this one.
  'sync /tree',
  'printwatches on',
  'deleteall /tree',
  'deleteall /brief',
  'close',
  'ls /',
  'connect SERVER/watched',
  'ls /',
  'create /in the-chroot',
  'get -s /in',
  'deleteall /',
  'connect SERVER',
  'deleteall /watched',
  'ls /',
  'quit',
];
const SESSIONS = { 'everyday commands': EVERYDAY, 'the other commands': THE_REST };
type SessionName = keyof typeof SESSIONS;
const SESSION_NAMES = Object.keys(SESSIONS) as readonly SessionName[];

const MEMBERSHIP = ['config', 'config -s', 'config -c', 'config -w', 'quit'];

/** What a session of the commands prints, at the first of the servers. */
function runSession(target: Target, commands: readonly string[]): Promise<Printed> {
  const server = target.servers[0] ?? '';
  return zkCli(server, [], commands.join('\n').replaceAll('SERVER', server));
}

describe('zkCli.sh', { skip: SKIP }, () => {
  const [original, ...ours] = KINDS;
  const expected = new Map<string, Printed>();
  let expectedMembership: Printed;

  const printedBy = (name: SessionName): Printed => {
    const printed = expected.get(name);
    assert.ok(printed !== undefined, name);
    return printed;
  };

  before(async () => {
    const apache = await original.start();
    try {
      for (const name of SESSION_NAMES) {
        expected.set(name, await runSession(apache, SESSIONS[name]));
      }
      expectedMembership = await runSession(apache, MEMBERSHIP);
    } finally {
      await apache.stop();
    }
    const everyday = printedBy('everyday commands');
    assert.ok(everyday.output.includes('[zk_test, zookeeper]'));
    assert.ok(everyday.output.includes('my_data'));
    assert.equal(everyday.events.length, 4);
    assert.match(everyday.errors, /^Created \/zk_test$/m);
    const rest = printedBy('the other commands');
    assert.ok(rest.output.includes('[/tree/mine, /apart]'));
    assert.match(rest.errors, /^Command index out of range$/m);
  });

  for (const kind of ours) {
    describe(kind.name, () => {
      let target: Target;

      before(async () => {
        target = await kind.start();
      });

      after(() => target.stop());

      for (const name of SESSION_NAMES) {
        test(`prints for ${name} what it prints on the original`, async () => {
          const printed = await runSession(target, SESSIONS[name]);
          assert.deepEqual(printed, printedBy(name));
        });
      }

      test('prints the members of the ensemble, of which a lone server has none', async () => {
        const printed = await runSession(target, MEMBERSHIP);
        if (target.servers.length === 1) {
          assert.deepEqual(printed, expectedMembership);
          return;
        }
        for (const [index, server] of target.servers.entries()) {
          const line = new RegExp(`^server\\.${index + 1}=127.0.0.1:.*:participant;(.*)$`);
          const found = printed.output.map((text) => line.exec(text)?.[1]).find(Boolean);
          assert.equal(found, index === 0 ? 'SERVER' : server);
        }
        assert.ok(printed.output.includes('version=0'));
      });

      test('reads from every server what was written through the first', async () => {
        await zkCli(target.servers[0] ?? '', ['create', '/shared', 'by all']);
        for (const server of target.servers) {
          const { output } = await zkCli(server, [], 'sync /shared\nget /shared\nquit');
          assert.equal(output.at(-1), 'by all');
        }
      });

      test('ends with an exit code that tells failure from success', async () => {
        const server = target.servers[0] ?? '';
        const options = { environment: QUIET };
        const command = [ZKCLI, '-server', server, '-r', '-timeout', '5000', 'ls', '/'];
        const found = await runProgram(command, options);
        const missing = await runProgram([ZKCLI, '-server', server, 'ls', '/none'], options);
        assert.equal(found.exitCode, 0);
        assert.equal(missing.exitCode, 1);
        assert.match(missing.stderr, /Node does not exist: \/none/);
      });
    });
  }
});
