/**
 * Every frame recorded from Apache ZooKeeper (3.8.0 and 3.9.5) decodes, and encodes to the very same
 * bytes again, wherever we have the record. What does not decode is what Apache called undecodable.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { FrameDecoder, FrameEvent } from '../../../src/protocol/frame-decoder.ts';
import { JuteReader } from '../../../src/protocol/jute-reader.ts';
import type { JuteWriter } from '../../../src/protocol/jute-writer.ts';
import { decodeGetAclReply, encodeGetAclReply } from '../../../src/protocol/records/acl.ts';
import { decodeAuthPacket, encodeAuthPacket } from '../../../src/protocol/records/auth.ts';
import {
  decodeConnectRequest,
  decodeConnectResponse,
  encodeConnectRequest,
  encodeConnectResponse,
} from '../../../src/protocol/records/connect.ts';
import {
  decodeCreate2Reply,
  decodeCreateReply,
  encodeCreate2Reply,
  encodeCreateReply,
} from '../../../src/protocol/records/create-reply.ts';
import {
  decodeReplyHeader,
  decodeRequestHeader,
  encodeReplyHeader,
  encodeRequestHeader,
  SpecialXid,
} from '../../../src/protocol/records/header.ts';
import { decodeMultiReply, encodeMultiReply } from '../../../src/protocol/records/multi-reply.ts';
import {
  decodeGetChildren2Reply,
  decodeGetChildrenReply,
  decodeGetDataReply,
  decodeSyncReply,
  encodeGetChildren2Reply,
  encodeGetChildrenReply,
  encodeGetDataReply,
  encodeSyncReply,
} from '../../../src/protocol/records/read-reply.ts';
import {
  decodePathRequest,
  decodeWatchedRead,
  encodePathRequest,
  encodeWatchedRead,
} from '../../../src/protocol/records/read-request.ts';
import { decodeStat, encodeStat } from '../../../src/protocol/records/stat.ts';
import {
  decodeSetWatches,
  decodeWatcherEvent,
  encodeSetWatches,
  encodeWatcherEvent,
} from '../../../src/protocol/records/watch.ts';
import {
  decodeWriteRequest,
  encodeWriteRequest,
} from '../../../src/protocol/records/write-request.ts';
import { type GoldenScenario, loadGoldenScenarios } from '../../support/golden-scenarios.ts';
import { fromHex, toHex } from '../../support/hex.ts';
import { encoded } from '../../support/records.ts';

const FRAME_BYTES_MAX = 0xfffff;

/** Writes a decoded record again; undefined: it did not decode. */
type Rewrite = ((writer: JuteWriter) => void) | undefined;
type Codec = (reader: JuteReader) => Rewrite;

function codec<T>(
  decode: (reader: JuteReader) => T | undefined,
  encode: (writer: JuteWriter, record: T) => void,
): Codec {
  return (reader) => {
    const record = decode(reader);
    return record === undefined ? undefined : (writer) => encode(writer, record);
  };
}

const NOTHING: Codec = () => () => {};
const STAT = codec(decodeStat, encodeStat);
const CREATE2_REPLY = codec(decodeCreate2Reply, (writer, reply) =>
  encodeCreate2Reply(writer, reply.path, reply.stat),
);
const WATCHED_READ = codec(decodeWatchedRead, (writer, request) =>
  encodeWatchedRead(writer, request.path, request.watch),
);
const PATH_REQUEST = codec(decodePathRequest, (writer, request) =>
  encodePathRequest(writer, request.path),
);
const EVENT = codec(decodeWatcherEvent, (writer, event) =>
  encodeWatcherEvent(writer, event.type, event.state, event.path),
);

function write(op: OpCode): Codec {
  return codec((reader) => decodeWriteRequest(op, reader), encodeWriteRequest);
}

