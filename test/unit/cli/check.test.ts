import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsText, isPassed } from '../../../src/cli/commands/check.ts';
import { errorFinding, note, risk } from '../../../src/server/checks/finding.ts';

const RISK = risk('members', 'zoo.cfg', 'two participants', 'add a third');
const ERROR = errorFinding('configuration', 'zoo.cfg:3', 'tickTime=abc', 'expected a number');
const NOTE = note('data', '/d', 'server 1 is running on these data');

test('isPassed: errors always fail, risks only when it is strict, notes never', () => {
  const cases: [boolean, boolean][] = [ERROR, RISK, NOTE].map((finding) => [
    isPassed([finding], false),
    isPassed([finding], true),
  ]);
  assert.deepEqual(cases, [
    [false, false],
    [true, false],
    [true, true],
  ]);
});

test('findingsText shows errors first, each with its remedy below it, and counts', () => {
  assert.equal(
    findingsText([NOTE, RISK, ERROR]),
    'error  zoo.cfg:3: tickTime=abc\n' +
      '       expected a number\n' +
      'risk   zoo.cfg: two participants\n' +
      '       add a third\n' +
      'note   /d: server 1 is running on these data\n' +
      '1 error, 1 risk\n',
  );
});

test('findingsText says so when there is nothing', () => {
  assert.equal(findingsText([]), 'nothing wrong was found\n');
});
