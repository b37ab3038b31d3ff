/** Why a command did not do what was asked, in the words for the person at the terminal. */

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
/** Of a command there is none of, as in other shells. */
export const EXIT_NOT_FOUND = 127;

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: 'ARGUMENTS' | 'FAILED' | 'NOT_FOUND';
  readonly exitCode: number;

  constructor(message: string, code: CommandError['code'] = 'ARGUMENTS') {
    super(message);
    this.code = code;
    this.exitCode = code === 'NOT_FOUND' ? EXIT_NOT_FOUND : EXIT_FAILED;
  }
}
