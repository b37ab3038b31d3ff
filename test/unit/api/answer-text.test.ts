import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_CHARS_MAX, AnswerText } from '../../../src/api/answer-text.ts';

test('AnswerText is its lines, each with its end', () => {
  const text = new AnswerText();
  assert.equal(`${text}`, '');
  text.line('a');
  text.line('');
  text.line('\tb');
  assert.equal(`${text}`, 'a\n\n\tb\n');
  assert.equal(text.isFull, false);
});

test('AnswerText leaves out what is too long, and says so once', () => {
  const text = new AnswerText();
  const path = `/${'x'.repeat(1024 * 1024)}`;
  for (let at = 0; at < 1000; at++) text.line(path);
  assert.equal(text.isFull, true);
  const lines = `${text}`.split('\n');
  assert.equal(lines.length, 31 + 2);
  assert.deepEqual(lines.slice(-2), ['(the list is too long: the rest is left out)', '']);
  assert.ok(`${text}`.length <= ANSWER_CHARS_MAX);
});
