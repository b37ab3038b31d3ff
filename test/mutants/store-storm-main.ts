/** `node store-storm-main.js FROM COUNT`: schedules of the store alone, until one goes wrong. */

import { storeStorm } from '../support/store-storm/store-storm.ts';
import { runStorms } from './run-storms.ts';

await runStorms(storeStorm);
