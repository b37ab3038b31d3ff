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
const REQUEST_HEADER_BYTES = 8;
const MULTI_HEADER_BYTES = 9;
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

/** exists of every path. */
export function existsFrames(paths: readonly string[]): RequestFrames {
  const frames = paths.map((path) =>
    frameOf(OpCode.exists, (writer) => encodeWatchedRead(writer, path, false)),
  );
  return { frames, replyLength: REPLY_HEADER_BYTES + STAT_BYTES, numberAt: undefined };
}

/** getChildren of every path; each must have the children that `numberedPath` names first. */
export function childrenFrames(paths: readonly string[], childCount: number): RequestFrames {
  const frames = paths.map((path) =>
    frameOf(OpCode.getChildren, (writer) => encodeWatchedRead(writer, path, false)),
  );
  const nameBytes = numberedPath('', 0).length - 1;
  const listBytes = LENGTH_BYTES + childCount * (LENGTH_BYTES + nameBytes);
  return { frames, replyLength: REPLY_HEADER_BYTES + listBytes, numberAt: undefined };
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

/** Multis of `members` sets each, of different paths; there must be at least as many. */
export function multiFrames(
  paths: readonly string[],
  size: number,
  members: number,
): RequestFrames {
  invariant(paths.length >= members, 'a multi of more nodes than there are');
  const prng = new Prng(size + 3);
  const frames = paths.map((_, at) => {
    const ops = Array.from({ length: members }, (_unused, member) =>
      makeWriteRequest(OpCode.setData, {
        path: paths[(at + member) % paths.length] ?? null,
        data: randomBytes(prng, size),
      }),
    );
    const request = makeWriteRequest(OpCode.multi, { ops });
    return frameOf(OpCode.multi, (writer) => encodeWriteRequest(writer, request));
  });
  const results = members * (MULTI_HEADER_BYTES + STAT_BYTES) + MULTI_HEADER_BYTES;
  return { frames, replyLength: REPLY_HEADER_BYTES + results, numberAt: undefined };
}

/** delete of `parent/n` and a number, at any version. */
export function deleteFrames(parent: string): RequestFrames {
  const path = numberedPath(parent, 0);
  const request = makeWriteRequest(OpCode.delete, { path });
  return {
    frames: [frameOf(OpCode.delete, (writer) => encodeWriteRequest(writer, request))],
    replyLength: REPLY_HEADER_BYTES,
    numberAt: numberAtEndOf(path),
  };
}

/** The frame that closes a session, with the first xid. */
export function closeFrame(): Buffer {
  const frame = frameOf(OpCode.closeSession, () => undefined);
  frame.writeInt32BE(1, XID_AT);
  return frame;
}

/** getData of one path with a watch. */
export function watchFrame(path: string): Buffer {
  return frameOf(OpCode.getData, (writer) => encodeWatchedRead(writer, path, true));
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
    numberAt: numberAtEndOf(path),
  };
}

/** Of a request that begins with the path: behind the length, the header and the path's length. */
function numberAtEndOf(path: string): number {
  return LENGTH_BYTES + REQUEST_HEADER_BYTES + LENGTH_BYTES + path.length - NUMBER_DIGITS;
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

/** Contents that no store can make smaller. */
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
