/**
 * A decoded request that may change state, in one fixed shape for every operation so that the hot
 * path stays monomorphic: fields an operation has no use for keep their neutral value.
 * Made by the protocol's decoders, consumed by the store's prepare step.
 */

import type { Acl } from './acl.ts';
import type { OpCode } from './op-code.ts';

export interface WriteRequest {
  readonly op: OpCode;
  /** null where the client sent a null string. */
  readonly path: string | null;
  /** null where the client sent a null buffer. A view of the frame: whoever keeps it copies it. */
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  /** Create mode of create, create2, createContainer, createTtl; 0 otherwise. */
  readonly flags: number;
  /** Expected version of delete, setData, setAcl, check; -1 otherwise. */
  readonly version: number;
  /** Milliseconds: ttl of createTtl, timeout of createSession; -1 otherwise. */
  readonly durationMs: number;
  /** Members of a multi, in order; empty otherwise. */
  readonly ops: readonly WriteRequest[];
}
