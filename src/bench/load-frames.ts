/**
 * The requests of a load, encoded once before it starts: while it runs, a request is a copy of one of
 * these frames with its xid (and, for a create, the number in its path) written over.
 */

import { OPEN_ACL } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { OpCode } from '../base/op-code.ts';
import { Prng } from '../base/prng.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeRequestHeader } from '../protocol/records/header.ts';
import { encodeWatchedRead } from '../protocol/records/read-request.ts';
import { STAT_BYTES } from '../protocol/records/stat.ts';
import { encodeWriteRequest, makeWriteRequest } from '../protocol/records/write-request.ts';

/** Where a request's xid stands in its frame: behind the length. */
export const XID_AT = 4;
/** Digits of the number that ends a created node's path. */
export const NUMBER_DIGITS = 8;
const REPLY_HEADER_BYTES = 16;
const LENGTH_BYTES = 4;
/** Different contents, so that no store saves work by noticing that values repeat. */
const CREATE_VARIANTS = 64;

export interface RequestFrames {
  /** Whole frames, length included. Never written to. */
  readonly frames: readonly Buffer[];
  /** The `length` field of the only reply that is right. */
  readonly replyLength: number;
  /** Where the digits of the path's number begin, in every frame; undefined: nothing to number. */
  readonly numberAt: number | undefined;
}

/** getData of every path; each must hold `size` bytes. */
export function getFrames(paths: readonly string[], size: number): RequestFrames {
  const frames = paths.map((path) =>
    frameOf(OpCode.getData, (writer) => encodeWatchedRead(writer, path, false)),
  );
  const replyLength = REPLY_HEADER_BYTES + LENGTH_BYTES + size + STAT_BYTES;
  return { frames, replyLength, numberAt: undefined };
}

/** setData of every path, at any version, each with contents of its own. */
export function setFrames(paths: readonly string[], size: number): RequestFrames {
  const prng = new Prng(size);
  const frames = paths.map((path) => {
    const request = makeWriteRequest(OpCode.setData, { path, data: randomBytes(prng, size) });
    return frameOf(OpCode.setData, (writer) => encodeWriteRequest(writer, request));
  });
  return { frames, replyLength: REPLY_HEADER_BYTES + STAT_BYTES, numberAt: undefined };
}

/** create of `parent/n` and a number. */
export function createFrames(parent: string, size: number): RequestFrames {
  const prng = new Prng(size + 1);
  const path = numberedPath(parent, 0);
  const frames: Buffer[] = [];
  for (let variant = 0; variant < CREATE_VARIANTS; variant++) {
    const data = randomBytes(prng, size);
    const request = makeWriteRequest(OpCode.create, { path, data, acl: OPEN_ACL });
    frames.push(frameOf(OpCode.create, (writer) => encodeWriteRequest(writer, request)));
  }
  return {
    frames,
    replyLength: REPLY_HEADER_BYTES + LENGTH_BYTES + path.length,
    numberAt: LENGTH_BYTES + 8 + LENGTH_BYTES + path.length - NUMBER_DIGITS,
  };
}

/** The path that a create frame asks for once the number is written into it. */
export function numberedPath(parent: string, number: number): string {
  return `${parent}/n${String(number).padStart(NUMBER_DIGITS, '0')}`;
}

/** Overwrites the digits at the offset. */
export function writeNumber(bytes: Buffer, at: number, number: number): void {
  invariant(number < 10 ** NUMBER_DIGITS, 'more creates than the path has digits for');
  let rest = number;
  for (let digit = NUMBER_DIGITS - 1; digit >= 0; digit--) {
    bytes[at + digit] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

export function randomBytes(prng: Prng, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => prng.uint32() & 0xff);
}

function frameOf(op: OpCode, encode: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  encodeRequestHeader(writer, 0, op);
  encode(writer);
  writer.endFrame(mark);
  return Buffer.from(writer.take());
}