/** Request and reply of each operation we have records for. */
const CODECS: ReadonlyMap<number, readonly [request: Codec, reply: Codec]> = new Map([
  [
    OpCode.create,
    [
      write(OpCode.create),
      codec(decodeCreateReply, (writer, reply) => encodeCreateReply(writer, reply.path)),
    ],
  ],
  [OpCode.create2, [write(OpCode.create2), CREATE2_REPLY]],
  [OpCode.createContainer, [write(OpCode.createContainer), CREATE2_REPLY]],
  [OpCode.createTtl, [write(OpCode.createTtl), CREATE2_REPLY]],
  [OpCode.delete, [write(OpCode.delete), NOTHING]],
  [OpCode.check, [write(OpCode.check), NOTHING]],
  [OpCode.setData, [write(OpCode.setData), STAT]],
  [OpCode.setAcl, [write(OpCode.setAcl), STAT]],
  [OpCode.multi, [write(OpCode.multi), codec(decodeMultiReply, encodeMultiReply)]],
  [OpCode.closeSession, [write(OpCode.closeSession), NOTHING]],
  [OpCode.ping, [NOTHING, NOTHING]],
  [OpCode.exists, [WATCHED_READ, STAT]],
  [
    OpCode.getData,
    [
      WATCHED_READ,
      codec(decodeGetDataReply, (writer, reply) =>
        encodeGetDataReply(writer, reply.data, reply.stat),
      ),
    ],
  ],
  [
    OpCode.getAcl,
    [
      PATH_REQUEST,
      codec(decodeGetAclReply, (writer, reply) =>
        encodeGetAclReply(writer, reply.acl ?? [], reply.stat),
      ),
    ],
  ],
  [
    OpCode.getChildren,
    [
      WATCHED_READ,
      codec(decodeGetChildrenReply, (writer, reply) => encodeGetChildrenReply(writer, reply.names)),
    ],
  ],
  [
    OpCode.getChildren2,
    [
      WATCHED_READ,
      codec(decodeGetChildren2Reply, (writer, reply) =>
        encodeGetChildren2Reply(writer, reply.names, reply.stat),
      ),
    ],
  ],
  [
    OpCode.sync,
    [PATH_REQUEST, codec(decodeSyncReply, (writer, reply) => encodeSyncReply(writer, reply.path))],
  ],
  [OpCode.auth, [codec(decodeAuthPacket, encodeAuthPacket), NOTHING]],
  [OpCode.setWatches, [codec(decodeSetWatches, encodeSetWatches), NOTHING]],
]);

interface Pending {
  readonly xid: number;
  readonly type: number;
  readonly isDecodable: boolean;
}

const seenRequests = new Set<number>();
const seenReplies = new Set<number>();
let eventCount = 0;
let undecodableCount = 0;

/** One connection of a scenario, as somebody listening on the wire understands it. */
class Listener {
  readonly #reader = new JuteReader();
  readonly #pending: Pending[] = [];
  #isGreeted = false;
  #isAnswered = false;

