/** A command line that cannot be carried out as written, or a request the machine refuses. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
  readonly exitCode: number;

  /** `message` is one sentence for the person at the terminal. */
  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
