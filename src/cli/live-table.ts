/** Text that stands at the end of a terminal and is drawn over, with lines that pass above it. */

export interface TerminalSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const COLUMNS_DEFAULT = 80;

export class LiveTable {
  readonly #sink: TerminalSink;
  #drawn = '';

  constructor(sink: TerminalSink) {
    this.#sink = sink;
  }

  /** Where there is no terminal, only `print` shows anything. */
  get isLive(): boolean {
    return this.#sink.isTTY === true;
  }

  /** Puts a text of whole lines in place of the one before. */
  draw(text: string): void {
    if (!this.isLive) return;
    // A terminal that does not know its size says 0.
    const width = (this.#sink.columns || COLUMNS_DEFAULT) - 1;
    // A line that the terminal would break takes more rows than are drawn over.
    const lines = text.split('\n').map((line) => line.slice(0, width));
    const clipped = lines.join('\n');
    if (clipped === this.#drawn) return;
    this.#sink.write(this.#erasure() + clipped);
    this.#drawn = clipped;
  }

  /** A line that stays. */
  print(line: string): void {
    const drawn = this.#drawn;
    this.#sink.write(`${this.#erasure()}${line}\n${drawn}`);
  }

  #erasure(): string {
    const rows = this.#drawn.split('\n').length - 1;
    return rows === 0 ? '' : `\x1b[${rows}A\x1b[J`;
  }
}
