import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeServerId, makeSessionId, SESSION_NONE } from '../../../src/base/ids.ts';
import {
  isSessionPassword,
  SessionIdGenerator,
  sessionPassword,
} from '../../../src/session/session-id.ts';
import { fromHex, toHex } from '../../support/hex.ts';

/** Ids with the passwords that Apache ZooKeeper 3.8.0 gave out with them. */
const RECORDED = [
  [0x0100_0004_fa85_00d0n, '5900a9bf0d1602ca753730a1418eb803'],
  [0x0100_0004_fa85_00d5n, 'b8a58bbf2d905e223f86347a633a1f05'],
  [0x0100_0004_fa85_00d6n, '7f429dbf4dadc0535fbdfef7e89fe19d'],
  [0x0100_0020_2a7b_0027n, '036a5ca147521bc7a46ee0e9e052c9a4'],
] as const;

test('sessionPassword() gives the passwords that Apache ZooKeeper gives', () => {
  for (const [sessionId, password] of RECORDED) {
    assert.equal(toHex(sessionPassword(makeSessionId(sessionId))), password);
  }
});

test('isSessionPassword() takes the whole password only, and none for no session', () => {
  const [[id, hex]] = RECORDED;
  const sessionId = makeSessionId(id);
  const password = fromHex(hex);
  assert.ok(isSessionPassword(sessionId, password));
  assert.ok(!isSessionPassword(sessionId, password.slice(0, 15)));
  assert.ok(!isSessionPassword(sessionId, fromHex(`${hex}00`)));
  assert.ok(!isSessionPassword(sessionId, fromHex(`00${hex.slice(2)}`)));
  assert.ok(!isSessionPassword(sessionId, null));
  assert.ok(!isSessionPassword(SESSION_NONE, sessionPassword(SESSION_NONE)));
});

test('SessionIdGenerator puts the server, 40 bits of time and a count of 16 bits into an id', () => {
  const ids = new SessionIdGenerator(makeServerId(3), 0x12_3456_789a + 2 ** 40);
  assert.equal(ids.next(), 0x0312_3456_789a_0000n);
  assert.equal(ids.next(), 0x0312_3456_789a_0001n);
});

test('SessionIdGenerator carries from the count into the time', () => {
  const ids = new SessionIdGenerator(makeServerId(1), 5);
  let last = ids.next();
  for (let i = 0; i < 0x1_0000; i++) last = ids.next();
  assert.equal(last, 0x0100_0000_0006_0000n);
});

test('SessionIdGenerator gives signed ids, as they are on the wire, to servers above 127', () => {
  const ids = new SessionIdGenerator(makeServerId(200), 1);
  assert.equal(ids.next(), BigInt.asIntN(64, 0xc800_0000_0001_0000n));
});

test('SessionIdGenerator skips the number that marks container nodes', () => {
  const ids = new SessionIdGenerator(makeServerId(128), 0);
  assert.equal(ids.next(), BigInt.asIntN(64, 0x8000_0000_0000_0001n));
});
