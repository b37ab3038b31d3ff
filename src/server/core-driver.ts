/**
 * Drives the consensus core in turns: whatever comes, from peers, disk and clock, goes in first, then
 * all effects are carried out in their order until the core wants nothing more. The only loop of its
 * kind. What goes wrong in it ends this server, loudly, before it can do harm.
 */

import type { Effect } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { Runtime, Timer } from '../runtime/runtime.ts';
import { ordinaryTurnMs, quietTickMs, type TurnTimings } from './turn-length.ts';

export interface CoreDriverHooks {
  carryOut(effect: Effect): void;
  /** The core wants nothing more for now. */
  drained(): void;
  /** The core has been told the time. */
  timePassed(nowMs: number): void;
  /** Called at the end of a wait: since the last call every socket was looked at. */
  beat(): void;
  /** No election is on: the clock may be coarse. */
  isSettled(): boolean;
  /** Nothing looked at the clock for so long, of which up to a tick is not unusual. */
  paused(pauseMs: number): void;
  /** Has to stop the driver. */
  failed(error: unknown): void;
}

/** Interval of the core's clock while an election is on. */
const TICK_LOOKING_MS = 10;

/** What is driven. */
export type DrivenCore = Pick<ZabNode, 'start' | 'tick' | 'noteTime' | 'takeEffects'>;

export type DriverRuntime = Pick<Runtime, 'clock' | 'timers' | 'reached'>;

export interface CoreDriverTimings extends TurnTimings {
  readonly peerTimeoutMs: number;
}

export class CoreDriver {
  readonly #node: DrivenCore;
  readonly #runtime: DriverRuntime;
  readonly #hooks: CoreDriverHooks;
  readonly #quietTickMs: number;
  readonly #pauseMs: number;
  /** Without a tick for so long deadlines may have passed unseen: they come before what waited. */
  readonly #overdueMs: number;
  #tickedMs: number;
  #isDrainScheduled = false;
  #isDraining = false;
  #isStopped = false;
  #tickTimer: Timer | undefined;

  constructor(
    node: DrivenCore,
    runtime: DriverRuntime,
    timings: CoreDriverTimings,
    hooks: CoreDriverHooks,
  ) {
    this.#node = node;
    this.#runtime = runtime;
    this.#hooks = hooks;
    this.#quietTickMs = quietTickMs(timings);
    this.#pauseMs = ordinaryTurnMs(timings);
    const { isStandalone, peerTimeoutMs } = timings;
    this.#overdueMs = isStandalone ? this.#pauseMs : Math.min(this.#pauseMs, peerTimeoutMs / 2);
    this.#tickedMs = runtime.clock.monotonicMs();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  start(): void {
    this.input(() => this.#node.start(this.#runtime.clock.monotonicMs()));
    this.#tick();
  }

  /** Nothing is taken or carried out from here on. */
  stop(): void {
    this.#isStopped = true;
    if (this.#tickTimer !== undefined) this.#runtime.timers.clear(this.#tickTimer);
  }

  /** Hands something to the core; its effects are carried out at the end of the turn. */
  input(handle: () => void): void {
    if (this.#isStopped) return;
    this.noticeTime();
    this.guard(handle);
    this.wake();
  }

  guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#hooks.failed(error);
    }
  }

  /** Tells the core the time, and has it act on it when it was long without. */
  noticeTime(): void {
    if (this.#isStopped) return;
    const nowMs = this.#runtime.clock.monotonicMs();
    if (nowMs - this.#tickedMs > this.#overdueMs) {
      this.#passTime(nowMs);
      return;
    }
    try {
      this.#node.noteTime(nowMs);
    } catch (error) {
      this.#hooks.failed(error);
    }
  }

  /** The core has been given work: drains at the end of the turn. */
  wake(): void {
    if (this.#isDrainScheduled || this.#isDraining) return;
    this.#isDrainScheduled = true;
    this.#runtime.timers.defer(() => {
      this.#isDrainScheduled = false;
      this.guard(() => this.drain());
    });
  }

  /** Carries out what the core wants, until it wants nothing more. */
  drain(): void {
    if (this.#isDraining || this.#isStopped) return;
    this.#isDraining = true;
    try {
      for (;;) {
        const effects = this.#node.takeEffects();
        if (effects.length === 0) break;
        for (const effect of effects) {
          this.#runtime.reached?.('effect');
          this.#hooks.carryOut(effect);
        }
      }
    } finally {
      this.#isDraining = false;
    }
    this.#hooks.drained();
  }

  #passTime(nowMs: number): void {
    const pauseMs = nowMs - this.#tickedMs;
    if (pauseMs > this.#pauseMs) this.#hooks.paused(pauseMs);
    this.#tickedMs = nowMs;
    this.guard(() => {
      this.#node.tick(nowMs);
      this.drain();
      this.#hooks.timePassed(nowMs);
    });
  }

  #tick(): void {
    if (this.#isStopped) return;
    this.#passTime(this.#runtime.clock.monotonicMs());
    this.guard(() => this.#hooks.beat());
    const delayMs = this.#hooks.isSettled() ? this.#quietTickMs : TICK_LOOKING_MS;
    this.#tickTimer = this.#runtime.timers.set(delayMs, () => this.#tick());
  }
}
