/**
 * Watches the free space of the disks. A store that runs into the end of its disk ends the server,
 * so before that happens writes are refused, with an answer, while reads go on; a leader hands over
 * to a server that has room. When there is room again, it all comes back by itself.
 */

import type { LinkId } from '../consensus/effects.ts';
import type { DiskSpace, Runtime, Timer } from '../runtime/runtime.ts';
import type { Log } from './logger.ts';

export interface DiskWatchOptions {
  /** Directories that grow; the one with the least room counts. */
  readonly directories: readonly string[];
  /** Less free space than this is too little; 0: no space is. */
  readonly reserveBytes: number;
  readonly runtime: Runtime;
  readonly log: Log;
  /** Says to the leader that this server follows, if it does, whether there is room here. */
  readonly tell: (hasRoom: boolean) => void;
  /** Followers that could lead at once, as far as their history goes. */
  readonly heirs: () => readonly LinkId[];
  readonly handOver: () => void;
}

const INTERVAL_MS = 1000;
/** Writes are taken again when there is so many times the reserve. */
const COMEBACK_SHARE = 2;
/** With less than so many times the reserve an operator should look. */
const WARNING_SHARE = 4;
/** On a small disk a tenth is enough of a reserve. */
const RESERVE_PART = 10;

export type DiskFill = 'roomy' | 'low' | 'full';

export class DiskWatch {
  readonly #options: DiskWatchOptions;
  /** What learners said last; one that said nothing has room. */
  readonly #crowded = new Set<LinkId>();
  #fill: DiskFill = 'roomy';
  #freeBytes = -1;
  #timer: Timer | undefined;
  #isLooking = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** Writes are to be refused. */
  get isFull(): boolean {
    return this.#fill === 'full';
  }

  /** On the disk with the least room; -1 before the first look, or when nobody can tell. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    if (this.#options.reserveBytes === 0) return;
    await this.#look();
    this.#timer = this.#options.runtime.timers.every(INTERVAL_MS, () => {
      // A disk that is full and then does not answer at all must not keep leadership where it is.
      if (this.#isLooking) this.#handOverIfFull();
      else this.#look().catch(() => undefined);
    });
  }

  stop(): void {
    if (this.#timer !== undefined) this.#options.runtime.timers.clear(this.#timer);
    this.#timer = undefined;
  }

  /** This server follows a leader from now on, which must not hand over to it without need. */
  introduce(): void {
    if (this.isFull) this.#options.tell(false);
  }

  /** A learner says whether it has room. */
  heard(link: LinkId, hasRoom: boolean): void {
    if (hasRoom) this.#crowded.delete(link);
    else this.#crowded.add(link);
  }

  forget(link: LinkId): void {
    this.#crowded.delete(link);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const { directories, runtime } = this.#options;
    try {
      let fill: DiskFill = 'roomy';
      let least = Number.POSITIVE_INFINITY;
      for (const directory of directories) {
        const space = await runtime.storage.space(directory);
        if (space === undefined) continue;
        fill = worse(fill, diskFill(space, this.#options.reserveBytes, this.isFull));
        least = Math.min(least, space.freeBytes);
      }
      this.#freeBytes = Number.isFinite(least) ? least : -1;
      this.#changed(fill);
    } finally {
      this.#isLooking = false;
    }
    this.#options.tell(!this.isFull);
    this.#handOverIfFull();
  }

  #handOverIfFull(): void {
    if (!this.isFull) return;
    const hasHeir = this.#options.heirs().some((link) => !this.#crowded.has(link));
    if (hasHeir) this.#options.handOver();
  }

  #changed(fill: DiskFill): void {
    const before = this.#fill;
    this.#fill = fill;
    if (fill === before) return;
    const { log, directories } = this.#options;
    const fields = { freeBytes: this.#freeBytes, directories: directories.join(', ') };
    if (fill === 'full') log.error('diskFull', { ...fields, remedy: REMEDY });
    else if (fill === 'low') log.warn('diskLow', fields);
    else log.info('diskHasRoom', fields);
  }
}

const REMEDY =
  'writes are refused with -127 (ThrottledOp) while this server leads, reads go on; make room, and ' +
  'writes are taken again by themselves';

/** How full a disk is, with so much to be kept free; one that is full already needs more to count as better. */
export function diskFill(
  { freeBytes, totalBytes }: DiskSpace,
  reserveBytes: number,
  isFull = false,
): DiskFill {
  const reserve = Math.min(reserveBytes, Math.floor(totalBytes / RESERVE_PART));
  const limit = isFull ? COMEBACK_SHARE * reserve : reserve;
  if (freeBytes < limit) return 'full';
  return freeBytes < WARNING_SHARE * reserve ? 'low' : 'roomy';
}

function worse(a: DiskFill, b: DiskFill): DiskFill {
  if (a === 'full' || b === 'full') return 'full';
  return a === 'low' || b === 'low' ? 'low' : 'roomy';
}
