import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HistoryFile, historyPath } from '../../../../src/cli/shell/history-file.ts';

describe('HistoryFile', () => {
  let directory: string;
  const fileOf = (name: string): string => path.join(directory, name);

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'vivarium-history-'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  test('gives back what was appended, oldest first, and to nobody else', () => {
    const history = new HistoryFile(fileOf('plain'));
    for (const line of ['ls /', 'get /a', 'get /a', ' ', 'ls /']) history.append(line);
    assert.deepEqual(new HistoryFile(fileOf('plain')).read(), ['ls /', 'get /a', 'ls /']);
    assert.equal(statSync(fileOf('plain')).mode & 0o777, 0o600);
  });

  test('never writes credentials', () => {
    const history = new HistoryFile(fileOf('secret'));
    history.append('ls /');
    history.append('  addauth digest bob:secret');
    assert.equal(readFileSync(fileOf('secret'), 'utf8'), 'ls /\n');
  });

  test('cuts a file that has grown long', () => {
    const lines = Array.from({ length: 2500 }, (_, index) => `get /${index}`);
    writeFileSync(fileOf('long'), `${lines.join('\n')}\n`);
    assert.deepEqual(new HistoryFile(fileOf('long')).read(), lines.slice(-1000));
    assert.equal(readFileSync(fileOf('long'), 'utf8').split('\n').length, 1001);
  });

  test('does without a file that cannot be used', () => {
    const history = new HistoryFile(path.join(directory, 'none', 'history'));
    history.append('ls /');
    assert.deepEqual(history.read(), []);
    assert.deepEqual(new HistoryFile(undefined).read(), []);
  });

  test('stands where VIVARIUM_CLI_HISTORY says, or nowhere', () => {
    assert.equal(historyPath({ VIVARIUM_CLI_HISTORY: '/x' }), '/x');
    assert.equal(historyPath({ VIVARIUM_CLI_HISTORY: '' }), undefined);
    assert.match(historyPath({}) ?? '', /\.vivarium_cli_history$/);
  });
});
