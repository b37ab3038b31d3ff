/** The bench against a server of ours: every load is answered, verified, and leaves nothing behind. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runFailover } from '../../src/bench/failover.ts';
import { runLoad } from '../../src/bench/load-run.ts';
import { type LoadOptions, WORKLOADS, workloadName } from '../../src/bench/workloads.ts';
import { connect } from '../../src/client/client.ts';
import { runProgram } from '../interop/support.ts';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';
import { binDirectory } from '../support/zk-server.ts';

const OPTIONS: LoadOptions = {
  connections: 4,
  keys: 20,
  watchers: 8,
  rate: undefined,
  warmupSeconds: 0.02,
  seconds: 0.1,
};

const directory = mkdtempSync(path.join(tmpdir(), 'vivarium-bench-'));
let server: NodeServer;

before(async () => {
  server = await startNodeServer({});
});

after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

function target() {
  return { name: 'ours', addresses: [{ host: '127.0.0.1', port: server.port }], pids: [] };
}

async function rootChildren(): Promise<readonly string[]> {
  const client = await connect({ hosts: `127.0.0.1:${server.port}` });
  const children = await client.children('/');
  await client.close();
  return children;
}

describe('runLoad()', () => {
  for (const workload of WORKLOADS) {
    test(`${workloadName(workload)}: answered, verified and removed`, async () => {
      const result = await runLoad(target(), workload, OPTIONS);
      assert.deepEqual(result.failures, []);
      assert.ok(result.operations > 0);
      assert.deepEqual(await rootChildren(), ['zookeeper']);
    });
  }

  test('an open loop sends no more than its rate', async () => {
    const [workload] = WORKLOADS;
    assert.ok(workload !== undefined);
    const result = await runLoad(target(), workload, { ...OPTIONS, rate: 200 });
    assert.deepEqual(result.failures, []);
    assert.ok(result.operations > 0 && result.operations < 200);
  });
});

describe('runFailover()', () => {
  test('kills nobody without control, and finds every acknowledged node', async () => {
    const result = await runFailover(target(), 1, { writers: 2, seconds: 0.4 }, undefined);
    assert.deepEqual(result.failures, []);
    assert.ok(result.acknowledged > 0);
    assert.equal(result.killToWriteMs, undefined);
    assert.deepEqual(await rootChildren(), ['zookeeper']);
  });
});

describe('vivarium bench', () => {
  const bench = (...args: string[]) =>
    runProgram([process.execPath, path.join(binDirectory(), 'vivarium.js'), 'bench', ...args]);

  test('measures two sets in turn, writes JSON and a chart, and reports them again', async () => {
    const json = path.join(directory, 'runs.json');
    const svg = path.join(directory, 'runs.svg');
    const address = `127.0.0.1:${server.port}`;
    const measured = await bench(
      ...['--servers', address, '--against', address, '--rounds', '1'],
      ...['--only', '^exists', '--connections', '2', '--warmup', '0.01', '--seconds', '0.05'],
      ...['--json', json, '--svg', svg],
    );
    assert.equal(measured.exitCode, 0);
    const kinds = readFileSync(json, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    assert.deepEqual(kinds, ['machine', 'load', 'load']);
    assert.match(
      readFileSync(svg, 'utf8'),
      /^<svg .*how many times better servers is than against/s,
    );
    const table = measured.stdout.slice(measured.stdout.indexOf('\nStandalone'));
    const reported = await bench('report', json);
    assert.equal(reported.stdout, table);
  });
});
