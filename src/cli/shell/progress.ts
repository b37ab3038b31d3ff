/** A progress bar for work that turns out to be long, on a terminal and beside text only. */

import { ProgressBar } from '../progress-bar.ts';
import type { Output } from './output.ts';

const PATIENCE_MS = 500;

export class Progress {
  readonly #label: string;
  readonly #bar: ProgressBar | undefined;
  readonly #startedMs = performance.now();

  constructor(out: Output, label: string) {
    this.#label = label;
    const isWanted = out.stderr.isTTY === true && !out.isJson;
    this.#bar = isWanted ? new ProgressBar(out.stderr) : undefined;
  }

  readonly update = (done: number, total: number): void => {
    if (performance.now() - this.#startedMs < PATIENCE_MS) return;
    this.#bar?.update(this.#label, done, total);
  };

  end(): void {
    this.#bar?.end();
  }
}

/** The bar gives way when the work is done, however it ends. */
export async function withProgress<T>(
  out: Output,
  label: string,
  work: (update: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress(out, label);
  try {
    return await work(progress.update);
  } finally {
    progress.end();
  }
}
