/**
 * In the end, when every session had the time to run out: no server shows an ephemeral node of a
 * session that ended. (That one of a living session is there is what `nodes.ts` demands of all
 * acknowledged creates.)
 */

import { SESSION_NONE } from '../../../src/base/ids.ts';
import type { History, SessionRecord } from '../history.ts';
import { describe } from './describe.ts';
import { createdPath, isEphemeral } from './timelines.ts';

/** `auditors`: the clients whose reads came last. */
export function checkEphemerals(
  history: History,
  auditors: ReadonlySet<number>,
  violations: string[],
): void {
  const owners = ownersByPath(history);
  const living = new Set<bigint>();
  for (const { id, state } of history.sessions) if (state === 'live') living.add(id);
  for (const operation of history.operations) {
    if (!auditors.has(operation.client) || operation.outcome !== 'ok') continue;
    const { kind, path, reply } = operation;
    if (kind === 'children') {
      for (const name of reply.names ?? []) {
        const owner = owners.get(`${path}/${name}`);
        if (owner !== undefined && owner.state !== 'live') {
          violations.push(
            `${describe(operation)} shows ${name} of a session that is ${owner.state}`,
          );
        }
      }
    } else if (kind === 'get' && reply.stat !== undefined) {
      const { ephemeralOwner } = reply.stat;
      if (ephemeralOwner !== SESSION_NONE && !living.has(ephemeralOwner)) {
        violations.push(`${describe(operation)} shows a node whose session has ended`);
      }
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
