/** How far a long command is: a bar that is drawn over on a terminal, a line for each phase elsewhere. */

export interface ProgressSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 30;
const COLUMNS_DEFAULT = 80;

export class ProgressBar {
  readonly #sink: ProgressSink;
  readonly #nowMs: () => number;
  #label = '';
  #startedMs = 0;
  #drawnMs = 0;

  constructor(sink: ProgressSink, nowMs: () => number = () => performance.now()) {
    this.#sink = sink;
    this.#nowMs = nowMs;
  }

  /** A new label ends the phase before it. */
  update(label: string, done: number, total: number): void {
    const nowMs = this.#nowMs();
    if (label !== this.#label) {
      this.end();
      this.#label = label;
      this.#startedMs = nowMs;
      this.#drawnMs = 0;
    }
    if (this.#sink.isTTY !== true) return;
    if (nowMs - this.#drawnMs < REDRAW_MS && done < total) return;
    this.#drawnMs = nowMs;
    this.#sink.write(`\r${this.#line(done, total)}`);
  }

  /** Ends the last phase; the bar gives way to a line that says how long it took. */
  end(): void {
    if (this.#label === '') return;
    const seconds = ((this.#nowMs() - this.#startedMs) / 1000).toFixed(1);
    const line = `${this.#label}: ${seconds} s`;
    const blank = this.#sink.isTTY === true ? `\r${' '.repeat(this.#width())}\r` : '';
    this.#sink.write(`${blank}${line}\n`);
    this.#label = '';
  }

  #line(done: number, total: number): string {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return `${this.#label.padEnd(20)} [${bar}] ${percent}`.slice(0, this.#width());
  }

  #width(): number {
    return (this.#sink.columns ?? COLUMNS_DEFAULT) - 1;
  }
}
