/** Quotas as operators set and see them: the commands of zkCli.sh on the original and on ours. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startApache, startEnsemble, startStandalone, type Target } from './support.ts';
import { type Printed, SKIP, zkCli } from './zkcli.ts';

const STATS = 'get /zookeeper/quota/q/zookeeper_stats';
const LIMITS = 'get /zookeeper/quota/q/zookeeper_limits';

const SESSION = [
  'create /q 12345',
  'create /q/a 123',
  'listquota /q',
  'listquota /none',
  'setquota -n 2 /none',
  'setquota -n 4 /q',
  'listquota /q',
  'setquota -b 20 /q',
  'listquota /q',
  LIMITS,
  STATS,
  'create /q/b 1234567890',
  'create /q/c 1234567890',
  'create /q/d x',
  'listquota /q',
  'setquota -N 6 /q',
  'setquota -B 40 /q',
  'listquota /q',
  LIMITS,
  'create /q/e',
  'create /q/f',
  'set /q/a 12345678901234567890',
  'set /q/a 1234567890',
  'set /q/a 1',
  'listquota /q',
  'delete /q/e',
  STATS,
  'setquota -n 9 /q/a',
  'setquota -n 9 /q/a/deeper',
  'delquota -n /q',
  'listquota /q',
  LIMITS,
  'delquota -b /q',
  'delquota -N /q',
  'delquota -B /q',
  'listquota /q',
  'delquota /q',
  'listquota /q',
  'ls -R /zookeeper/quota',
  'setquota -n 3 -b 7 /q',
  'listquota /q',
  'deleteall /q/a',
  'deleteall /q',
  'listquota /q',
  'setquota -n x /q',
  'setquota /q',
  'ls -R /zookeeper/quota',
  'quit',
];

async function printed(target: Target): Promise<Printed> {
  try {
    return await zkCli(target.servers[0] ?? '', [], SESSION.join('\n'));
  } finally {
    await target.stop();
  }
}

describe('quotas with zkCli.sh', { skip: SKIP }, () => {
  for (const isEnforced of [true, false]) {
    const settings = { enforceQuota: String(isEnforced) };
    test(`print what they print on the original, enforced: ${isEnforced}`, async () => {
      const expected = await printed(await startApache([`zookeeper.enforceQuota=${isEnforced}`]));
      assert.ok(expected.output.some((line) => line.includes('count=4,bytes=-1')));
      assert.equal(/Quota has exceeded/i.test(expected.errors), isEnforced);
      assert.deepEqual(await printed(await startStandalone(settings)), expected);
      assert.deepEqual(await printed(await startEnsemble(settings)), expected);
    });
  }
});
