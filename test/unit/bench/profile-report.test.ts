import assert from 'node:assert/strict';
import { test } from 'node:test';
import { profileTop } from '../../../src/bench/profile-report.ts';

test('profileTop() sums the own time of a function over its call sites, greatest first', () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
  const top = profileTop(
    {
      nodes: [
        { id: 1, callFrame: frame('slow', 'file:///src/a.js') },
        { id: 2, callFrame: frame('fast', 'file:///src/b.js') },
        { id: 3, callFrame: frame('slow', 'file:///src/a.js') },
        { id: 4, callFrame: frame('(idle)', '') },
      ],
      startTime: 0,
      endTime: 1000,
      samples: [1, 2, 3, 4],
      timeDeltas: [300, 100, 200, 400],
    },
    10,
  );
  assert.deepEqual(top.trimEnd().split('\n'), [
    ' 50.0 %    50.00 µs/op  slow  a.js:10',
    ' 40.0 %    40.00 µs/op  (idle)',
    ' 10.0 %    10.00 µs/op  fast  b.js:10',
  ]);
});
