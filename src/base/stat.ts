import type { SessionId, Zxid } from './ids.ts';

/** A node's Stat as a client sees it (68 bytes on the wire). Times are wall-clock milliseconds of the leader. */
export interface Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  /** Signed 32 bits, wraps. */
  readonly version: number;
  /** On the wire 2 x creations - children, signed 32 bits. */
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly numChildren: number;
}
