/**
 * When every session that ended had the time to run out: no server shows an ephemeral node of one.
 * (That one of a living session is there is what `nodes.ts` demands of all acknowledged creates.)
 */

import type { History, SessionRecord } from '../history.ts';
import { describe } from './describe.ts';
import { createdPath, isEphemeral } from './timelines.ts';

/** `auditors`: the clients that read after `ended` had run out. */
export function checkEphemerals(
  history: History,
  auditors: ReadonlySet<number>,
  ended: ReadonlySet<SessionRecord>,
  violations: string[],
): void {
  const owners = ownersByPath(history);
  const endedIds = new Set<bigint>();
  for (const { id } of ended) endedIds.add(id);
  for (const operation of history.operations) {
    if (!auditors.has(operation.client) || operation.outcome !== 'ok') continue;
    const { kind, path, reply } = operation;
    if (kind === 'children') {
      for (const name of reply.names ?? []) {
        const owner = owners.get(`${path}/${name}`);
        if (owner !== undefined && ended.has(owner)) {
          violations.push(`${describe(operation)} shows ${name} of a session that has ended`);
        }
      }
    } else if (kind === 'get' && endedIds.has(reply.stat?.ephemeralOwner ?? 0n)) {
      violations.push(`${describe(operation)} shows a node of a session that has ended`);
    }
  }
}

function ownersByPath(history: History): Map<string, SessionRecord> {
  const owners = new Map<string, SessionRecord>();
  for (const operation of history.operations) {
    for (const change of operation.changes) {
      if (change.kind !== 'create' || !isEphemeral(change.mode)) continue;
      const path = createdPath(operation, change);
      if (path !== undefined) owners.set(path, operation.session);
    }
  }
  return owners;
}
