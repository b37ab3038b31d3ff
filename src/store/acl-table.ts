/**
 * One copy of each distinct ACL, shared by all nodes that have it: a tree of a million nodes
 * usually knows a handful. Entries count their nodes and go with the last one.
 */

import { type Acl, OPEN_ACL, Perm } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';

/** An ACL held by `nodeCount` nodes. */
export class SharedAcl {
  /** By which nodes refer to it; another ACL may get it when this one is gone. */
  readonly id: number;
  readonly list: readonly Acl[];
  readonly key: string;
  /** What each of its nodes adds to a checkpoint on account of it. */
  readonly storedBytes: number;
  nodeCount = 0;

  constructor(id: number, list: readonly Acl[], key: string, storedBytes: number) {
    this.id = id;
    this.list = list;
    this.key = key;
    this.storedBytes = storedBytes;
  }
}

export class AclTable {
  readonly #open = new SharedAcl(0, OPEN_ACL, keyOf(OPEN_ACL), 0);
  readonly #byKey = new Map<string, SharedAcl>();
  readonly #byId: (SharedAcl | undefined)[] = [this.#open];
  readonly #freeIds: number[] = [];
  #storedBytes = 0;

  /** Distinct ACLs in use, the open one not counted. */
  get size(): number {
    return this.#byKey.size;
  }

  /** What the ACLs of all nodes take in a checkpoint. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** The shared form of a list, counted once more. The caller's list is copied if it is new. */
  acquire(list: readonly Acl[]): SharedAcl {
    if (isOpen(list)) {
      this.#open.nodeCount += 1;
      return this.#open;
    }
    const key = keyOf(list);
    let shared = this.#byKey.get(key);
    if (shared === undefined) {
      const id = this.#freeIds.pop() ?? this.#byId.length;
      shared = new SharedAcl(id, Object.freeze(list.map(copyEntry)), key, storedBytesOf(list));
      this.#byKey.set(key, shared);
      this.#byId[id] = shared;
    }
    return this.share(shared);
  }

  /** Counts one in use once more. */
  share(shared: SharedAcl): SharedAcl {
    shared.nodeCount += 1;
    this.#storedBytes += shared.storedBytes;
    return shared;
  }

  /** An ACL in use. */
  byId(id: number): SharedAcl {
    const shared = this.#byId[id];
    invariant(shared !== undefined, 'ACL of no number');
    return shared;
  }

  release(shared: SharedAcl): void {
    shared.nodeCount -= 1;
    this.#storedBytes -= shared.storedBytes;
    invariant(shared.nodeCount >= 0, 'ACL released more often than acquired');
    if (shared.nodeCount > 0 || shared === this.#open) return;
    this.#byKey.delete(shared.key);
    this.#byId[shared.id] = undefined;
    this.#freeIds.push(shared.id);
  }
}

/** True for the one entry world:anyone with all permissions. */
export function isOpen(list: readonly Acl[]): boolean {
  if (list === OPEN_ACL) return true;
  const only = list[0];
  if (only === undefined || list.length !== 1) return false;
  return only.perms === Perm.all && only.scheme === 'world' && only.id === 'anyone';
}

function copyEntry(entry: Acl): Acl {
  return Object.freeze({ perms: entry.perms, scheme: entry.scheme, id: entry.id });
}

/** As a checkpoint writes it: the number of entries, and each with its texts behind their lengths. */
function storedBytesOf(list: readonly Acl[]): number {
  let bytes = 4;
  for (const { scheme, id } of list) {
    bytes += 12 + Buffer.byteLength(scheme) + Buffer.byteLength(id);
  }
  return bytes;
}

/** Lengths in front of the texts keep apart what their plain concatenation would mix up. */
function keyOf(list: readonly Acl[]): string {
  let key = '';
  for (const entry of list) {
    key += `${entry.perms},${entry.scheme.length},${entry.scheme},${entry.id.length},${entry.id};`;
  }
  return key;
}
