/** Comparing ours with an original that does not always do the same. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

/** How many originals are asked at most before a difference counts. */
const ORIGINALS = 3;

/**
 * Ours was asked once. The original differs from itself in one of some dozens of runs (it counts a
 * reply after it is sent, keeps a connection that was closed, leaves a request unanswered until the
 * next one comes): another one is asked then, and ours has to say what one of them says.
 * `askOriginal` starts one of its own each time; `compare` asserts.
 */
export async function compareWithOriginals<Answers, Result>(
  t: TestContext,
  askOriginal: () => Promise<Answers>,
  compare: (original: Answers) => Result,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return compare(await askOriginal());
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || attempt === ORIGINALS) throw error;
      t.diagnostic(`another original is asked: ${error.message}`);
    }
  }
}
