/** What operations take and give. */

import type { Acl } from '../base/acl.ts';
import type { Stat } from '../base/stat.ts';
import type { WatchListener } from './watch-event.ts';

/**
 * A node's data as it is given: text stands for its UTF-8 bytes, null for none at all, which the
 * protocol keeps apart from empty. Bytes are borrowed until the operation settles: do not change them.
 */
export type Data = Uint8Array | string | null;

export interface NodeData {
  /** Yours. Null when the node was given none. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

export interface Children {
  /** Names, not paths, in no particular order. */
  readonly children: string[];
  readonly stat: Stat;
}

export interface NodeAcl {
  readonly acl: readonly Acl[];
  /** Its `aversion` is what `setAcl` compares. */
  readonly stat: Stat;
}

export interface CreatedNode {
  /** With the number that a sequential node was given. */
  readonly path: string;
  readonly stat: Stat;
}

/** One identity of a connection. */
export interface ClientIdentity {
  readonly scheme: string;
  readonly user: string;
}

/** Kinds of nodes. The server removes an ephemeral with its session, a container when it is empty again. */
export type NodeMode =
  | 'persistent'
  | 'persistentSequential'
  | 'ephemeral'
  | 'ephemeralSequential'
  | 'container';

/** Ends an operation early. A write that was sent then has an unknown outcome. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** What kind of node, and who may do what with it. */
export type NodeOptions = {
  /** Default: anybody may do anything. */
  readonly acl?: readonly Acl[] | undefined;
} & (
  | {
      readonly mode?: 'persistent' | 'persistentSequential' | undefined;
      /** The server removes the node when it has no children and was not written for so long. */
      readonly ttlMs?: number | undefined;
    }
  | {
      readonly mode: 'ephemeral' | 'ephemeralSequential' | 'container';
      readonly ttlMs?: undefined;
    }
);

/** With `stat: true` the result is a `CreatedNode` (servers from 3.5 on), otherwise the path. */
export type CreateOptions = NodeOptions & Abortable & { readonly stat?: boolean | undefined };

/** The version that must match; by default any does. */
export interface VersionOptions extends Abortable {
  readonly version?: number | undefined;
}

/** A watch that fires once: the listener is told of the next change of what was read. */
export interface ReadOptions extends Abortable {
  readonly watch?: WatchListener | undefined;
}

/** With `stat: true` the result is `Children`, otherwise the names alone. */
export interface ChildrenOptions extends ReadOptions {
  readonly stat?: boolean | undefined;
}

/** Changes of an ensemble's membership, as `zoo.cfg` spells its servers. */
export interface Reconfiguration extends Abortable {
  /** `server.N=...` of servers to add or change. */
  readonly joining?: readonly string[] | undefined;
  /** Ids of servers to remove. */
  readonly leaving?: readonly string[] | undefined;
  /** Instead of the two: all servers there shall be. */
  readonly members?: readonly string[] | undefined;
  /** Version of the configuration this is for; by default any. */
  readonly fromVersion?: number | undefined;
}
