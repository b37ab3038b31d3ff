import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressBar } from '../../../src/cli/progress-bar.ts';

function drawn(isTTY: boolean): {
  bar: ProgressBar;
  text: () => string;
  pass: (ms: number) => void;
} {
  let text = '';
  let nowMs = 1000;
  const write = (more: string): void => {
    text += more;
  };
  const bar = new ProgressBar({ write, isTTY, columns: 60 }, () => nowMs);
  return {
    bar,
    text: () => text,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test('ProgressBar draws over its line on a terminal', () => {
  const { bar, text, pass } = drawn(true);
  bar.update('reading', 0, 10);
  pass(200);
  bar.update('reading', 5, 10);
  const lines = text().split('\r');
  assert.match(lines[1] ?? '', /^reading +\[\.{30}\] {3}0%$/);
  assert.match(lines[2] ?? '', /^reading +\[#{15}\.{15}\] {2}50%$/);
  assert.ok(lines.every((line) => line.length < 60));
});

test('ProgressBar does not redraw more than ten times a second', () => {
  const { bar, text, pass } = drawn(true);
  for (let done = 0; done < 100; done++) {
    bar.update('reading', done, 1000);
    pass(10);
  }
  assert.equal(text().split('\r').length - 1, 10);
});

test('ProgressBar leaves a line for each phase that says how long it took', () => {
  const { bar, text, pass } = drawn(false);
  bar.update('reading', 1, 10);
  pass(1500);
  bar.update('writing', 1, 10);
  pass(100);
  bar.end();
  assert.equal(text(), 'reading: 1.5 s\nwriting: 0.1 s\n');
});

test('ProgressBar says nothing when nothing was done', () => {
  const { bar, text } = drawn(true);
  bar.end();
  assert.equal(text(), '');
});
