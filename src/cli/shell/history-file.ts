/** Lines of earlier shells, in a file of the user's. */

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const LINES_MAX = 1000;
/** For nobody else's eyes: lines hold data of nodes. */
const MODE = 0o600;
/** What follows is a password. */
const SECRET = /^\s*addauth\b/;

/** `VIVARIUM_CLI_HISTORY`, empty for none, or a file in the home directory. */
export function historyPath(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment['VIVARIUM_CLI_HISTORY'];
  if (named !== undefined) return named === '' ? undefined : named;
  return path.join(os.homedir(), '.vivarium_cli_history');
}

/** A shell without a file to write keeps its history to itself: no failure here ends it. */
export class HistoryFile {
  readonly #path: string | undefined;
  #last = '';

  constructor(file: string | undefined) {
    this.#path = file;
  }

  /** The last lines, oldest first. A file that has grown to twice as many is cut. */
  read(): string[] {
    if (this.#path === undefined) return [];
    try {
      const lines = readFileSync(this.#path, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
      const kept = lines.slice(-LINES_MAX);
      if (lines.length > 2 * LINES_MAX) {
        writeFileSync(this.#path, `${kept.join('\n')}\n`, { mode: MODE });
      }
      return kept;
    } catch {
      return [];
    }
  }

  /** A line that repeats the one before is not written again; nor is one that holds a password. */
  append(line: string): void {
    if (this.#path === undefined || line.trim() === '') return;
    if (line === this.#last || isSecret(line)) return;
    this.#last = line;
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: MODE });
    } catch {
      return;
    }
  }
}

export function isSecret(line: string): boolean {
  return SECRET.test(line);
}
