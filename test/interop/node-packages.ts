/** The npm package node-zookeeper-client in the versions that applications have, and the part of it that the tests use: it ships no types. */

import { createRequire } from 'node:module';

export interface ForeignStat {
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly czxid: Buffer;
  readonly mzxid: Buffer;
  readonly ephemeralOwner: Buffer;
}

/** An `Error` of the package; `undefined` or null on success. */
export interface ForeignError extends Error {
  getCode(): number;
}

export interface ForeignId {
  readonly scheme: string;
  readonly id: string;
}

export interface ForeignAcl {
  readonly permission: number;
  readonly id: ForeignId;
}

export interface ForeignEvent {
  getType(): number;
  getPath(): string;
}

export type Callback<Result extends unknown[]> = (
  error: ForeignError | null | undefined,
  ...result: Result
) => void;
type Watcher = (event: ForeignEvent) => void;

export interface ForeignTransaction {
  create(path: string, data: Buffer, mode?: number): this;
  setData(path: string, data: Buffer, version?: number): this;
  check(path: string, version?: number): this;
  remove(path: string, version?: number): this;
  commit(callback: Callback<[results: { type: number; err?: number; path?: string }[]]>): void;
}

export interface ForeignClient {
  connect(): void;
  close(): void;
  once(event: 'connected' | 'disconnected', listener: () => void): void;
  getSessionId(): Buffer;
  readonly connectionManager: { readonly socket: { destroy(): void } };
  addAuthInfo(scheme: string, identity: Buffer): void;
  getACL(path: string, callback: Callback<[acls: ForeignAcl[], stat: ForeignStat]>): void;
  setACL(
    path: string,
    acls: readonly ForeignAcl[],
    version: number,
    callback: Callback<[ForeignStat]>,
  ): void;
  mkdirp(path: string, callback: Callback<[path: string]>): void;
  create(path: string, data: Buffer, mode: number, callback: Callback<[path: string]>): void;
  remove(path: string, version: number, callback: Callback<[]>): void;
  exists(path: string, watcher: Watcher, callback: Callback<[stat: ForeignStat | null]>): void;
  getData(path: string, watcher: Watcher, callback: Callback<[Buffer, ForeignStat]>): void;
  setData(path: string, data: Buffer, version: number, callback: Callback<[ForeignStat]>): void;
  getChildren(
    path: string,
    watcher: Watcher,
    callback: Callback<[names: string[], stat: ForeignStat]>,
  ): void;
  transaction(): ForeignTransaction;
}

export interface ForeignPackage {
  createClient(
    connectString: string,
    options?: { sessionTimeout?: number; spinDelay?: number; retries?: number },
  ): ForeignClient;
  readonly ACL: new (permission: number, id: ForeignId) => ForeignAcl;
  readonly Id: new (scheme: string, id: string) => ForeignId;
  readonly Permission: { readonly READ: number; readonly ALL: number };
  readonly CreateMode: {
    readonly PERSISTENT: number;
    readonly PERSISTENT_SEQUENTIAL: number;
    readonly EPHEMERAL: number;
    readonly EPHEMERAL_SEQUENTIAL: number;
  };
  readonly Event: {
    readonly NODE_CREATED: number;
    readonly NODE_DELETED: number;
    readonly NODE_DATA_CHANGED: number;
    readonly NODE_CHILDREN_CHANGED: number;
  };
  readonly Exception: {
    readonly NO_NODE: number;
    readonly NO_AUTH: number;
    readonly INVALID_ACL: number;
    readonly BAD_VERSION: number;
    readonly NODE_EXISTS: number;
    readonly NOT_EMPTY: number;
    readonly NO_CHILDREN_FOR_EPHEMERALS: number;
  };
}

const load = createRequire(import.meta.url);

export const NODE_PACKAGES = [
  { name: 'node-zookeeper-client', foreign: load('node-zookeeper-client') as ForeignPackage },
  {
    name: 'node-zookeeper-client 0.2.0',
    foreign: load('node-zookeeper-client-0.2') as ForeignPackage,
  },
] as const;
