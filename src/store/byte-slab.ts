/**
 * Room for the names and data of a tree, outside the engine's heap: a million small strings or
 * Buffers would cost about as much again in headers, and each garbage collection would visit them.
 *
 * A span is one Buffer cut into blocks of one size; free blocks are chained through their own first
 * bytes. A span that is empty again is given up, so that room once taken by small blocks can hold
 * large ones later. What is too large to share a span has one for itself.
 *
 * An address is a 32-bit integer, possibly negative: the number of the span, and the block's place in
 * it in units of 16 bytes.
 */

import { invariant } from '../base/assert.ts';

/** The address of no bytes at all. */
export const NOWHERE = 0;

const UNIT_BYTES = 16;
const UNIT_BITS = 12;
const UNIT_MASK = (1 << UNIT_BITS) - 1;
const SPANS_MAX = 1 << (32 - UNIT_BITS);
/** No block begins at the last unit: its number stands for none in a chain. */
const SPAN_BYTES_MAX = UNIT_BYTES * UNIT_MASK;
/** A small tree, of which a simulator has hundreds, shall not pay for spans of every size. */
const FIRST_SPAN_BYTES = 2048;
const SPAN_GROWTH = 4;
/** Up to here blocks share spans, at least three of them one. */
const SHARED_BYTES_MAX = 16 * 1024;
/** Sizes up to here are multiples of a unit, larger ones eight to each doubling. */
const FINE_BYTES_MAX = 256;
const FINE_BYTES_LOG = 8;
const STEPS_LOG = 3;
const NO_UNIT = -1;
const NOT_SHARED = -1;

class Span {
  readonly bytes: Buffer;
  readonly sizeClass: number;
  readonly blockBytes: number;
  /** First block of the chain of blocks given back, in units. */
  freeUnit: number = NO_UNIT;
  /** Where the part begins that was never handed out. */
  unusedAt = 0;
  liveCount = 0;
  /** Whether the list of spans with room has it. */
  isListed = false;

  constructor(spanBytes: number, sizeClass: number, blockBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(spanBytes);
    this.sizeClass = sizeClass;
    this.blockBytes = blockBytes;
  }

  get hasRoom(): boolean {
    return this.freeUnit !== NO_UNIT || this.unusedAt + this.blockBytes <= this.bytes.length;
  }

  /** A block's place in units. There is room. */
  take(): number {
    this.liveCount += 1;
    const unit = this.freeUnit;
    if (unit !== NO_UNIT) {
      const at = unit * UNIT_BYTES;
      const next = (this.bytes[at] as number) | ((this.bytes[at + 1] as number) << 8);
      this.freeUnit = next === UNIT_MASK ? NO_UNIT : next;
      return unit;
    }
    const at = this.unusedAt;
    this.unusedAt = at + this.blockBytes;
    return at / UNIT_BYTES;
  }

  give(unit: number): void {
    const next = this.freeUnit === NO_UNIT ? UNIT_MASK : this.freeUnit;
    const at = unit * UNIT_BYTES;
    this.bytes[at] = next & 0xff;
    this.bytes[at + 1] = next >>> 8;
    this.freeUnit = unit;
    this.liveCount -= 1;
  }
}

export class ByteSlab {
  /** By number; the first stands for the address of nothing. */
  readonly #spans: (Span | undefined)[] = [new Span(0, NOT_SHARED, 0)];
  readonly #freeNumbers: number[] = [];
  /** By size class: the span that blocks are taken from, and others with room. */
  readonly #current: number[] = [];
  readonly #withRoom: number[][] = [];
  readonly #nextSpanBytes: number[] = [];
  #spanBytes = 0;

  /** Bytes taken from the system. */
  get spanBytes(): number {
    return this.#spanBytes;
  }

  /** The address of a block of at least so many bytes, which hold anything. */
  allocate(bytes: number): number {
    if (bytes === 0) return NOWHERE;
    if (bytes > SHARED_BYTES_MAX) return this.#add(new Span(bytes, NOT_SHARED, bytes), true);
    const sizeClass = classOf(bytes);
    const current = this.#current[sizeClass] ?? NOWHERE;
    const span = current === NOWHERE ? undefined : this.#spans[current];
    if (span?.hasRoom !== true) return this.#allocateElsewhere(sizeClass);
    return (current << UNIT_BITS) | span.take();
  }

