import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseOptions, UsageError } from '../../../src/bench/options.ts';
import { workloadName } from '../../../src/bench/workloads.ts';

describe('parseOptions()', () => {
  test('compares this server with the original, alone and as three, when nothing is said', () => {
    const options = parseOptions([]);
    assert.equal(options.mode, 'load');
    assert.deepEqual(
      options.targets.map((target) => target.name),
      ['vivarium', 'apache'],
    );
    assert.deepEqual(options.serverCounts, [1, 3]);
    assert.equal(options.rounds, 3);
  });

  test('takes another build, with options of Node in front of its file', () => {
    const [target] = parseOptions(['--targets', 'mine=--no-opt bin/vivarium.js']).targets;
    assert.equal(target?.name, 'mine');
    assert.deepEqual(target?.command(1, 'zoo.cfg').args, [
      '--no-opt',
      path.resolve('bin/vivarium.js'),
      'server',
      'zoo.cfg',
    ]);
  });

  test('--only and --depth choose and change loads, each once', () => {
    const { workloads } = parseOptions(['--only', '^get 1024', '--depth', '8']);
    assert.deepEqual(workloads.map(workloadName), ['get 1024 B d=8']);
  });

  test('--quick shortens loads and windows', () => {
    const quick = parseOptions(['--quick']);
    const whole = parseOptions([]);
    assert.ok(quick.workloads.length < whole.workloads.length);
    assert.ok(quick.load.seconds < whole.load.seconds);
  });

  test('refuses what makes no sense', () => {
    const mistakes = [
      ['--rounds', '0'],
      ['--targets', 'nobody'],
      ['--targets', 'mine='],
      ['--only', 'no such load'],
      ['--no-such-option'],
      ['profile'],
      ['load', 'failover'],
    ];
    for (const args of mistakes) {
      assert.throws(() => parseOptions(args), UsageError, args.join(' '));
    }
  });
});
