import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { codeOfNumber, isKeeperError, KeeperError } from '../../../src/client/keeper-error.ts';

test('KeeperError has a name for every code a server of ours sends', () => {
  for (const number of Object.values(ErrorCode)) {
    if (number === ErrorCode.ok) continue;
    const code = codeOfNumber(number);
    assert.notEqual(code, 'UNKNOWN', String(number));
    assert.equal(new KeeperError(code, 'get').number, number);
  }
});

test('KeeperError says operation, path, reason, code and doubt', () => {
  const cause = new Error('reset');
  const details = { path: '/a', outcomeUnknown: true, cause };
  const error = new KeeperError('CONNECTION_LOSS', 'set', details);
  assert.equal(
    error.message,
    'set /a: the connection was lost (CONNECTION_LOSS); it may or may not have been carried out',
  );
  assert.equal(error.name, 'KeeperError');
  assert.equal(error.cause, cause);
  assert.equal(error.number, -4);
});

test('KeeperError of an aborted operation is named as AbortErrors are', () => {
  assert.equal(new KeeperError('ABORTED', 'get').name, 'AbortError');
});

test('isKeeperError tells errors apart by code', () => {
  const error: unknown = new KeeperError('NO_NODE', 'get', { path: '/a' });
  assert.equal(isKeeperError(error), true);
  assert.equal(isKeeperError(error, 'NO_NODE'), true);
  assert.equal(isKeeperError(error, 'NO_AUTH'), false);
  assert.equal(isKeeperError(new Error('other')), false);
});
