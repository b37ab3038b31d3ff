import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEpoch, makeSessionId, makeZxid } from '../../../src/base/ids.ts';
import { createLogger, type LogFormat, type Logger } from '../../../src/server/logger.ts';

function collect(format: LogFormat, write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line) };
  write(createLogger({ level: 'info', format, serverId: 2 }, sink));
  return lines;
}

const FIELDS = {
  lastZxid: makeZxid(makeEpoch(3), 7),
  session: makeSessionId(-1n),
  reason: 'two words',
  error: new Error('broken'),
};

test('createLogger writes text lines with time, level, place, event and fields', () => {
  const [line] = collect('text', (log) => log.child('election').warn('elected', FIELDS));
  assert.match(
    line ?? '',
    /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}\[server 2 election\] elected lastZxid=0x300000007 session=0xffffffffffffffff reason="two words" error=broken\n$/,
  );
});

test('createLogger writes JSON lines with the same facts', () => {
  const [line] = collect('json', (log) => log.child('election').error('elected', FIELDS));
  const { time, ...entry } = JSON.parse(line ?? '') as Record<string, unknown>;
  assert.equal(typeof time, 'string');
  assert.deepEqual(entry, {
    level: 'error',
    server: 2,
    component: 'election',
    event: 'elected',
    lastZxid: '0x300000007',
    session: '0xffffffffffffffff',
    reason: 'two words',
    error: 'broken',
  });
});

test('createLogger leaves out what is below its level', () => {
  assert.deepEqual(
    collect('text', (log) => log.debug('detail')),
    [],
  );
});
