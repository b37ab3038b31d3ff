/**
 * A small file beside the log that remembers how far the log had come. A store that loses its newest
 * writes (a sector of its journal, a sync that a disk only pretended) is intact by every checksum of
 * its own; only something outside it can tell that it once held more.
 */

import { EPOCH_MAX, type Zxid, zxidHex } from '../base/ids.ts';
import type { Runtime, Storage, Timer } from '../runtime/runtime.ts';
import type { LogMeta } from '../store/log-meta.ts';
import type { ServerConfig } from './config.ts';

/** What the file says; all of it was durable in the log when it was written. */
interface Testimony {
  readonly incarnation: string;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly lastZxid: number;
}

/** So much of the newest may be lost unseen. */
const INTERVAL_MS = 2000;

export function witnessFile({ dataLogDir }: Pick<ServerConfig, 'dataLogDir'>): string {
  return `${dataLogDir}/witness`;
}

export class Witness {
  readonly #file: string;
  readonly #runtime: Runtime;
  readonly #meta: () => LogMeta;
  readonly #failed: (error: unknown) => void;
  #timer: Timer | undefined;
  #written = '';
  #isStopped = false;

  constructor(
    file: string,
    runtime: Runtime,
    meta: () => LogMeta,
    failed: (error: unknown) => void,
  ) {
    this.#file = file;
    this.#runtime = runtime;
    this.#meta = meta;
    this.#failed = failed;
  }

  /** The log has become durable further: the file follows in a while. */
  follow(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    this.#timer = this.#runtime.timers.set(INTERVAL_MS, () => {
      this.#timer = undefined;
      this.#write().catch((error: unknown) => {
        if (!this.#isStopped) this.#failed(error);
      });
    });
  }

  /** Writes no more; an orderly end brings the file up to date first. */
  async stop(isOrderly: boolean): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#runtime.timers.clear(this.#timer);
    if (isOrderly) await this.#write();
  }

  async #write(): Promise<void> {
    const text = encode(this.#meta());
    if (text === this.#written) return;
    this.#written = text;
    await this.#runtime.storage.writeText(this.#file, text);
  }
}

/**
 * Says what is missing when the log holds less than the file remembers; undefined when all is well,
 * or when there is no such file, or one that belongs to another disk.
 */
export async function missingFrom(
  storage: Storage,
  config: ServerConfig,
  meta: LogMeta,
): Promise<string | undefined> {
  const file = witnessFile(config);
  const text = await storage.readText(file);
  const found = text === undefined ? undefined : decode(text);
  if (found === undefined || found.incarnation !== meta.incarnation) return undefined;
  if (found.acceptedEpoch > meta.acceptedEpoch) {
    return `the log knows of epoch ${meta.acceptedEpoch}, and ${file} of epoch ${found.acceptedEpoch}`;
  }
  // A later leader may have taken back what an earlier one proposed, so epochs come first.
  const isBehind =
    found.currentEpoch > meta.currentEpoch ||
    (found.currentEpoch === meta.currentEpoch && found.lastZxid > meta.lastZxid);
  if (!isBehind) return undefined;
  const reached = zxidHex(found.lastZxid as Zxid);
  return `the log ends at ${zxidHex(meta.lastZxid)}, and ${file} says that it had reached ${reached}`;
}

/** Says what a log must have held that is empty now; undefined when the file knows of none. */
export async function onceHeld(
  storage: Storage,
  config: ServerConfig,
): Promise<string | undefined> {
  const file = witnessFile(config);
  const text = await storage.readText(file);
  const found = text === undefined ? undefined : decode(text);
  if (found === undefined) return undefined;
  const reached = zxidHex(found.lastZxid as Zxid);
  return `the log is empty, and ${file} says that it had reached ${reached} in epoch ${found.acceptedEpoch}`;
}

/** A log begins anew, and what is remembered of an earlier one says nothing about it. */
export async function forgetEarlier(storage: Storage, config: ServerConfig): Promise<void> {
  const file = witnessFile(config);
  if ((await storage.readText(file)) !== undefined) await storage.writeText(file, '');
}

function encode({ incarnation, acceptedEpoch, currentEpoch, lastZxid }: LogMeta): string {
  return `${incarnation} ${acceptedEpoch} ${currentEpoch} ${lastZxid}\n`;
}

function decode(text: string): Testimony | undefined {
  const match = /^([0-9a-f]+) (\d{1,7}) (\d{1,7}) (\d{1,16})\n$/.exec(text);
  if (match === null) return undefined;
  const [, incarnation = '', accepted, current, last] = match;
  const lastZxid = Number(last);
  if (Number(accepted) > EPOCH_MAX || !Number.isSafeInteger(lastZxid)) return undefined;
  return {
    incarnation,
    acceptedEpoch: Number(accepted),
    currentEpoch: Number(current),
    lastZxid,
  };
}
