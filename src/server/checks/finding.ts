/** What a check of configurations has to say, in parts, so that people and programs can read it. */

import type { ConfigWarning } from '../config.ts';
import type { ConfigError } from '../config-error.ts';

/**
 * `error`: a server would not start, or the ensemble would be broken. `risk`: it would start, and
 * may fail later. `note`: nothing is wrong.
 */
export type Severity = 'error' | 'risk' | 'note';

/** What a finding is about. */
export type Topic =
  | 'configuration'
  | 'members'
  | 'myid'
  | 'data'
  | 'disk'
  | 'ports'
  | 'names'
  | 'peers'
  | 'clock'
  | 'limits';

export interface Finding {
  readonly severity: Severity;
  readonly topic: Topic;
  /** `file:line` where there is a line; otherwise a file, a directory or an address. */
  readonly where: string;
  /** What is the case. */
  readonly what: string;
  /** What to do about it; a note may have nothing to do. */
  readonly remedy: string | undefined;
}

export function errorFinding(
  topic: Topic,
  where: string,
  what: string,
  remedy: string | undefined,
): Finding {
  return { severity: 'error', topic, where, what, remedy };
}

export function risk(topic: Topic, where: string, what: string, remedy: string): Finding {
  return { severity: 'risk', topic, where, what, remedy };
}

export function note(topic: Topic, where: string, what: string, remedy?: string): Finding {
  return { severity: 'note', topic, where, what, remedy };
}

/** A mistake for which no server starts. */
export function mistakeFinding(topic: Topic, mistake: ConfigError): Finding {
  const { where, what, expected } = mistake;
  return errorFinding(topic, where, what, `expected ${expected}`);
}

export function warningFinding({ where, message, remedy }: ConfigWarning): Finding {
  return risk('configuration', where, message, remedy);
}
