/** Every input that is kept is tried on what it is meant for, alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../src/base/op-code.ts';
import { decodeHello } from '../../src/peer/identity.ts';
import { decodeMessage, decodeNotification } from '../../src/peer/peer-codec.ts';
import { decodeTxn, TxnDecodeError } from '../../src/store/txn-codec.ts';
import { ClientKit, header, headerFrame } from '../support/client-kit.ts';
import { loadCorpus } from './corpus.ts';

for (const { name, bytes } of loadCorpus('client')) {
  test(`${name}: another client is served as before`, async () => {
    const kit = await ClientKit.start();
    const steady = await kit.session('steady');
    const wild = await kit.session('wild');
    wild.sendBytes(bytes);
    await kit.settle();
    assert.equal(header(await steady.ask(headerFrame(-2, OpCode.ping))).xid, -2);
    wild.stream.destroy();
    await kit.until(() => kit.service.connectionCount === 1, 'the end of the wild one');
    assert.equal(kit.service.watches.count, 0);
    assert.equal(kit.service.buffers.heldBytes, 0);
  });
}

for (const { name, bytes } of loadCorpus('hello')) {
  test(`${name}: is no hello`, () => assert.equal(decodeHello(bytes), undefined));
}

for (const { name, bytes } of loadCorpus('message')) {
  test(`${name}: is no message`, () => {
    assert.equal(decodeMessage(bytes), undefined);
    assert.equal(decodeNotification(bytes), undefined);
  });
}

for (const { name, bytes } of loadCorpus('txn')) {
  test(`${name}: is no transaction`, () => assert.ok(decodeTxn(bytes) instanceof TxnDecodeError));
}
