/** Who collects young objects. */

import { setFlagsFromString } from 'node:v8';

const OWN_CHOICE = /--(no[-_]?)?parallel[-_]scavenge/;

/**
 * Has the thread that makes young objects collect them alone, unless the process was started with a
 * choice of its own. The engine wakes four more for it, which for the few objects that survive in a
 * server cost more than they help: with three servers on two cores 4 to 8 % of all their CPU.
 */
export function collectYoungAlone(): void {
  if (process.execArgv.some((option) => OWN_CHOICE.test(option))) return;
  setFlagsFromString('--no-parallel-scavenge');
}
