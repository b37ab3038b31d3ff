/** `node storm-main.js FROM COUNT`: schedules of the core alone, until one goes wrong. */

import { storm } from '../support/zab-storm.ts';

const [from = 1, count = 100] = process.argv.slice(2).map(Number);
let isWrong = false;
for (let seed = from; seed < from + count && !isWrong; seed++) {
  try {
    storm(seed);
    const done = seed - from + 1;
    if (done % 20 === 0 || done === count) process.stdout.write(`done ${done}\n`);
  } catch (error) {
    isWrong = true;
    const [message] = String(error).split('\n');
    process.stdout.write(`done ${seed - from}\nfound ${seed} ${message}\n`);
  }
}
process.exitCode = isWrong ? 1 : 0;
