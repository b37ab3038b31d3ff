/**
 * One life of a simulated host's process. Everything the process may ever see goes through here:
 * a killed process sees nothing more, a paused one sees what it missed, in order, when it resumes.
 */

import { invariant } from '../base/assert.ts';
import type { SimEvent } from './event-queue.ts';
import { type SimScheduler, TraceKind } from './sim-scheduler.ts';

export class SimProcess {
  readonly hostName: string;
  readonly scheduler: SimScheduler;
  #alive = true;
  #paused = false;
  #held: Array<() => void> = [];
  #openPromises = 0;

  constructor(hostName: string, scheduler: SimScheduler) {
    this.hostName = hostName;
    this.scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /** Runs an action of this process after so many microseconds; never, once it is killed. */
  after(delayUs: number, action: () => void): SimEvent {
    return this.scheduler.after(delayUs, () => this.run(action));
  }

  /** Runs an action of this process now, or when it resumes, or never. Called from events only. */
  run(action: () => void): void {
    if (!this.#alive) return;
    if (this.#paused || this.#held.length > 0) this.#held.push(action);
    else action();
  }

  /**
   * A promise that an event of this process settles: `work` runs after the delay, its value
   * resolves and what it throws rejects. Never settles once the process is killed.
   */
  later<T>(delayUs: number, work: () => T): Promise<T> {
    return this.promise((settle) => {
      this.after(delayUs, () => settle(work));
    });
  }

  /** A promise whose outcome is worked out, on this process, when `settle` is called from an event. */
  promise<T>(start: (settle: (work: () => T) => void) => void): Promise<T> {
    // Code of a killed process may still be running: what it asks for is never done.
    if (!this.#alive) return new Promise(() => undefined);
    this.scheduler.promiseOpened();
    this.#openPromises++;
    return new Promise<T>((resolve, reject) => {
      start((work) => {
        this.#openPromises--;
        this.scheduler.promiseSettled();
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  kill(): void {
    invariant(this.#alive, 'a process dies once');
    this.#alive = false;
    this.#held = [];
    this.scheduler.promisesAbandoned(this.#openPromises);
  }

  pause(): void {
    this.#paused = true;
    this.scheduler.trace.mix(TraceKind.pause);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held.length > 0) this.scheduler.after(0, () => this.#thaw());
  }

  /** One missed action an event, so that promises settled by one are followed up before the next. */
  #thaw(): void {
    if (!this.#alive || this.#paused) return;
    const action = this.#held[0];
    if (action === undefined) return;
    action();
    this.#held.shift();
    if (this.#held.length > 0) this.scheduler.after(0, () => this.#thaw());
  }
}
