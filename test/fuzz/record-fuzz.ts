/**
 * What a server reads back from its disk and hears from its peers: transactions, groups of the log,
 * values of the state, messages. Damaged bytes are refused wherever a checksum stands before them;
 * with the checksum put right, and without one, they decode to something of the right shape or to
 * nothing, and no decoder throws.
 */

import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { makeEpoch, makeServerId, makeSessionId, makeZxid } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { decodeHello } from '../../src/peer/identity.ts';
import { decodeMessage, decodeNotification } from '../../src/peer/peer-codec.ts';
import { ByteWriter } from '../../src/store/byte-cursor.ts';
import { decodeGroup, encodeGroups } from '../../src/store/log-group.ts';
import { openValue, readNode, readSession, sealValue } from '../../src/store/state-codec.ts';
import { type Txn, type TxnBody, TxnType } from '../../src/store/txn.ts';
import { decodeTxn, encodeTxn, TxnDecodeError } from '../../src/store/txn-codec.ts';
import { loadCorpus } from './corpus.ts';
import { Mutator } from './mutator.ts';
import { helloFrames, messageFrames } from './peer-frames.ts';

const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const SESSION = makeSessionId(0x1000_0000_0000_0001n);
const DATA = Buffer.from('some data');
const TXN_HEADER_BYTES = 5;

const CREATE: TxnBody = {
  type: TxnType.create,
  path: '/a/b',
  data: DATA,
  acl: [{ perms: 1, scheme: 'digest', id: 'u:hash' }, ...OPEN],
  ephemeralOwner: SESSION,
  parentCversion: 4,
};
const BODIES: readonly TxnBody[] = [
  CREATE,
  { type: TxnType.delete, path: '/a' },
  { type: TxnType.setData, path: '/a', data: null, version: 3 },
  { type: TxnType.setAcl, path: '/a', acl: OPEN, version: 2 },
  { type: TxnType.createSession, timeoutMs: 10_000 },
  { type: TxnType.closeSession, paths: ['/a', '/a/b'] },
  { type: TxnType.error, error: -101 },
  { type: TxnType.multi, ops: [CREATE, { type: TxnType.check, path: '/b' }] },
];

export class RecordFuzz {
  readonly totals = { inputs: 0, decoded: 0, refused: 0 };
  readonly #prng: Prng;
  readonly #mutator: Mutator;
  readonly #txns: readonly Uint8Array[];
  readonly #messages: readonly Uint8Array[];
  readonly #group: { readonly key: Uint8Array; readonly value: Uint8Array };
  readonly #stateKey = Buffer.from('key of a state value');
  readonly #stateValue: Uint8Array;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const txns = BODIES.map((body) => encodeTxn(txnOf(body)));
    this.#txns = [...txns, ...loadCorpus('txn').map((entry) => entry.bytes)];
    const frames = [...messageFrames(), ...helloFrames()];
    const kept = [...loadCorpus('message'), ...loadCorpus('hello')].map((entry) => entry.bytes);
    this.#messages = [...frames.map((frame) => frame.subarray(4)), ...kept];
    const entries = txns.map((bytes, i) => ({ zxid: makeZxid(makeEpoch(3), i + 1), bytes }));
    const [group] = encodeGroups(entries, makeZxid(makeEpoch(3), 0), 17);
    assert.ok(group !== undefined);
    this.#group = group;
    const writer = new ByteWriter(64);
    writer.u8(1);
    writer.f64(4000);
    this.#stateValue = sealValue(writer, 0, this.#stateKey).slice();
    this.#mutator = new Mutator(this.#prng, [...this.#txns, ...this.#messages]);
  }

  get summary(): string {
    const { inputs, decoded, refused } = this.totals;
    return `${inputs} damaged records, ${refused} refused, ${decoded} decoded to something`;
  }

  run(inputCount: number): void {
    for (const end = this.totals.inputs + inputCount; this.totals.inputs < end; ) {
      this.totals.inputs += 1;
      const draw = this.#prng.between(0, 99);
      if (draw < 40) this.#message();
      else if (draw < 60) this.#txnWithoutChecksum();
      else if (draw < 80) this.#txnWithChecksum();
      else if (draw < 90) this.#logGroup();
      else this.#stateRecord();
    }
  }

  #message(): void {
    const damaged = this.#mutator.damaged(this.#pick(this.#messages), 0);
    this.#note(decodeMessage(damaged) ?? decodeHello(damaged) ?? decodeNotification(damaged));
  }

  #txnWithoutChecksum(): void {
    const original = this.#pick(this.#txns);
    const damaged = this.#mutator.damaged(original, 0);
    const txn = decodeTxn(damaged);
    const isSame = Buffer.compare(damaged, original) === 0;
    const isRefused = txn instanceof TxnDecodeError;
    // The very bytes of another transaction may have come out of a splice.
    if (!isRefused && !isSame) assert.deepEqual(decodeTxn(encodeTxn(txn)), txn);
    this.#note(isRefused ? undefined : txn);
  }

  /** As if the damage had happened before the checksum was made: what is read is written the same. */
  #txnWithChecksum(): void {
    const damaged = this.#mutator.damaged(this.#pick(this.#txns), TXN_HEADER_BYTES);
    if (damaged.length > TXN_HEADER_BYTES) {
      const view = new DataView(damaged.buffer, damaged.byteOffset);
      view.setUint32(1, crc32(damaged.subarray(TXN_HEADER_BYTES)));
    }
    const txn = decodeTxn(damaged);
    if (txn instanceof TxnDecodeError) {
      this.#note(undefined);
      return;
    }
    assert.deepEqual(decodeTxn(encodeTxn(txn)), txn);
    this.#note(txn);
  }

  #logGroup(): void {
    const { key, value } = this.#group;
    const damaged = this.#mutator.damaged(value, 0);
    const isSame = Buffer.compare(damaged, value) === 0;
    const group = decodeGroup(key, damaged);
    assert.equal(typeof group === 'string', !isSame, 'a damaged group of the log is taken for one');
    this.#note(isSame ? group : undefined);
  }

  #stateRecord(): void {
    const damaged = this.#mutator.damaged(this.#stateValue, 0);
    const isSame = Buffer.compare(damaged, this.#stateValue) === 0;
    const payload = openValue([this.#stateKey, damaged]);
    assert.equal(payload === undefined, !isSame, 'a damaged value of the state is taken for one');
    this.#note(readNode(damaged) ?? readSession(damaged));
  }

  #pick(inputs: readonly Uint8Array[]): Uint8Array {
    return inputs[this.#prng.between(0, inputs.length - 1)] ?? DATA;
  }

  #note(record: unknown): void {
    if (record === undefined) this.totals.refused += 1;
    else this.totals.decoded += 1;
  }
}

function txnOf(body: TxnBody): Txn {
  return {
    sessionId: SESSION,
    cxid: 1,
    timeMs: 1_700_000_000_000,
    origin: makeServerId(1),
    requestId: 3,
    body,
  };
}
