/** What the flags of a create ask for: the kind of node, its owner, the number in its name. */

import { SESSION_NONE, type SessionId } from '../base/ids.ts';
import { CreateMode, OpCode } from '../base/op-code.ts';
import type { WriteRequest } from '../base/write-request.ts';
import { CONTAINER_OWNER, ttlOwner } from './owner.ts';
import { type CreateTxn, TxnType } from './txn.ts';

const SEQUENCE_DIGITS = 10;

export function isSequential(flags: number): boolean {
  return (
    flags === CreateMode.persistentSequential ||
    flags === CreateMode.ephemeralSequential ||
    flags === CreateMode.persistentSequentialTtl
  );
}

export function hasTtl(flags: number): boolean {
  return flags === CreateMode.persistentTtl || flags === CreateMode.persistentSequentialTtl;
}

/** Padded to ten characters, the sign of a counter past its end being one of them. */
export function sequenceText(creates: number): string {
  if (creates >= 0) return creates.toString().padStart(SEQUENCE_DIGITS, '0');
  return `-${(-creates).toString().padStart(SEQUENCE_DIGITS - 1, '0')}`;
}

/** Alone the operation says what kind of node it makes; in a multi the flags do. */
export function createType(request: WriteRequest, inMulti: boolean): CreateTxn['type'] {
  if (request.op === OpCode.createContainer) return TxnType.createContainer;
  if (hasTtl(request.flags)) return TxnType.createTtl;
  if (inMulti && request.flags === CreateMode.container) return TxnType.createContainer;
  return request.op === OpCode.create2 ? TxnType.create2 : TxnType.create;
}

export function ownerOf(
  type: CreateTxn['type'],
  request: WriteRequest,
  sessionId: SessionId,
): SessionId {
  if (type === TxnType.createContainer) return CONTAINER_OWNER;
  if (type === TxnType.createTtl) return ttlOwner(request.durationMs);
  return isEphemeralMode(request.flags) ? sessionId : SESSION_NONE;
}

export function isEphemeralMode(flags: number): boolean {
  return flags === CreateMode.ephemeral || flags === CreateMode.ephemeralSequential;
}

/** Whether the request can lead to a node that goes with its session. */
export function makesEphemeral(request: WriteRequest): boolean {
  return isEphemeralMode(request.flags) || request.ops.some(makesEphemeral);
}
