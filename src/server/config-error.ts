/** What is wrong with a configuration, as one sentence a person can act on. */

/** Facts of a configuration mistake. */
export interface ConfigMistake {
  /** `file:line`, a command line flag, or the name of an option: where the value was written. */
  readonly where: string;
  /** undefined when the mistake is not about one key. */
  readonly key?: string | undefined;
  /** Line in the file, counted from 1; undefined when the value did not come from a file. */
  readonly line?: number | undefined;
  /** The value as found; undefined when something is missing. */
  readonly value?: string | undefined;
  /** What is wrong, in words; left out when `value` and `expected` already say it. */
  readonly problem?: string | undefined;
  /** What would be right. */
  readonly expected: string;
}

/** A configuration that no server may be started with. The command line ends with `exitCode`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG';
  readonly exitCode = 2;
  readonly where: string;
  readonly key: string | undefined;
  readonly line: number | undefined;
  readonly value: string | undefined;
  /** The message without the place and without what was expected. */
  readonly what: string;
  readonly expected: string;

  constructor(mistake: ConfigMistake) {
    super(sentence(mistake));
    this.where = mistake.where;
    this.key = mistake.key;
    this.line = mistake.line;
    this.value = mistake.value;
    this.what = facts(mistake);
    this.expected = mistake.expected;
  }
}

function sentence(mistake: ConfigMistake): string {
  const { where, expected } = mistake;
  const what = facts(mistake);
  return what === '' ? `${where}: expected ${expected}` : `${where}: ${what}; expected ${expected}`;
}

function facts({ key, value, problem }: ConfigMistake): string {
  const found = key !== undefined && value !== undefined ? `${key}=${value}` : key;
  return [found, problem].filter((fact) => fact !== undefined).join(' ');
}
