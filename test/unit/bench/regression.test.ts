import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { reasonNotToCompare } from '../../../bench/previous-commit.ts';
import { worseLoads } from '../../../bench/regression.ts';
import { loadRun } from './load-run.ts';

const TARGETS = ['now', 'before'];

describe('worseLoads()', () => {
  const before = [1000, 990, 1010].map((ops) => loadRun('before', ops));

  test('names a load whose CPU is more than a quarter above, in the median and at best', () => {
    const now = [790, 780, 100].map((ops) => loadRun('now', ops));
    assert.deepEqual(worseLoads([...now, ...before], TARGETS), ['get 1024 B d=1']);
  });

  test('leaves be what is as good at its best, or a little worse in all rounds', () => {
    const disturbed = [1000, 500, 100].map((ops) => loadRun('now', ops));
    const little = [820, 820, 820].map((ops) => loadRun('now', ops));
    assert.deepEqual(worseLoads([...disturbed, ...before], TARGETS), []);
    assert.deepEqual(worseLoads([...little, ...before], TARGETS), []);
  });

  test('leaves be what could not be measured', () => {
    const unknown = { ...loadRun('now', 100), cpuSecondsPerKop: undefined };
    assert.deepEqual(worseLoads([unknown, ...before], TARGETS), []);
  });
});

describe('reasonNotToCompare()', () => {
  const checkout = mkdtempSync(path.join(tmpdir(), 'vivarium-history-'));
  after(() => rmSync(checkout, { recursive: true, force: true }));
  const git = (...args: string[]): void => {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
    execFileSync('git', [...who, ...args], { cwd: checkout, stdio: 'pipe' });
  };
  const commit = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true });
    writeFileSync(path.join(checkout, file), text);
    git('add', '.');
    git('commit', '-q', '-m', text);
  };

  test('a first commit, then one that changes no server, then one that does', () => {
    git('init', '-q');
    commit('src/server/a.ts', 'one');
    assert.match(reasonNotToCompare(checkout) ?? '', /no commit before/);
    commit('docs/a.md', 'two');
    assert.match(reasonNotToCompare(checkout) ?? '', /nothing that a server runs/);
    commit('src/bench/a.ts', 'three');
    assert.match(reasonNotToCompare(checkout) ?? '', /nothing that a server runs/);
    commit('src/server/a.ts', 'four');
    assert.equal(reasonNotToCompare(checkout), undefined);
  });
});
