import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingRequest, PendingState } from '../../../src/api/pending-request.ts';
import { makeSessionId } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { create, StoreKit, setData } from '../../support/store-kit.ts';

test('PendingRequest.keepResult() keeps what is answered later from what is applied meanwhile', () => {
  const kit = new StoreKit();
  const owner = { requestCompleted: () => undefined, requestDropped: () => undefined };
  const request = new PendingRequest(
    owner,
    makeSessionId(1n),
    1,
    OpCode.setData,
    [],
    0,
    new Uint8Array(0),
    PendingState.submitted,
  );
  kit.run(create('/a'));
  const result = kit.run(setData('/a', 'x'));
  request.completed(kit.tree.lastZxid, result);
  request.keepResult();
  kit.run(setData('/a', 'later'));
  assert.equal(request.result?.stat?.version, 1);
  assert.equal(request.result?.stat?.dataLength, 1);
});
