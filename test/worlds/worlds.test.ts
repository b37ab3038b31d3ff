import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { Exploration, type Totals } from './exploration.ts';
import { OLD_BUGS } from './old-bugs.ts';
import { openCore } from './open-core.ts';
import type { Limits } from './row.ts';

/** Within these the exploration comes to an end. */
const ONE_CRASH: Limits = { writes: 1, leaderChanges: 1, crashes: 1, cuts: 0, trims: 0 };
const ONE_CUT: Limits = { writes: 1, leaderChanges: 1, crashes: 0, cuts: 1, trims: 0 };
/** Within these it does not, in a time that a test may take. */
const MUCH: Limits = { writes: 2, leaderChanges: 2, crashes: 1, cuts: 1, trims: 0 };
const AFTER_THE_END = 1_000_000;

function extent({ states, transitions, depth, isComplete }: Totals): unknown {
  return { states, transitions, depth, isComplete };
}

async function explored(limits: Limits, states: number): Promise<Exploration> {
  const exploration = await Exploration.begin({ limits });
  exploration.run(states);
  assert.deepEqual(exploration.story(), []);
  return exploration;
}

describe('three servers', () => {
  it('keep every promise in all worlds of one write, one leader change and one crash', async () => {
    const { totals } = await explored(ONE_CRASH, AFTER_THE_END);
    assert(totals.isComplete);
    assert(totals.states > 100_000, `only ${totals.states} worlds`);
  });

  it('keep every promise in all worlds of one write, one leader change and one lost connection', async () => {
    const { totals } = await explored(ONE_CUT, AFTER_THE_END);
    assert(totals.isComplete);
    assert(totals.states > 40_000, `only ${totals.states} worlds`);
  });

  it('keep every promise in the first worlds of two writes, two leader changes, a crash and a cut', async () => {
    const { totals } = await explored(MUCH, 40_000);
    assert(totals.depth >= 7, `only to depth ${totals.depth}`);
  });

  it('are explored the same way each time', async () => {
    const first = await explored(MUCH, 5000);
    const second = await explored(MUCH, 5000);
    assert.deepEqual(extent(first.totals), extent(second.totals));
    assert.deepEqual(first.widths, second.widths);
  });

  it('come to serve from nothing', async () => {
    const limits = { writes: 0, leaderChanges: 1, crashes: 0, cuts: 0, trims: 0 };
    const exploration = await Exploration.begin({ limits, isFromStart: true });
    exploration.run(AFTER_THE_END);
    assert(exploration.totals.isComplete);
    assert.deepEqual(exploration.story(), []);
  });
});

describe('an old bug put back', () => {
  for (const bug of OLD_BUGS.filter(({ isFoundSoon }) => isFoundSoon)) {
    it(`is found: ${bug.name}, ${bug.story}`, async () => {
      const exploration = await Exploration.begin({ limits: ONE_CRASH, bug });
      exploration.run(AFTER_THE_END);
      const { violation } = exploration;
      assert(violation !== undefined, 'nothing was violated');
      assert.match(violation.text, bug.shows);
      // The path alone is enough to show it again.
      assert(exploration.story().some((line) => line.endsWith(violation.text)));
    });
  }

  it('fits the core as it is now, also where finding it takes long', async () => {
    for (const { patches } of OLD_BUGS) assert.ok(await openCore(patches));
  });

  it('that does not fit the core as it is now is refused', async () => {
    const file = 'consensus/learner';
    const misses = openCore([{ file, find: 'what nobody wrote', replace: '' }]);
    await assert.rejects(misses, /fits 0 places/);
    const isUnclear = openCore([{ file, find: 'this._state', replace: '' }]);
    await assert.rejects(isUnclear, /places instead of one/);
  });
});
