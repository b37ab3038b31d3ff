/** Sessions that begin and end: connect, get a session, close it, hear of that, and again. */

import { invariant } from '../base/assert.ts';
import type { Address } from '../runtime/runtime.ts';
import type { LoadDriver } from './load-driver.ts';
import { closeFrame } from './load-frames.ts';
import type { LoadTally } from './load-tally.ts';
import { WireConnection } from './wire-connection.ts';

const CLOSE_FRAME = closeFrame();

export class ConnectDriver implements LoadDriver {
  readonly #addresses: readonly Address[];
  readonly #count: number;
  readonly #tally: LoadTally;
  #cycles: Promise<unknown> = Promise.resolve();

  /** `count`: sessions that are there at the same time. */
  constructor(addresses: readonly Address[], count: number, tally: LoadTally) {
    this.#addresses = addresses;
    this.#count = count;
    this.#tally = tally;
  }

  async start(): Promise<void> {
    const cycles = Array.from({ length: this.#count }, (_, at) => {
      const address = this.#addresses[at % this.#addresses.length];
      invariant(address !== undefined, 'a target without servers');
      return this.#cycle(address);
    });
    this.#cycles = Promise.all(cycles);
  }

  async stop(): Promise<void> {
    this.#tally.isIssuing = false;
    await this.#cycles;
  }

  /** A cycle that is counted has had both answers. */
  async verify(): Promise<readonly string[]> {
    return [];
  }

  close(): void {
    // Every cycle has closed what it opened.
  }

  async #cycle(address: Address): Promise<void> {
    while (this.#tally.isIssuing && this.#tally.errorCount === 0) {
      const beganMs = performance.now();
      try {
        this.#tally.record(((await openAndClose(address)) - beganMs) * 1000);
      } catch (error) {
        this.#tally.fail(error instanceof Error ? error.message : String(error));
      }
    }
  }
}

/** Resolves to when the server's answer to closeSession came. */
function openAndClose(address: Address): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const wire = new WireConnection({
      replied: (head, nowMs) => {
        wire.close();
        const code = head.readInt32BE(16);
        if (code === 0) resolve(nowMs);
        else reject(new Error(`closeSession was answered with error ${code}`));
      },
      readEnded: () => undefined,
      failed: (reason) => reject(new Error(reason)),
    });
    wire.connect(address).then(() => wire.write(CLOSE_FRAME), reject);
  });
}
