/** How violations name things. */

import type { Operation } from '../history.ts';

export function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}

export function describe({ id, client, kind, path, changes }: Operation): string {
  const what = kind === 'multi' ? changes.map((change) => change.path).join(' + ') : path;
  return `operation ${id} (client ${client}: ${kind} ${what})`;
}
