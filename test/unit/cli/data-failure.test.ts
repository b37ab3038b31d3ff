import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportingFailures } from '../../../src/cli/data-failure.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { RuntimeError } from '../../../src/runtime/runtime.ts';

function failing(error: Error): Promise<never> {
  return reportingFailures(() => Promise.reject(error));
}

test('reportingFailures says who must run the command when something may not be written', async () => {
  await assert.rejects(failing(new RuntimeError('ACCESS_DENIED', 'cannot make /x: EACCES')), {
    message: 'cannot make /x: EACCES; run this as a user who may read and write there',
    exitCode: 3,
  });
});

test('reportingFailures tells of a disk that fails without the advice that is for servers', async () => {
  const error = new RuntimeError('IO', 'cannot write /x: EIO');
  await assert.rejects(failing(error), { message: 'cannot write /x: EIO', exitCode: 5 });
});

test('reportingFailures tells of damaged data as such', async () => {
  await assert.rejects(failing(new RuntimeError('STORE_DAMAGED', 'bad block')), {
    name: 'FatalError',
    exitCode: 3,
  });
});

test('reportingFailures leaves alone what has an exit code, and what is a bug', async () => {
  for (const error of [new UsageError('no'), new TypeError('a bug')]) {
    await assert.rejects(failing(error), (thrown) => thrown === error);
  }
});
