/** The file in which a local ensemble remembers its shape and its processes between commands. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EnsembleLayout } from './layout.ts';
import type { ServerProcess } from './server-process.ts';

export interface EnsembleState {
  readonly layout: EnsembleLayout;
  /** The process last started for each server, by id; it may have ended since. */
  readonly processes: Readonly<Record<number, ServerProcess>>;
}

const VERSION = 1;

function stateFile(directory: string): string {
  return path.join(directory, 'ensemble.json');
}

/** undefined when the directory holds no ensemble. Throws when the file cannot be understood. */
export function readState(directory: string): EnsembleState | undefined {
  const file = stateFile(directory);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const found = JSON.parse(text) as EnsembleState & { readonly version?: unknown };
  if (found.version !== VERSION) throw new Error(`${file} was written by another release`);
  // The directory may have been moved or mounted elsewhere since: where it is now counts.
  return { layout: { ...found.layout, directory }, processes: found.processes };
}

/** Replaces the file whole, so that a reader never sees half of it. */
export function writeState(state: EnsembleState): void {
  const { directory } = state.layout;
  mkdirSync(directory, { recursive: true });
  const file = stateFile(directory);
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify({ version: VERSION, ...state }, null, 2)}\n`);
  renameSync(temporary, file);
}
