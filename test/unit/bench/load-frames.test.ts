import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  closeFrame,
  createFrames,
  deleteFrames,
  getFrames,
  multiFrames,
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

describe('deleteFrames()', () => {
  test('names what createFrames() creates with the same number', () => {
    const { frames, numberAt } = deleteFrames('/parent');
    const [frame] = frames;
    assert.ok(frame !== undefined && numberAt !== undefined);
    const bytes = Buffer.from(frame);
    writeNumber(bytes, numberAt, 42);
    const reader = new JuteReader();
    reader.aim(bytes, 12);
    const request = decodeWriteRequest(OpCode.delete, reader);
    assert.equal(request?.path, numberedPath('/parent', 42));
    assert.equal(request?.version, -1);
  });
});

describe('multiFrames()', () => {
  test('sets as many different nodes in each multi as it is told', () => {
    const paths = ['/a', '/b', '/c'];
    const { frames } = multiFrames(paths, 5, 2);
    const members = frames.map((frame) => {
      const reader = new JuteReader();
      reader.aim(frame, 12);
      const request = decodeWriteRequest(OpCode.multi, reader);
      return request?.ops.map(({ op, path, data }) => [op, path, data?.length]);
    });
    assert.deepEqual(members, [
      [
        [OpCode.setData, '/a', 5],
        [OpCode.setData, '/b', 5],
      ],
      [
        [OpCode.setData, '/b', 5],
        [OpCode.setData, '/c', 5],
      ],
      [
        [OpCode.setData, '/c', 5],
        [OpCode.setData, '/a', 5],
      ],
    ]);
  });
});

describe('closeFrame()', () => {
  test('is a closeSession with the first xid and nothing else', () => {
    const reader = new JuteReader();
    reader.aim(closeFrame(), 4);
    assert.deepEqual(decodeRequestHeader(reader), { xid: 1, type: OpCode.closeSession });
    assert.equal(reader.remaining, 0);
  });
});
