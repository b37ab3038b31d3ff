/**
 * The transactions a leader has proposed and not yet applied, as it made them: what it encoded itself
 * it need not decode to apply.
 */

import { invariant } from '../base/assert.ts';
import { ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { Txn } from '../store/txn.ts';

/** The arrays are cut when so many of their first places are used up, and half of them. */
const CUT_AT = 1024;

export class ProposedTxns {
  /** Ascending; those before `#head` are taken. */
  #zxids: Zxid[] = [];
  #txns: (Txn | undefined)[] = [];
  #head = 0;

  get count(): number {
    return this.#zxids.length - this.#head;
  }

  /** Zxids come in their order, with gaps where a transaction is not kept. */
  add(zxid: Zxid, txn: Txn): void {
    invariant(zxid > (this.#zxids.at(-1) ?? ZXID_NONE), 'proposals out of order');
    this.#zxids.push(zxid);
    this.#txns.push(txn);
  }

  /** Hands out what was kept for the zxid, and forgets it with all before it. */
  take(zxid: Zxid): Txn | undefined {
    let taken: Txn | undefined;
    for (;;) {
      const head = this.#zxids[this.#head];
      if (head === undefined || head > zxid) break;
      if (head === zxid) taken = this.#txns[this.#head];
      this.#txns[this.#head] = undefined;
      this.#head++;
    }
    if (this.#head >= CUT_AT && this.#head * 2 >= this.#zxids.length) {
      this.#zxids.splice(0, this.#head);
      this.#txns.splice(0, this.#head);
      this.#head = 0;
    }
    return taken;
  }
}
