import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  createFrames,
  getFrames,
  numberedPath,
  writeNumber,
} from '../../../src/bench/load-frames.ts';
import { JuteReader } from '../../../src/protocol/jute-reader.ts';
import { decodeRequestHeader } from '../../../src/protocol/records/header.ts';
import { decodeWatchedRead } from '../../../src/protocol/records/read-request.ts';
import { decodeWriteRequest } from '../../../src/protocol/records/write-request.ts';

describe('createFrames()', () => {
  test('has the path that numberedPath() names once the number is written', () => {
    const { frames, numberAt } = createFrames('/parent', 100);
    const [frame] = frames;
    assert.ok(frame !== undefined && numberAt !== undefined);
    const bytes = Buffer.from(frame);
    writeNumber(bytes, numberAt, 1234567);
    const reader = new JuteReader();
    reader.aim(bytes, 4);
    assert.deepEqual(decodeRequestHeader(reader), { xid: 0, type: OpCode.create });
    const request = decodeWriteRequest(OpCode.create, reader);
    assert.equal(request?.path, numberedPath('/parent', 1234567));
    assert.equal(request?.data?.length, 100);
    assert.equal(reader.remaining, 0);
  });
});

describe('getFrames()', () => {
  test('asks for each path without a watch', () => {
    const { frames } = getFrames(['/a', '/b'], 10);
    const requests = frames.map((frame) => {
      const reader = new JuteReader();
      reader.aim(frame, 12);
      return decodeWatchedRead(reader);
    });
    assert.deepEqual(requests, [
      { path: '/a', watch: false },
      { path: '/b', watch: false },
    ]);
  });
});
