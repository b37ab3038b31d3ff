/** Bytes of the transactions that this server proposed, since the statistics were last reset. */

import type { BackendStatus } from '../api/backend.ts';

export class ProposalSizes {
  #last = -1;
  #min = -1;
  #max = -1;

  add(bytes: number): void {
    this.#last = bytes;
    this.#min = this.#min < 0 ? bytes : Math.min(this.#min, bytes);
    this.#max = Math.max(this.#max, bytes);
  }

  reset(): void {
    this.#last = -1;
    this.#min = -1;
    this.#max = -1;
  }

  /** -1 where there was none. */
  get value(): BackendStatus['proposalSizes'] {
    return { last: this.#last, min: this.#min, max: this.#max };
  }
}
