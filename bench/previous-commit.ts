/** The commit before this one, built in a directory of its own. */

import { execFileSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const BUILD_TIMEOUT_MS = 120_000;
/** Below `src`, and yet never loaded by a server. */
const NO_PART_OF_A_SERVER = [':!src/bench', ':!src/testing', ':!src/client', ':!src/cli/shell'];

/** Why there is nothing to compare with, in a sentence; undefined when there is. */
export function reasonNotToCompare(checkout: string): string | undefined {
  if (!succeeds(checkout, 'git', ['rev-parse', '--verify', '--quiet', 'HEAD^'])) {
    return 'there is no commit before this one here (a shallow clone has none)';
  }
  const paths = ['src', 'bin', 'package-lock.json', ...NO_PART_OF_A_SERVER];
  if (succeeds(checkout, 'git', ['diff', '--quiet', 'HEAD^', '--', ...paths])) {
    return 'nothing that a server runs differs from the commit before';
  }
  return undefined;
}

/**
 * Builds the commit before this one in the directory, which is emptied first, with the packages of
 * this checkout. Its bin/vivarium.js; undefined when it cannot be built so.
 */
export function buildPreviousCommit(checkout: string, directory: string): string | undefined {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const modules = path.join(checkout, 'node_modules');
  symlinkSync(modules, path.join(directory, 'node_modules'));
  const archive = path.join(directory, 'sources.tar');
  const isBuilt =
    succeeds(checkout, 'git', ['archive', '-o', archive, 'HEAD^']) &&
    succeeds(directory, 'tar', ['-xf', archive]) &&
    // Its types were checked when it was committed.
    succeeds(directory, process.execPath, [
      path.join(modules, 'typescript', 'bin', 'tsc'),
      '--noCheck',
    ]);
  return isBuilt ? path.join(directory, 'bin', 'vivarium.js') : undefined;
}

/** What the program says when it fails goes to this one's output. */
function succeeds(directory: string, program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { cwd: directory, stdio: 'pipe', timeout: BUILD_TIMEOUT_MS });
    return true;
  } catch (error) {
    const { stdout, stderr } = error as SpawnSyncReturns<Buffer>;
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
    return false;
  }
}
