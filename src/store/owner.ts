/**
 * The stored `ephemeralOwner` of a node says more than who owns it: special values mark containers
 * and nodes with a time to live (EphemeralType in the original). Clients see 0 for those.
 */

import { invariant } from '../base/assert.ts';
import { makeSessionId, SESSION_NONE, type SessionId } from '../base/ids.ts';

export const NodeKind = { persistent: 0, ephemeral: 1, container: 2, ttl: 3 } as const;
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind];

/** Longest time to live, in ms: 40 bits. */
export const TTL_MAX_MS = 0xff_ffff_ffff;

export const CONTAINER_OWNER = makeSessionId(0x8000000000000000n);

const TTL_TAG = 0xff00000000000000n;
const TTL_MASK = 0xffffffffffn;

/**
 * What a stored owner makes of its node. Without extended types the top byte 0xff is an ordinary
 * server id, so such an owner is a session, as in the original.
 */
export function nodeKind(owner: SessionId, extendedTypes: boolean): NodeKind {
  if (owner === SESSION_NONE) return NodeKind.persistent;
  if (owner === CONTAINER_OWNER) return NodeKind.container;
  if (extendedTypes && BigInt.asUintN(64, owner) >= TTL_TAG) return NodeKind.ttl;
  return NodeKind.ephemeral;
}

export function ttlOwner(ttlMs: number): SessionId {
  invariant(Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= TTL_MAX_MS, 'ttl out of range');
  return makeSessionId(TTL_TAG | BigInt(ttlMs));
}

/** Time to live in ms of a node whose kind is ttl. */
export function ttlOfOwner(owner: SessionId): number {
  return Number(BigInt.asUintN(64, owner) & TTL_MASK);
}
