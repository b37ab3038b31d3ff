/** `node storm-main.js FROM COUNT`: schedules of the core alone, until one goes wrong. */

import { storm } from '../support/zab-storm.ts';
import { runStorms } from './run-storms.ts';

await runStorms(storm);
