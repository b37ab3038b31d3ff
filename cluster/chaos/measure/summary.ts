/** Numbers measured, as they are printed. */

export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >>> 1] ?? 0;
  const lower = sorted[(sorted.length - 1) >>> 1] ?? 0;
  return { count: sorted.length, median: (lower + upper) / 2, max: sorted.at(-1) ?? 0 };
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
