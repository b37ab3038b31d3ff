/** Which paths simulated clients watch for good, and how. */

export const PERSISTENT = ['/d/0', '/r/0', '/c/0'] as const;
export const RECURSIVE = ['/d', '/r'] as const;

export function isRecursive(path: string): boolean {
  return (RECURSIVE as readonly string[]).includes(path);
}
