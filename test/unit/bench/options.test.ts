import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type BenchArguments, parseOptions, UsageError } from '../../../src/bench/options.ts';
import { workloadName } from '../../../src/bench/workloads.ts';

describe('parseOptions()', () => {
  test('starts this server, alone and as three, when nothing is said', () => {
    const options = parseOptions({});
    assert.equal(options.mode, 'load');
    assert.deepEqual(
      options.kinds.map((kind) => kind.name),
      ['vivarium'],
    );
    assert.deepEqual(options.serverCounts, [1, 3]);
    assert.equal(options.rounds, 3);
    assert.equal(options.load.rate, undefined);
    assert.equal(options.workloads.length, 9);
  });

  test('takes another build, with options of Node in front of its file', () => {
    const [kind] = parseOptions({ targets: 'mine=--no-opt bin/vivarium.js' }).kinds;
    assert.equal(kind?.name, 'mine');
    assert.deepEqual(kind?.command(1, 'zoo.cfg').args, [
      '--no-opt',
      path.resolve('bin/vivarium.js'),
      'server',
      'zoo.cfg',
    ]);
  });

  test('takes another Node for a target', () => {
    const [kind, other] = parseOptions({
      targets: 'newer=../node  --no-opt bin/v.js,named=node26 bin/v.js',
    }).kinds;
    const { program, args } = kind?.command(1, 'zoo.cfg') ?? {};
    assert.equal(program, path.resolve('../node'));
    assert.equal(other?.command(1, 'zoo.cfg').program, 'node26');
    assert.deepEqual(args, ['--no-opt', path.resolve('bin/v.js'), 'server', 'zoo.cfg']);
  });

  test('of a report, the targets are names, and none is started', () => {
    const { shown, kinds } = parseOptions({ mode: 'report', targets: 'newer,apache' });
    assert.deepEqual([shown, kinds], [['newer', 'apache'], []]);
    assert.equal(parseOptions({ targets: 'old=bin/v.js' }).shown, undefined);
  });

  test('takes two sets of running servers, with processes of theirs', () => {
    const { running, kinds } = parseOptions({
      servers: 'zk1:2182,[::1]:2183,zk3',
      against: '127.0.0.1:2191',
      'against-pids': '17,18',
    });
    assert.deepEqual(running, [
      {
        name: 'servers',
        addresses: [
          { host: 'zk1', port: 2182 },
          { host: '::1', port: 2183 },
          { host: 'zk3', port: 2181 },
        ],
        pids: undefined,
      },
      { name: 'against', addresses: [{ host: '127.0.0.1', port: 2191 }], pids: [17, 18] },
    ]);
    assert.deepEqual(kinds, []);
  });

  test('--only and --depth choose among all loads and change them, each once', () => {
    const { workloads } = parseOptions({ only: '^get 1024', depth: 8 });
    assert.deepEqual(workloads.map(workloadName), ['get 1024 B d=8']);
    assert.equal(parseOptions({ only: '^exists' }).workloads.length, 1);
  });

  test('--all adds to the main loads', () => {
    const names = parseOptions({ all: true }).workloads.map(workloadName);
    assert.ok(names.includes('create+delete 100 B d=16'));
    assert.ok(names.includes('get 1024 B d=32'));
  });

  test('--quick is one round of shorter windows', () => {
    const quick = parseOptions({ quick: true });
    const whole = parseOptions({});
    assert.equal(quick.rounds, 1);
    assert.ok(quick.load.seconds < whole.load.seconds);
  });

  test('checkpoints are measured at a fixed rate, which --rate changes', () => {
    assert.equal(parseOptions({ mode: 'checkpoint' }).load.rate, 5000);
    assert.equal(parseOptions({ mode: 'checkpoint', rate: 100 }).load.rate, 100);
  });

  test('refuses what makes no sense', () => {
    const mistakes: BenchArguments[] = [
      { rounds: 0 },
      { rounds: 1.5 },
      { seconds: Number.NaN },
      { targets: 'nobody' },
      { targets: 'mine=' },
      { only: 'no such load' },
      { only: '(' },
      { mode: 'profile' },
      { members: '1,x' },
      { servers: 'zk1:70000' },
      { servers: '1,3' },
      { servers: 'zk1', targets: 'apache' },
      { against: 'zk1' },
      { servers: 'zk1', pids: 'x' },
    ];
    for (const given of mistakes) {
      assert.throws(() => parseOptions(given), UsageError, JSON.stringify(given));
    }
  });
});
