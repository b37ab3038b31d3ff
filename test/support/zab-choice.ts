/** What may happen next in a `ZabCluster`, and an order in which some of it waits for long. */

import type { Prng } from '../../src/base/prng.ts';

/** Something that may happen next; what has one key happens in its order. */
export interface Choice {
  readonly key: string;
  readonly happen: () => void;
}

/** How likely a choice gets another rank when it was the first. */
const RANK_CHANGE = 0.05;

/** Who is faster than whom, by key, for a while: what is slow waits until nothing else is to be done. */
export class Ranks {
  readonly #prng: Prng;
  readonly #ranks = new Map<string, number>();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  first(choices: readonly Choice[]): Choice | undefined {
    let first: Choice | undefined;
    let highest = -1;
    for (const choice of choices) {
      const rank = this.#ranks.get(choice.key) ?? this.#prng.fraction();
      this.#ranks.set(choice.key, rank);
      if (rank <= highest) continue;
      highest = rank;
      first = choice;
    }
    if (first !== undefined && this.#prng.chance(RANK_CHANGE)) {
      this.#ranks.set(first.key, this.#prng.fraction());
    }
    return first;
  }
}
