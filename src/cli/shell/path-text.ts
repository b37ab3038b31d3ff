/** What is wrong with a path, in the original's words. */

import { CommandError } from './command-error.ts';

/** Undefined when the path is one that servers take. `isPrefix`: a number will be put behind it. */
export function pathProblem(given: string, isPrefix = false): string | undefined {
  const path = isPrefix ? `${given}1` : given;
  if (path === '') return 'Path length must be > 0';
  if (!path.startsWith('/')) return 'Path must start with / character';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'Path must not end with / character';
  const reason = reasonAgainst(path);
  if (reason === undefined) return undefined;
  return `Invalid path string "${path}" caused by ${reason}`;
}

/** Returns the path. Throws a `CommandError`. */
export function checkedPath(path: string, isPrefix = false): string {
  const problem = pathProblem(path, isPrefix);
  if (problem !== undefined) throw new CommandError(problem);
  return path;
}

/** Positions count UTF-16 code units; the first fault counts. */
function reasonAgainst(path: string): string | undefined {
  let start = 1;
  for (let at = 1; at <= path.length; at++) {
    const unit = at === path.length ? '/' : (path[at] ?? '');
    if (unit === '/') {
      const name = path.slice(start, at);
      if (name === '') return `empty node name specified @${at}`;
      if (name === '.' || name === '..') return `relative paths not allowed @${at - 1}`;
      start = at + 1;
    } else if (unit === '\0') return `null character not allowed @${at}`;
    else if (isRefused(unit.charCodeAt(0))) return `invalid character @${at}`;
  }
  return undefined;
}

function isRefused(unit: number): boolean {
  if (unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f)) return true;
  return (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}
