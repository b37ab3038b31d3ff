/**
 * Tells operators of changes beyond a quota, in the words that the original has for it and that
 * scripts look for: at once for the first, then once a minute for each limit, with how many there
 * were. The original holds back nothing but equal lines that follow each other, which under load
 * means nothing.
 */

import type { QuotaExcess } from '../store/quota.ts';
import type { Log } from './logger.ts';

const INTERVAL_MS = 60_000;
/** Limits remembered. Beyond it the oldest is forgotten, and may be told of again too early. */
const REMEMBERED_MAX = 1000;

interface Told {
  atMs: number;
  untold: number;
}

export class QuotaWarnings {
  readonly #log: Pick<Log, 'warn'>;
  readonly #isEnforced: boolean;
  readonly #told = new Map<string, Told>();
  readonly #refusals = new Map<string, number>();

  /** `isEnforced`: what a hard limit forbids is refused, not only told of. */
  constructor(log: Pick<Log, 'warn'>, isEnforced: boolean) {
    this.#log = log;
    this.#isEnforced = isEnforced;
  }

  /** Requests refused, by the name of the node at the top level. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  exceeded(excess: QuotaExcess, nowMs: number): void {
    if (excess.isHard && this.#isEnforced) this.#countRefusal(excess.path);
    const key = `${excess.what} ${excess.isHard} ${excess.path}`;
    const told = this.#told.get(key);
    if (told !== undefined && nowMs - told.atMs < INTERVAL_MS) {
      told.untold += 1;
      return;
    }
    const times = (told?.untold ?? 0) + 1;
    this.#told.delete(key);
    this.#told.set(key, { atMs: nowMs, untold: 0 });
    if (this.#told.size > REMEMBERED_MAX) this.#forgetOldest();
    this.#log.warn(`${times > 1 ? `[${times} times] ` : ''}${quotaMessage(excess)}`);
  }

  #countRefusal(path: string): void {
    const name = path.split('/')[1] ?? '';
    this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
  }

  #forgetOldest(): void {
    const oldest = this.#told.keys().next();
    if (oldest.done !== true) this.#told.delete(oldest.value);
  }
}

/** `Quota exceeded: /q [current count=11, softCountLimit=10]` */
function quotaMessage({ path, what, isHard, usage, limit }: QuotaExcess): string {
  const name = `${isHard ? 'hard' : 'soft'}${what === 'count' ? 'Count' : 'Byte'}Limit`;
  return `Quota exceeded: ${path} [current ${what}=${usage}, ${name}=${limit}]`;
}
