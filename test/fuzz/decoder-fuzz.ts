/**
 * The decoders of what clients send, and of what servers answer: fed with damaged frames through the
 * frame decoder, cut where no client would cut. None may throw, read beyond its record, or take for a
 * record what it would write otherwise.
 */

import assert from 'node:assert/strict';
import { OpCode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import { FrameDecoder, FrameEvent } from '../../src/protocol/frame-decoder.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { decodeGetAclReply } from '../../src/protocol/records/acl.ts';
import {
  decodeAuthPacket,
  decodeSaslToken,
  decodeWhoAmIReply,
} from '../../src/protocol/records/auth.ts';
import { decodeConnectRequest, decodeConnectResponse } from '../../src/protocol/records/connect.ts';
import { decodeCreate2Reply, decodeCreateReply } from '../../src/protocol/records/create-reply.ts';
import { decodeReplyHeader, decodeRequestHeader } from '../../src/protocol/records/header.ts';
import { decodeMultiRead, decodeMultiReadReply } from '../../src/protocol/records/multi-read.ts';
import { decodeMultiReply } from '../../src/protocol/records/multi-reply.ts';
import {
  decodeGetAllChildrenNumberReply,
  decodeGetChildren2Reply,
  decodeGetChildrenReply,
  decodeGetDataReply,
  decodeGetEphemeralsReply,
  decodeSyncReply,
} from '../../src/protocol/records/read-reply.ts';
import { decodePathRequest, decodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { decodeReconfig } from '../../src/protocol/records/reconfig.ts';
import { decodeStat } from '../../src/protocol/records/stat.ts';
import {
  decodeAddWatch,
  decodeAddWatchReply,
  decodeSetWatches,
  decodeSetWatches2,
  decodeWatcherEvent,
  decodeWatchesOfType,
} from '../../src/protocol/records/watch.ts';
import {
  decodeWriteRequest,
  encodeWriteRequest,
} from '../../src/protocol/records/write-request.ts';
import { goldenFrames, loadCorpus } from './corpus.ts';
import { extremeInt } from './draw.ts';
import { Mutator } from './mutator.ts';
import { RequestSource } from './request-source.ts';

type Decoder = (reader: JuteReader) => unknown;

const WRITES: readonly OpCode[] = [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.check,
  OpCode.multi,
  OpCode.createSession,
  OpCode.closeSession,
  OpCode.reconfig,
];

/** Every decoder, whatever the frame says it is. */
const DECODERS: readonly Decoder[] = [
  decodeConnectRequest,
  decodeConnectResponse,
  decodeRequestHeader,
  decodeReplyHeader,
  decodeAuthPacket,
  decodeSaslToken,
  decodeWhoAmIReply,
  decodeStat,
  decodeWatchedRead,
  decodePathRequest,
  decodeMultiRead,
  decodeMultiReadReply,
  decodeMultiReply,
  decodeGetDataReply,
  decodeGetAclReply,
  decodeGetChildrenReply,
  decodeGetChildren2Reply,
  decodeGetEphemeralsReply,
  decodeGetAllChildrenNumberReply,
  decodeSyncReply,
  decodeCreateReply,
  decodeCreate2Reply,
  decodeSetWatches,
  decodeSetWatches2,
  decodeWatcherEvent,
  decodeWatchesOfType,
  decodeAddWatch,
  decodeAddWatchReply,
  decodeReconfig,
  ...WRITES.map((op) => (reader: JuteReader) => decodeWriteRequest(op, reader)),
];

const FRAME_BYTES_MAX = 0xfffff;
const FRAMES_PER_STREAM = 64;
/** Decoders tried on a frame besides the one that its operation asks for. */
const OTHER_DECODERS = 2;

export interface DecoderTotals {
  /** Damaged inputs made. */
  inputs: number;
  /** Frames that the frame decoder handed out. */
  frames: number;
  /** Records decoded, and those refused. */
  decoded: number;
  refused: number;
  /** Streams given up for a length out of range. */
  badLengths: number;
}

export class DecoderFuzz {
  readonly totals: DecoderTotals = { inputs: 0, frames: 0, decoded: 0, refused: 0, badLengths: 0 };
  readonly #prng: Prng;
  readonly #source: RequestSource;
  readonly #mutator: Mutator;
  readonly #corpus: readonly Uint8Array[];
  readonly #reader = new JuteReader();
  readonly #writer = new JuteWriter();
  readonly #stream = Buffer.alloc(FRAME_BYTES_MAX);

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#source = new RequestSource(this.#prng);
    this.#corpus = [...goldenFrames(), ...loadCorpus('client').map((entry) => entry.bytes)];
    this.#mutator = new Mutator(this.#prng, this.#corpus);
  }

  get summary(): string {
    const { inputs, frames, decoded, refused, badLengths } = this.totals;
    return `${inputs} inputs, ${frames} frames, ${decoded} records decoded, ${refused} refused, ${badLengths} streams given up`;
  }

  /** Makes so many more inputs. Throws what a decoder throws, and what it should not have accepted. */
  run(inputCount: number): void {
    for (const end = this.totals.inputs + inputCount; this.totals.inputs < end; ) {
      this.#decodeStream(this.#fillStream());
    }
  }

  /** Damaged frames side by side; returns how many bytes they take. */
  #fillStream(): number {
    let length = 0;
    for (let i = 0; i < FRAMES_PER_STREAM; i++) {
      const input = this.#damagedFrame();
      if (length + input.length > this.#stream.length) break;
      this.#stream.set(input, length);
      // A right length most of the time, or nothing behind the frame would be understood.
      if (input.length >= 4 && !this.#prng.chance(0.01)) {
        this.#stream.writeInt32BE(input.length - 4, length);
      }
      length += input.length;
      this.totals.inputs += 1;
    }
    return length;
  }

  #damagedFrame(): Uint8Array {
    const original = this.#corpus[this.#prng.between(0, this.#corpus.length - 1)];
    if (this.#prng.chance(0.05)) return extremeFrame(this.#prng, this.#prng.between(2, 24));
    if (original !== undefined && this.#prng.chance(0.2)) {
      return this.#mutator.damaged(original, Math.min(4, original.length - 1));
    }
    this.#writer.reset();
    this.#source.append(this.#writer);
    const frame = this.#writer.take();
    return this.#prng.chance(0.1) ? frame : this.#mutator.damaged(frame, 4);
  }

  #decodeStream(length: number): void {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
    let at = 0;
    while (at < length) {
      const end = Math.min(length, at + this.#prng.between(1, 4096));
      decoder.push(this.#stream.subarray(at, end));
      at = end;
      for (;;) {
        const event = decoder.next();
        if (event === FrameEvent.more) break;
        if (event === FrameEvent.badLength) {
          this.totals.badLengths += 1;
          return;
        }
        this.#decodeFrame(decoder.bytes, decoder.start, decoder.end);
      }
      assert.ok(decoder.keptBytes <= 2 * FRAME_BYTES_MAX, 'a frame decoder keeps too much');
    }
  }

  #decodeFrame(bytes: Uint8Array, start: number, end: number): void {
    this.totals.frames += 1;
    const reader = this.#reader;
    reader.aim(bytes, start, end);
    reader.readInt();
    const op = reader.readInt();
    if (!reader.failed) {
      const body = reader.position;
      this.#decodeWrite(bytes, body, end, op);
      for (let i = 0; i < OTHER_DECODERS; i++) this.#decodeAny(bytes, body, end);
    } else this.#decodeAny(bytes, start, end);
  }

  /** A request that is read is written as it was read: bytes behind the record aside. */
  #decodeWrite(bytes: Uint8Array, start: number, end: number, op: number): void {
    const known = WRITES.find((write) => write === op);
    if (known === undefined) return;
    const reader = this.#reader;
    reader.aim(bytes, start, end);
    const request = decodeWriteRequest(known, reader);
    this.#note(request);
    if (request === undefined || known === OpCode.reconfig || !this.#prng.chance(0.1)) return;
    this.#writer.reset();
    encodeWriteRequest(this.#writer, request);
    const written = this.#writer.take();
    reader.aim(written);
    assert.deepEqual(decodeWriteRequest(known, reader), request);
  }

  #decodeAny(bytes: Uint8Array, start: number, end: number): void {
    const decode = DECODERS[this.#prng.between(0, DECODERS.length - 1)];
    const reader = this.#reader;
    reader.aim(bytes, start, end);
    if (decode !== undefined) this.#note(decode(reader));
    assert.ok(reader.remaining >= 0 && reader.remaining <= end - start, 'read beyond the record');
  }

  #note(record: unknown): void {
    if (record === undefined) this.totals.refused += 1;
    else this.totals.decoded += 1;
  }
}

/** A frame of nothing but extreme numbers: lengths, counts and types at once. */
function extremeFrame(prng: Prng, intCount: number): Uint8Array {
  const frame = Buffer.alloc(4 + intCount * 4);
  frame.writeInt32BE(intCount * 4, 0);
  for (let i = 1; i <= intCount; i++) frame.writeInt32BE(extremeInt(prng), i * 4);
  return frame;
}
