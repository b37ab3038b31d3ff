/**
 * Looks at everything on the disk, slowly and without end, and has replaced what is damaged: state
 * out of memory by the next checkpoint, log by a cut behind a checkpoint.
 */

import type { KeyRange, KeyValue, KeyValueStore, Runtime, Timer } from '../runtime/runtime.ts';
import { checkLogValue, checkStateValue, type DamagedValue } from '../store/scrub.ts';
import type { Log } from './logger.ts';

export interface ScrubberOptions {
  readonly logStore: Pick<KeyValueStore, 'scan'>;
  /** Entries that the log holds now. */
  readonly logEntries: () => number;
  readonly stateStore: Pick<KeyValueStore, 'scan'>;
  readonly runtime: Runtime;
  readonly log: Log;
  /** What of a page of the state is damaged: at least one value. */
  readonly replaceState: (damaged: readonly DamagedValue[]) => unknown;
  readonly cutLog: () => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

/** A page now and then: a value is 1 MiB at most, and what holds many nodes 64 KiB. */
const INTERVAL_MS = 1000;
const PAGE_VALUES = { log: 16, state: 8 } as const;
/** After the end of a pass. */
const REST_MS = 3_600_000;
/**
 * With so many entries more or less than when the last page was read, the log turns over within
 * minutes. What would be read of it is about to go, and reading it has its store sort what is
 * otherwise only appended.
 */
const BUSY_ENTRIES = 500;

export class Scrubber {
  readonly #options: ScrubberOptions;
  #timer: Timer | undefined;
  #isStopped = false;
  #where: 'log' | 'state' = 'log';
  #after: Uint8Array | undefined;
  #logEntries = 0;
  #passBytes = 0;
  passCount = 0;
  byteCount = 0;
  damageCount = 0;

  constructor(options: ScrubberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#logEntries = this.#options.logEntries();
    this.#schedule(INTERVAL_MS);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#options.runtime.timers.clear(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.runtime.timers.set(delayMs, () => {
      this.#step().then(
        (isPassOver) => this.#schedule(isPassOver ? REST_MS : INTERVAL_MS),
        (error: unknown) => {
          // A store that was closed meanwhile is nobody's concern.
          if (!this.#isStopped) this.#options.failed(error);
        },
      );
    });
  }

  /** True when a pass is over. */
  async #step(): Promise<boolean> {
    const { log, logEntries } = this.#options;
    const change = logEntries() - this.#logEntries;
    this.#logEntries += change;
    if (this.#where === 'log' && Math.abs(change) >= BUSY_ENTRIES) {
      this.#after = undefined;
      this.#where = 'state';
    }
    const pairs = await this.#page();
    const found: DamagedValue[] = [];
    for (const pair of pairs) {
      this.#passBytes += pair[1].length;
      this.byteCount += pair[1].length;
      const check = this.#where === 'log' ? checkLogValue : checkStateValue;
      const damaged = check(pair);
      if (damaged !== undefined) found.push(damaged);
    }
    if (found.length > 0) await this.#found(found);
    this.#after = pairs.at(-1)?.[0];
    if (pairs.length === PAGE_VALUES[this.#where]) return false;
    this.#after = undefined;
    if (this.#where === 'log') {
      this.#where = 'state';
      return false;
    }
    this.#where = 'log';
    this.passCount++;
    log.info('scrubbed', { bytes: this.#passBytes, damageCount: this.damageCount });
    this.#passBytes = 0;
    return true;
  }

  /** A view of its own for every page: one that is held for an hour would keep old files from going. */
  async #page(): Promise<KeyValue[]> {
    const store = this.#where === 'log' ? this.#options.logStore : this.#options.stateStore;
    const range: KeyRange = this.#after === undefined ? {} : { gt: this.#after };
    const cursor = store.scan(range);
    return await cursor.next(PAGE_VALUES[this.#where]).finally(() => cursor.close());
  }

  async #found(found: readonly DamagedValue[]): Promise<void> {
    const { log, replaceState, cutLog } = this.#options;
    this.damageCount += found.length;
    for (const { place } of found) log.error('scrubDamage', { place, remedy: REMEDY });
    if (this.#where === 'log') await cutLog();
    else await replaceState(found);
  }
}

const REMEDY =
  'what is damaged is replaced from memory; damage that comes again means a failing disk';
