/** Where a shell writes, and in which of two languages: text as the original's, or JSON. */

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Long answers go out in pieces of about so many characters. */
const PIECE_CHARS = 64 * 1024;

export class Output {
  readonly isJson: boolean;
  readonly stdout: TextSink;
  readonly stderr: TextSink;

  constructor(stdout: TextSink, stderr: TextSink, isJson: boolean) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.isJson = isJson;
  }

  /** What a command was asked for: lines of text, or one line of JSON. */
  answer(lines: Iterable<string>, value: unknown): void {
    if (this.isJson) this.stdout.write(`${JSON.stringify(value)}\n`);
    else this.#writeLines(lines);
  }

  /** As `answer`, but the text is of those that the original prints as an error though it is none. */
  report(line: string, value: unknown): void {
    if (this.isJson) this.stdout.write(`${JSON.stringify(value)}\n`);
    else this.stderr.write(`${line}\n`);
  }

  /** For the person at the terminal: what was done otherwise than asked, and why. */
  note(line: string): void {
    this.stderr.write(`${this.isJson ? JSON.stringify({ note: line }) : line}\n`);
  }

  /** What was asked was not done: lines of text, or one line of JSON. */
  failure(lines: readonly string[], error: unknown): void {
    this.stderr.write(this.isJson ? `${JSON.stringify({ error })}\n` : `${lines.join('\n')}\n`);
  }

  /** Something happened that nobody waits for. */
  event(line: string, value: unknown): void {
    if (this.isJson) this.stdout.write(`${JSON.stringify({ event: value })}\n`);
    else this.stdout.write(`\nWATCHER::\n\n${line}\n`);
  }

  #writeLines(lines: Iterable<string>): void {
    let piece = '';
    for (const line of lines) {
      piece += `${line}\n`;
      if (piece.length < PIECE_CHARS) continue;
      this.stdout.write(piece);
      piece = '';
    }
    if (piece !== '') this.stdout.write(piece);
  }
}
