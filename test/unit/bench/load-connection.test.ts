import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { makeSessionId } from '../../../src/base/ids.ts';
import { LoadConnection } from '../../../src/bench/load-connection.ts';
import { getFrames } from '../../../src/bench/load-frames.ts';
import { LoadTally } from '../../../src/bench/load-tally.ts';
import { FrameDecoder, FrameEvent } from '../../../src/protocol/frame-decoder.ts';
import { JuteWriter } from '../../../src/protocol/jute-writer.ts';
import { encodeConnectResponse } from '../../../src/protocol/records/connect.ts';
import { encodeReplyHeader } from '../../../src/protocol/records/header.ts';

const DEPTH = 4;
const SIZE = 10;
const REPLIES = 40;
/** Data of a getData reply: its length field, the data and a Stat, none of which is looked at. */
const BODY = new Uint8Array(4 + SIZE + 68);

interface Answer {
  readonly xid: number;
  readonly zxid: number;
  readonly error: number;
  readonly body: Uint8Array;
}

/** Answers requests with what `answer` makes of their number (from 1), `pieceBytes` at a time. */
async function serve(answer: (number: number) => Answer, pieceBytes: number): Promise<Server> {
  const server = createServer((socket) => {
    const decoder = new FrameDecoder(1_000_000, false);
    let frames = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      decoder.push(chunk);
      const writer = new JuteWriter();
      while (decoder.next() === FrameEvent.frame) {
        const mark = writer.beginFrame();
        if (frames === 0) writeSession(writer);
        else writeAnswer(writer, answer(frames));
        writer.endFrame(mark);
        frames += 1;
      }
      writePieces(socket, writer.take(), pieceBytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function writeSession(writer: JuteWriter): void {
  encodeConnectResponse(writer, {
    protocolVersion: 0,
    timeoutMs: 30_000,
    sessionId: makeSessionId(7n),
    password: new Uint8Array(16),
    readOnly: false,
  });
}

function writeAnswer(writer: JuteWriter, { xid, zxid, error, body }: Answer): void {
  encodeReplyHeader(writer, xid, zxid, error);
  for (const byte of body) writer.writeBool(byte !== 0);
}

function writePieces(socket: Socket, bytes: Uint8Array, pieceBytes: number): void {
  socket.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    socket.write(bytes.subarray(at, at + pieceBytes));
  }
}

/** Runs a load until something fails or enough was answered. */
async function run(answer: (number: number) => Answer, pieceBytes = 65_536): Promise<LoadTally> {
  const server = await serve(answer, pieceBytes);
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const tally = new LoadTally();
  const frames = getFrames(['/a', '/b'], SIZE);
  const plan = {
    reads: frames,
    writes: undefined,
    undos: undefined,
    writePercent: 0,
    depth: DEPTH,
    isClosedLoop: true,
    requestsMax: Number.POSITIVE_INFINITY,
    seed: 1,
  };
  const connection = new LoadConnection(plan, tally);
  await connection.connect({ host: '127.0.0.1', port: address.port });
  tally.isMeasuring = true;
  connection.fill(performance.now());
  while (tally.errorCount === 0 && tally.histogram.total < REPLIES) await nextTurn();
  tally.isIssuing = false;
  while (tally.errorCount === 0 && connection.outstanding > 0) await nextTurn();
  connection.close();
  server.close();
  await once(server, 'close');
  return tally;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function right(number: number): Answer {
  return { xid: number, zxid: number, error: 0, body: BODY };
}

describe('LoadConnection', () => {
  for (const pieceBytes of [1, 7, 19, 20, 21, 103, 65_536]) {
    test(`counts every reply when they come ${pieceBytes} bytes at a time`, async () => {
      const tally = await run(right, pieceBytes);
      assert.deepEqual(tally.reasons, []);
      assert.ok(tally.histogram.total >= REPLIES);
      assert.ok(tally.histogram.total < REPLIES + 2 * DEPTH);
    });
  }

  test('reports a reply that is not the next one', async () => {
    const tally = await run((number) => ({ ...right(number), xid: number === 9 ? 10 : number }));
    assert.deepEqual(tally.reasons, ['a reply out of order: xid 10 where 9 was due']);
  });

  test('reports an error code', async () => {
    const tally = await run((number) => ({ ...right(number), error: number === 9 ? -101 : 0 }));
    assert.deepEqual(tally.reasons, ['a reply with error -101']);
  });

  test('reports a reply of another length', async () => {
    const short = BODY.subarray(1);
    const tally = await run((number) => ({ ...right(number), body: number === 9 ? short : BODY }));
    assert.deepEqual(tally.reasons, [`a reply of ${16 + short.length} bytes`]);
  });

  test('reports a zxid that goes back', async () => {
    const tally = await run((number) => ({ ...right(number), zxid: number === 9 ? 7 : number }));
    assert.deepEqual(tally.reasons, ['a reply with an older zxid than the one before it']);
  });
});
