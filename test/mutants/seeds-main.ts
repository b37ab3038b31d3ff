/** `node seeds-main.js FROM COUNT`: seeds of the simulator on all cores, until one goes wrong. */

import { runSeeds } from '../sim/seed-pool.ts';

const [from = 1, count = 100] = process.argv.slice(2).map(Number);
let done = 0;
const totals = await runSeeds({
  from,
  count,
  isWanted: ({ violations }) => {
    if (violations.length === 0) process.stdout.write(`done ${++done}\n`);
    return violations.length === 0;
  },
});
const [failed] = totals.failed;
if (failed !== undefined) {
  const [violation = ''] = failed.violations;
  process.stdout.write(`found ${failed.seed} ${violation.split('\n')[0]}\n`);
}
process.exitCode = failed === undefined ? 0 : 1;
