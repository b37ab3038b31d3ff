import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OpCode } from '../../src/base/op-code.ts';
import { ClientKit, connectFrame, header, headerFrame } from '../support/client-kit.ts';
import { buffer, frame, int, toHex } from '../support/hex.ts';

/** Frames whose length and operation are right and whose body is anything. */
const almostRequest = fc
  .record({
    xid: fc.integer({ min: -8, max: 8 }),
    op: fc.oneof(fc.constantFrom(...Object.values(OpCode)), fc.integer()),
    body: fc.uint8Array({ maxLength: 60 }),
  })
  .map(({ xid, op, body }) => frame(int(xid), int(op), toHex(body)));

const noise = fc.oneof(
  almostRequest,
  fc.uint8Array({ maxLength: 40 }).map((bytes) => buffer(toHex(bytes))),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(toHex),
  fc.constant(connectFrame()),
);

test('whatever bytes a client sends, the server stands and others are served', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(noise, { minLength: 1, maxLength: 12 }),
      async (hasSession, pieces) => {
        const kit = await ClientKit.start();
        const steady = await kit.session('steady');
        const wild = hasSession ? await kit.session('wild') : kit.dial('wild');
        wild.send(...pieces);
        await kit.settle();
        assert.equal(header(await steady.ask(headerFrame(-2, OpCode.ping))).xid, -2);
        wild.stream.destroy();
        await kit.until(() => kit.service.connectionCount === 1, 'the end of the wild one');
        assert.equal(kit.service.watches.count, 0);
      },
    ),
    { seed: 7, numRuns: 300 },
  );
});