  /** Gives a block back; an address of nothing is welcome. */
  release(address: number): void {
    if (address === NOWHERE) return;
    const number = address >>> UNIT_BITS;
    const span = this.#span(number);
    span.give(address & UNIT_MASK);
    const { sizeClass } = span;
    if (sizeClass === NOT_SHARED) {
      this.#drop(number, span);
      return;
    }
    if (this.#current[sizeClass] === number) return;
    if (span.liveCount === 0) this.#drop(number, span);
    else if (!span.isListed) {
      span.isListed = true;
      (this.#withRoom[sizeClass] as number[]).push(number);
    }
  }

  /** The memory that holds the block. */
  bytes(address: number): Buffer {
    return this.#span(address >>> UNIT_BITS).bytes;
  }

  /** Where in its memory the block begins. */
  offset(address: number): number {
    return (address & UNIT_MASK) * UNIT_BYTES;
  }

  /** Whether a block that was allocated for so many bytes is what so many others would get. */
  isSameRoom(bytes: number, others: number): boolean {
    if (bytes === others) return true;
    if (bytes === 0 || others === 0) return false;
    if (bytes > SHARED_BYTES_MAX || others > SHARED_BYTES_MAX) return false;
    return classOf(bytes) === classOf(others);
  }

  #span(number: number): Span {
    const span = this.#spans[number];
    invariant(span !== undefined, 'address in no span');
    return span;
  }

  #allocateElsewhere(sizeClass: number): number {
    const candidates = this.#withRoom[sizeClass] ?? [];
    this.#withRoom[sizeClass] = candidates;
    for (let number = candidates.pop(); number !== undefined; number = candidates.pop()) {
      const span = this.#spans[number];
      // It may have been given up since it was listed, and its number be another's.
      if (span === undefined || span.sizeClass !== sizeClass || !span.isListed) continue;
      span.isListed = false;
      this.#current[sizeClass] = number;
      return (number << UNIT_BITS) | span.take();
    }
    const blockBytes = bytesOf(sizeClass);
    const wanted = Math.max(this.#nextSpanBytes[sizeClass] ?? FIRST_SPAN_BYTES, blockBytes * 2);
    this.#nextSpanBytes[sizeClass] = Math.min(wanted * SPAN_GROWTH, SPAN_BYTES_MAX);
    const spanBytes = Math.floor(wanted / blockBytes) * blockBytes;
    const address = this.#add(new Span(spanBytes, sizeClass, blockBytes), false);
    this.#current[sizeClass] = address >>> UNIT_BITS;
    return address;
  }

  /** Takes the first block of a new span. */
  #add(span: Span, isWhole: boolean): number {
    const number = this.#freeNumbers.pop() ?? this.#spans.length;
    invariant(number < SPANS_MAX, 'more spans than an address can tell apart');
    this.#spans[number] = span;
    this.#spanBytes += span.bytes.length;
    const unit = span.take();
    invariant(!isWhole || unit === 0, 'block of its own not at the beginning');
    return (number << UNIT_BITS) | unit;
  }

  #drop(number: number, span: Span): void {
    span.isListed = false;
    this.#spans[number] = undefined;
    this.#freeNumbers.push(number);
    this.#spanBytes -= span.bytes.length;
  }
}

function classOf(bytes: number): number {
  if (bytes <= FINE_BYTES_MAX) return Math.max(1, (bytes + UNIT_BYTES - 1) >>> 4) - 1;
  const log = 31 - Math.clz32(bytes - 1);
  const steps = ((bytes - 1) >>> (log - STEPS_LOG)) - (1 << STEPS_LOG);
  return FINE_BYTES_MAX / UNIT_BYTES + ((log - FINE_BYTES_LOG) << STEPS_LOG) + steps;
}

/** The size of a class's blocks. */
function bytesOf(sizeClass: number): number {
  const coarse = sizeClass - FINE_BYTES_MAX / UNIT_BYTES;
  if (coarse < 0) return (sizeClass + 1) * UNIT_BYTES;
  const log = (coarse >>> STEPS_LOG) + FINE_BYTES_LOG;
  return ((coarse & ((1 << STEPS_LOG) - 1)) + (1 << STEPS_LOG) + 1) << (log - STEPS_LOG);
}
