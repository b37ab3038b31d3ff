import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { checkRecipes } from '../../../../cluster/chaos/check-recipes.ts';
import { GUARDED, QUEUE } from '../../../../cluster/chaos/workers.ts';
import { Teller } from '../../../sim/checkers/tale.ts';
import { check, set } from '../../../sim/drafts.ts';
import { History, NO_REPLY } from '../../../sim/history.ts';

function judge(tell: (first: Teller, second: Teller) => void): string[] {
  const history = new History(() => 0);
  tell(new Teller(history), new Teller(history));
  const violations: string[] = [];
  checkRecipes(history, violations);
  return violations;
}

/** A write under the lock, by the holder of a place in line. */
function wroteLocked(teller: Teller, place: string, zxid: number): void {
  const changes = [check(place, 0), set(GUARDED, place, -1)];
  const operation = teller.ask({ kind: 'multi', path: '', watch: false, changes });
  teller.history.answered(operation, zxid, 0, NO_REPLY);
}

describe('checkRecipes()', () => {
  it('accepts holders that follow each other', () => {
    const violations = judge((first, second) => {
      wroteLocked(first, '/l/q-0000000001', 5);
      wroteLocked(second, '/l/q-0000000002', 6);
    });
    assert.deepEqual(violations, []);
  });

  it('finds a holder that writes when the next one has', () => {
    const violations = judge((first, second) => {
      wroteLocked(second, '/l/q-0000000002', 5);
      wroteLocked(first, '/l/q-0000000001', 6);
    });
    assert.match(violations.join(), /after \/l\/q-0000000002 held the lock/);
  });

  it('finds an item that two took', () => {
    const violations = judge((first, second) => {
      first.deleted(`${QUEUE}/q-0000000001`, 5);
      second.deleted(`${QUEUE}/q-0000000001`, 6);
    });
    assert.match(violations.join(), /took what operation 0/);
  });
});