  sent(frame: Uint8Array): void {
    const reader = this.#reader;
    reader.aim(frame);
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      const request = decodeConnectRequest(reader);
      // `connect-truncated` is too short on purpose, and the zxid of `connect-zxid-ahead` is beyond
      // what a number holds exactly: reading it as the greatest one is all that is promised.
      if (request === undefined) assert.equal(frame.length, 16);
      else if (request.lastZxidSeen !== Number.MAX_SAFE_INTEGER) {
        this.#same(frame, (writer) => encodeConnectRequest(writer, request));
      }
      return;
    }
    const header = decodeRequestHeader(reader);
    assert.ok(header !== undefined);
    const rewrite = CODECS.get(header.type)?.[0](reader);
    const { xid, type } = header;
    const isDecodable = !CODECS.has(type) || rewrite !== undefined;
    this.#pending.push({ xid, type, isDecodable });
    if (rewrite === undefined) return;
    seenRequests.add(type);
    this.#same(frame.subarray(0, type === OpCode.closeSession ? 8 : reader.position), (writer) => {
      encodeRequestHeader(writer, xid, type);
      rewrite(writer);
    });
  }

  received(frame: Uint8Array): void {
    const reader = this.#reader;
    reader.aim(frame);
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      const response = decodeConnectResponse(reader);
      assert.ok(response !== undefined);
      this.#same(frame, (writer) => encodeConnectResponse(writer, response));
      return;
    }
    const header = decodeReplyHeader(reader);
    assert.ok(header !== undefined);
    const body = this.#replyCodec(header.xid, header.error);
    const rewrite = body?.(reader);
    if (body === undefined) return;
    assert.ok(rewrite !== undefined, `reply does not decode: ${toHex(frame)}`);
    this.#same(frame, (writer) => {
      encodeReplyHeader(writer, header.xid, header.zxid, header.error);
      rewrite(writer);
    });
  }

  /** What stands behind the header; undefined for replies of operations we have no record for. */
  #replyCodec(xid: number, error: number): Codec | undefined {
    if (xid === SpecialXid.notification) {
      eventCount += 1;
      return EVENT;
    }
    const at = this.#pending.findIndex(
      (entry) => entry.xid === xid || (xid === SpecialXid.ping && entry.type === OpCode.ping),
    );
    const [request] = this.#pending.splice(at, 1);
    assert.ok(at >= 0 && request !== undefined, `reply to nothing: xid ${xid}`);
    if (!request.isDecodable) {
      undecodableCount += 1;
      assert.equal(error, ErrorCode.marshallingError, 'decodable for Apache, not for us');
    }
    if (!CODECS.has(request.type)) return undefined;
    seenReplies.add(request.type);
    return error === ErrorCode.ok ? CODECS.get(request.type)?.[1] : NOTHING;
  }

  #same(frame: Uint8Array, rewrite: (writer: JuteWriter) => void): void {
    assert.equal(encoded(rewrite), toHex(frame));
  }
}

/** The bodies of the frames in a piece of a recorded stream. */
function framesOf(bytes: Uint8Array, cuts: readonly number[] = []): string[] {
  const decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
  const frames: string[] = [];
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    decoder.push(bytes.slice(at, cut));
    while (decoder.next() === FrameEvent.frame) frames.push(toHex(decoder.frame()));
    at = cut;
  }
  return frames;
}

function isFramed(bytes: Uint8Array): boolean {
  return (
    bytes.length > 4 && bytes[0] === 0 && new DataView(bytes.buffer).getInt32(0) <= FRAME_BYTES_MAX
  );
}

function listen(scenario: GoldenScenario): void {
  const listeners = new Map<string, Listener>();
  for (const step of scenario.steps) {
    const listener = listeners.get(step.conn) ?? new Listener();
    listeners.set(step.conn, listener);
    const sent = fromHex(step.send ?? '');
    if (isFramed(sent)) for (const frame of framesOf(sent)) listener.sent(fromHex(frame));
    if (step.unframed === true) continue;
    for (const hex of step.expect) {
      const [frame] = framesOf(fromHex(hex));
      assert.ok(frame !== undefined);
      listener.received(fromHex(frame));
    }
  }
}

const SCENARIOS = loadGoldenScenarios();

for (const scenario of SCENARIOS) {
  test(`golden ${scenario.name}: frames decode and encode to the same bytes`, () => {
    listen(scenario);
  });
}

test('golden requests come out of the frame decoder the same wherever they are cut', () => {
  const sends = SCENARIOS.flatMap((scenario) => scenario.steps.map((step) => step.send ?? ''));
  const distinct = [...new Set(sends)].map(fromHex).filter(isFramed);
  assert.ok(distinct.length > 300);
  for (const bytes of distinct) {
    const whole = framesOf(bytes);
    assert.ok(whole.length > 0);
    for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(framesOf(bytes, [cut]), whole);
    const everywhere = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    assert.deepEqual(framesOf(bytes, everywhere), whole);
  }
});

after(() => {
  // The recordings are only a proof if they reach every record.
  const all = [...CODECS.keys()].filter((op) => op !== OpCode.check).sort();
  assert.deepEqual([...seenRequests].filter((op) => op !== OpCode.check).sort(), all);
  assert.deepEqual([...seenReplies].filter((op) => op !== OpCode.check).sort(), all);
  assert.ok(eventCount > 40);
  assert.ok(undecodableCount >= 8);
});
