/**
 * The original's own shell on our servers: what it prints must be what it prints on the original,
 * but for times and the numbers of transactions and sessions, which are compared by their order.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { APACHE, ENSEMBLE, runProgram, STANDALONE, type Target } from './support.ts';
import { type Printed, QUIET, SKIP, ZKCLI, zkCli } from './zkcli.ts';

const SESSION = [
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

describe('zkCli.sh', { skip: SKIP }, () => {
  let expected: Printed;

  before(async () => {
    const apache = await APACHE.start();
    try {
      expected = await zkCli(apache.servers[0] ?? '', [], SESSION.join('\n'));
    } finally {
      await apache.stop();
    }
    assert.ok(expected.output.includes('[zk_test, zookeeper]'));
    assert.ok(expected.output.includes('my_data'));
    assert.equal(expected.events.length, 4);
    assert.match(expected.errors, /^Created \/zk_test$/m);
  });

  for (const kind of [STANDALONE, ENSEMBLE]) {
    describe(kind.name, () => {
      let target: Target;

      before(async () => {
        target = await kind.start();
      });

      after(() => target.stop());

      test('prints in a session of many commands what it prints on the original', async () => {
        const printed = await zkCli(target.servers[0] ?? '', [], SESSION.join('\n'));
        assert.deepEqual(printed, expected);
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
        const found = await runProgram([ZKCLI, '-server', server, 'ls', '/'], options);
        const missing = await runProgram([ZKCLI, '-server', server, 'ls', '/none'], options);
        assert.equal(found.exitCode, 0);
        assert.equal(missing.exitCode, 1);
        assert.match(missing.stderr, /Node does not exist: \/none/);
      });
    });
  }
});
