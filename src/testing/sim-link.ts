/**
 * The way from one simulated host to another, one direction of it, and the pipes through it. A pipe
 * is one direction of one connection: what goes in comes out in order, whole and late, as TCP has it.
 */

import { type SimScheduler, TraceKind } from './sim-scheduler.ts';

/** Delays in milliseconds; probabilities are per piece of a stream handed to the network. */
export interface SimNetworkOptions {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** A piece is cut in two at a random byte, again and again while this comes true. */
  readonly splitProbability: number;
  /** A piece joins the one before it that is still under way. */
  readonly mergeProbability: number;
  /** The connection breaks, both sides see it as reset. */
  readonly breakProbability: number;
  /** The link stands still, all its connections, for up to `clogMaxMs`. */
  readonly clogProbability: number;
  readonly clogMaxMs: number;
  /** After a link is healed, waiting bytes take up to so long to be sent again. */
  readonly resendMaxMs: number;
  /** Bytes under way or unread on one direction of a connection. */
  readonly windowBytes: number;
  /** Bytes waiting to enter the window above which `write` says false. */
  readonly highWaterBytes: number;
}

/** A local network without faults that still cuts streams into odd pieces. */
export const DEFAULT_NETWORK_OPTIONS: SimNetworkOptions = Object.freeze({
  minDelayMs: 0.1,
  maxDelayMs: 1,
  splitProbability: 0.1,
  mergeProbability: 0.3,
  breakProbability: 0,
  clogProbability: 0,
  clogMaxMs: 200,
  resendMaxMs: 200,
  windowBytes: 64 * 1024,
  highWaterBytes: 64 * 1024,
});

export interface LinkDelay {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export class SimLink {
  isCut = false;
  /** Set while the machine at either end is off. */
  isDark = false;
  /** Instead of the network's delay. */
  delay: LinkDelay | undefined = undefined;
  readonly #scheduler: SimScheduler;
  readonly #waiting = new Set<() => void>();
  #clogUntilUs = 0;

  constructor(scheduler: SimScheduler) {
    this.#scheduler = scheduler;
  }

  get isBlocked(): boolean {
    return this.isCut || this.isDark;
  }

  /** Nothing moves, though nothing is lost: a blocked link, or one that stands still for a while. */
  get isStill(): boolean {
    return this.isBlocked || this.#clogUntilUs > this.#scheduler.nowUs;
  }

  /** Calls when the link is open again. */
  whenOpen(action: () => void): void {
    this.#waiting.add(action);
  }

  /** Stands still for so long; then everything comes at once. */
  clog(durationUs: number): void {
    const untilUs = this.#scheduler.nowUs + durationUs;
    if (untilUs <= this.#clogUntilUs) return;
    this.#clogUntilUs = untilUs;
    this.#scheduler.after(durationUs, () => this.opened(0));
  }

  unclog(): void {
    this.#clogUntilUs = 0;
  }

  /** Called after `isCut` or `isDark` was taken back, or a clog was. */
  opened(resendMaxMs: number): void {
    if (this.isStill) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const action of waiting) {
      this.#scheduler.after(this.#scheduler.drawUs(0, resendMaxMs), action);
    }
  }

  drawDelayUs(options: SimNetworkOptions): number {
    const { minDelayMs, maxDelayMs } = this.delay ?? options;
    return this.#scheduler.drawUs(minDelayMs, maxDelayMs);
  }
}

/** `ack` carries room in the window, nothing else does. */
export type SegmentKind = 'syn' | 'synAck' | 'data' | 'ack' | 'fin' | 'rst';

export interface Segment {
  readonly kind: SegmentKind;
  /** Pieces of the writer's own memory, not copied until they arrive. */
  readonly chunks: Uint8Array[];
  /** Length of all chunks; of an `ack`, the room it makes. */
  byteCount: number;
  dueUs: number;
}

const KIND_NUMBER: Record<SegmentKind, number> = {
  syn: 1,
  synAck: 2,
  data: 3,
  ack: 4,
  fin: 5,
  rst: 6,
};

export class SimPipe {
  readonly link: SimLink;
  readonly #scheduler: SimScheduler;
  readonly #arrive: (segment: Segment) => void;
  #underWay: Segment[] = [];
  #isArmed = false;

  constructor(scheduler: SimScheduler, link: SimLink, arrive: (segment: Segment) => void) {
    this.#scheduler = scheduler;
    this.link = link;
    this.#arrive = arrive;
  }

  send(kind: SegmentKind, options: SimNetworkOptions, byteCount = 0): void {
    this.#push({ kind, chunks: [], byteCount, dueUs: 0 }, options);
  }

  /** The bytes stay the sender's until they have arrived. */
  sendData(bytes: Uint8Array, options: SimNetworkOptions): void {
    const { prng } = this.#scheduler;
    let rest = bytes;
    while (rest.length > 1 && prng.chance(options.splitProbability)) {
      const cut = prng.between(1, rest.length - 1);
      this.#sendPiece(rest.subarray(0, cut), options);
      rest = rest.subarray(cut);
    }
    this.#sendPiece(rest, options);
  }

  /** Nothing under way arrives any more, as when the sender's machine is gone. */
  drop(): void {
    this.#underWay = [];
  }

  #sendPiece(bytes: Uint8Array, options: SimNetworkOptions): void {
    const last = this.#underWay.at(-1);
    if (last?.kind === 'data' && this.#scheduler.prng.chance(options.mergeProbability)) {
      last.chunks.push(bytes);
      last.byteCount += bytes.length;
      return;
    }
    this.#push({ kind: 'data', chunks: [bytes], byteCount: bytes.length, dueUs: 0 }, options);
  }

  #push(segment: Segment, options: SimNetworkOptions): void {
    const earliestUs = this.#underWay.at(-1)?.dueUs ?? 0;
    const arrivalUs = this.#scheduler.nowUs + this.link.drawDelayUs(options);
    segment.dueUs = Math.max(earliestUs, arrivalUs);
    this.#underWay.push(segment);
    this.#arm();
  }

  /** One pending event a pipe, for the segment in front. */
  #arm(): void {
    const front = this.#underWay[0];
    if (front === undefined || this.#isArmed) return;
    this.#isArmed = true;
    const waitUs = Math.max(0, front.dueUs - this.#scheduler.nowUs);
    this.#scheduler.after(waitUs, this.#onDue);
  }

  readonly #onDue = (): void => {
    const front = this.#underWay[0];
    const { nowUs } = this.#scheduler;
    if (front !== undefined && this.link.isStill) {
      this.link.whenOpen(this.#onDue);
      return;
    }
    this.#isArmed = false;
    if (front === undefined) return;
    // The segment that was waited for may have been dropped.
    if (front.dueUs > nowUs) {
      this.#arm();
      return;
    }
    this.#underWay.shift();
    this.#trace(front);
    this.#arrive(front);
    this.#arm();
  };

  #trace(segment: Segment): void {
    const { trace } = this.#scheduler;
    trace.mix(segment.kind === 'data' ? TraceKind.bytes : TraceKind.streamControl);
    trace.mix(KIND_NUMBER[segment.kind]);
    for (const chunk of segment.chunks) trace.mixBytes(chunk);
  }
}
