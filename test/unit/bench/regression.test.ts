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
  test('names a load whose median CPU is more than a quarter above', () => {
    const now = [1000, 790, 780, 100].map((ops) => loadRun('now', ops));
    const before = [1000, 990, 1010].map((ops) => loadRun('before', ops));
    assert.deepEqual(worseLoads([...now, ...before], TARGETS), ['get 1024 B d=1']);
  });

  test('leaves be what is worse in a single round, or a little worse in all', () => {
    const once = [1000, 1000, 100].map((ops) => loadRun('now', ops));
    const little = [820, 820, 820].map((ops) => loadRun('now', ops));
    const before = [1000, 1000, 1000].map((ops) => loadRun('before', ops));
    assert.deepEqual(worseLoads([...once, ...before], TARGETS), []);
    assert.deepEqual(worseLoads([...little, ...before], TARGETS), []);
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
