/** One exploration from beginning to end: a core, the limits, where it begins, what it found. */

import { Explorer, type Violation } from './explorer.ts';
import type { OldBug } from './old-bugs.ts';
import { openCore } from './open-core.ts';
import { type Limits, SERVERS } from './row.ts';
import { ServerSteps } from './server-steps.ts';
import { Worlds } from './worlds.ts';

export interface ExplorationOptions {
  readonly limits: Limits;
  /** From three servers that never ran, instead of three that serve under their first leader. */
  readonly isFromStart?: boolean;
  readonly bug?: OldBug | undefined;
}

export interface Totals {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Every world that can be reached within the limits was expanded. */
  readonly isComplete: boolean;
  readonly violations: number;
  /** Different states of single servers, and different turns of the core. */
  readonly serverStates: number;
  readonly steps: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export class Exploration {
  readonly #steps: ServerSteps;
  readonly #explorer: Explorer;
  readonly #began = process.cpuUsage();

  private constructor(steps: ServerSteps, explorer: Explorer) {
    this.#steps = steps;
    this.#explorer = explorer;
  }

  static async begin(options: ExplorationOptions): Promise<Exploration> {
    const core = await openCore(options.bug?.patches);
    const steps = new ServerSteps(core, SERVERS);
    const worlds = new Worlds(steps, options.limits);
    const root = options.isFromStart === true ? worlds.unspent(worlds.first()) : worlds.settled();
    return new Exploration(steps, new Explorer(worlds, root));
  }

  get violation(): Violation | undefined {
    return this.#explorer.violation;
  }

  /** Worlds found at each depth. */
  get widths(): readonly number[] {
    return this.#explorer.widths;
  }

  get totals(): Totals {
    const { user, system } = process.cpuUsage(this.#began);
    return {
      ...this.#explorer.progress,
      violations: this.violation === undefined ? 0 : 1,
      serverStates: this.#steps.stateCount,
      steps: this.#steps.stepCount,
      cpuSeconds: (user + system) / 1_000_000,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  /** Goes on until so many worlds are known; true when there is nothing more to do. */
  run(states: number): boolean {
    const { isComplete } = this.#explorer.run(states);
    return isComplete || this.violation !== undefined;
  }

  /** The way to the violation, a line for each transition; empty when there is none. */
  story(): string[] {
    const { violation } = this;
    if (violation === undefined) return [];
    return [...this.tell(violation.path), `path ${violation.path.join('.')}`, violation.text];
  }

  /** What happens on a path, a line for each transition. */
  tell(path: readonly number[]): string[] {
    return this.#explorer.tell(path).map((line, i) => `${i + 1}. ${line}`);
  }
}

export function summaryOf(totals: Totals): string {
  const { states, transitions, depth, violations, serverStates, steps } = totals;
  const extent = totals.isComplete ? 'which is all there are' : `to depth ${depth}`;
  const megabytes = Math.round(totals.residentBytes / 1_000_000);
  return [
    `${states} worlds, ${extent}`,
    `${transitions} transitions`,
    `${violations} violations`,
    `${serverStates} server states and ${steps} turns of the core`,
    `${totals.cpuSeconds.toFixed(0)} s of one core, ${megabytes} MB`,
  ].join('; ');
}
