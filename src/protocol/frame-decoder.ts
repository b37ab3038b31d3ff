/**
 * Cuts a byte stream into frames: a signed 32-bit length, then that many bytes. A frame that lies
 * inside one chunk is handed out in place; one that does not is gathered into memory of its own.
 * The length is judged as soon as its four bytes are there, before anything is kept for it.
 *
 * One turn: `push(chunk)`, then `next()` until it says `more`. A caller that stops earlier calls
 * `keep()` before the chunk goes back to its stream, and later simply goes on with `next()`.
 */

import { invariant } from '../base/assert.ts';

/** What `next` found. */
export const FrameEvent = {
  /** All that was pushed is used up. */
  more: 0,
  /** A frame: `bytes[start, end)`. */
  frame: 1,
  /** The first four bytes of the stream are in `word`; the next call takes them for a length. */
  firstWord: 2,
  /** The length in `word` is negative or above the maximum. The stream is beyond repair. */
  badLength: 3,
} as const;
export type FrameEvent = (typeof FrameEvent)[keyof typeof FrameEvent];

/** The least memory made for a partial frame, unless the whole frame is shorter. */
const BODY_MIN_BYTES = 4096;
const NO_BYTES = new Uint8Array(0);

export class FrameDecoder {
  #frameBytesMax: number;
  #reportsWord: boolean;
  #input: Uint8Array = NO_BYTES;
  #inputAt = 0;
  /** True when `#input` is ours and stays valid when the turn ends. */
  #inputIsKept = false;
  #word = 0;
  #wordCount = 0;
  #isBroken = false;
  #body: Uint8Array = NO_BYTES;
  #bodyCount = 0;
  /** -1 while no partial frame is being gathered. */
  #bodyLength = -1;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  /**
   * `frameBytesMax`: the longest frame accepted, without its length field. `reportFirstWord`: the
   * first four bytes of the stream are shown before they are judged, for they may be a command word.
   */
  constructor(frameBytesMax: number, reportFirstWord: boolean) {
    this.#frameBytesMax = checkedMax(frameBytesMax);
    this.#reportsWord = reportFirstWord;
  }

  /** From the next length on, frames may be so long: who has proved who it is may say more. */
  set frameBytesMax(frameBytesMax: number) {
    this.#frameBytesMax = checkedMax(frameBytesMax);
  }

  /** The memory the last frame lies in; valid as long as the chunk, or for good if it was gathered. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** The last four bytes read as a length, signed. */
  get word(): number {
    return this.#word;
  }

  /** Bytes of memory this decoder holds on to between turns. */
  get keptBytes(): number {
    return this.#body.length + (this.#inputIsKept ? this.#input.length : 0);
  }

  /** The last frame as a view of its own; for callers that cannot work with offsets. */
  frame(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Adds a chunk, borrowed until `next` says `more` or `keep` is called. */
  push(chunk: Uint8Array): void {
    const left = this.#input.length - this.#inputAt;
    if (left === 0) {
      this.#input = chunk;
      this.#inputAt = 0;
      this.#inputIsKept = false;
      return;
    }
    const joined = new Uint8Array(left + chunk.length);
    joined.set(this.#input.subarray(this.#inputAt));
    joined.set(chunk, left);
    this.#input = joined;
    this.#inputAt = 0;
    this.#inputIsKept = true;
  }

  /** Copies what `next` has not reached, so that the chunk may go back to its stream. */
  keep(): void {
    if (this.#inputIsKept) return;
    // Not `slice`: on a Buffer, which most chunks are, that is a view.
    this.#input = new Uint8Array(this.rest());
    this.#inputAt = 0;
    this.#inputIsKept = true;
  }

  /** What `next` has not reached: the bytes behind a command word. A view. */
  rest(): Uint8Array {
    return this.#input.subarray(this.#inputAt);
  }

  /** Lets go of everything: nothing of the stream is read any more. */
  discard(): void {
    this.#runDry();
    this.#isBroken = true;
    this.#body = NO_BYTES;
  }

  /** Goes on to the next frame. */
  next(): FrameEvent {
    if (this.#isBroken) return FrameEvent.badLength;
    if (this.#bodyLength >= 0) return this.#gather();
    if (this.#wordCount < 4 && !this.#readWord()) return this.#runDry();
    if (this.#reportsWord) {
      this.#reportsWord = false;
      return FrameEvent.firstWord;
    }
    const length = this.#word;
    if (length < 0 || length > this.#frameBytesMax) {
      this.#isBroken = true;
      return FrameEvent.badLength;
    }
    this.#wordCount = 0;
    if (length <= this.#input.length - this.#inputAt) {
      this.#bytes = this.#input;
      this.#start = this.#inputAt;
      this.#end = this.#inputAt + length;
      this.#inputAt = this.#end;
      return FrameEvent.frame;
    }
    this.#bodyLength = length;
    this.#bodyCount = 0;
    return this.#gather();
  }

  /** Collects the four bytes of a length, which may come one by one; false while some are missing. */
  #readWord(): boolean {
    const input = this.#input;
    while (this.#wordCount < 4) {
      const byte = input[this.#inputAt];
      if (byte === undefined) return false;
      this.#word = (this.#word << 8) | byte;
      this.#wordCount += 1;
      this.#inputAt += 1;
    }
    return true;
  }

  /** Moves input into the partial frame. */
  #gather(): FrameEvent {
    const count = Math.min(this.#bodyLength - this.#bodyCount, this.#input.length - this.#inputAt);
    const total = this.#bodyCount + count;
    this.#reserveBody(total);
    this.#body.set(this.#input.subarray(this.#inputAt, this.#inputAt + count), this.#bodyCount);
    this.#bodyCount = total;
    this.#inputAt += count;
    if (total < this.#bodyLength) return this.#runDry();
    this.#bytes = this.#body;
    this.#start = 0;
    this.#end = total;
    this.#body = NO_BYTES;
    this.#bodyCount = 0;
    this.#bodyLength = -1;
    return FrameEvent.frame;
  }

  /** A peer that only announces a long frame gets no memory for it: room doubles as bytes arrive. */
  #reserveBody(count: number): void {
    if (this.#body.length >= count) return;
    const wanted = Math.max(count * 2, BODY_MIN_BYTES);
    const grown = new Uint8Array(Math.min(this.#bodyLength, wanted));
    grown.set(this.#body.subarray(0, this.#bodyCount));
    this.#body = grown;
  }

  /** Lets go of input that is used up, so that an idle connection keeps no chunk alive. */
  #runDry(): FrameEvent {
    this.#input = NO_BYTES;
    this.#inputAt = 0;
    this.#inputIsKept = false;
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    return FrameEvent.more;
  }
}

function checkedMax(frameBytesMax: number): number {
  invariant(frameBytesMax >= 0 && frameBytesMax <= 0x7fff_ffff, 'frame maximum out of range');
  return frameBytesMax;
}
