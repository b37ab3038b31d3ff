/** The part of the npm package node-zookeeper-client that the tests use; it ships no types of its own. */
declare module 'node-zookeeper-client' {
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

  export interface ForeignEvent {
    getType(): number;
    getPath(): string;
  }

  type Callback<Result extends unknown[]> = (
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

  export function createClient(
    connectString: string,
    options?: { sessionTimeout?: number; spinDelay?: number; retries?: number },
  ): ForeignClient;

  export const CreateMode: {
    readonly PERSISTENT: number;
    readonly PERSISTENT_SEQUENTIAL: number;
    readonly EPHEMERAL: number;
    readonly EPHEMERAL_SEQUENTIAL: number;
  };
  export const Event: {
    readonly NODE_CREATED: number;
    readonly NODE_DELETED: number;
    readonly NODE_DATA_CHANGED: number;
    readonly NODE_CHILDREN_CHANGED: number;
  };
  export const Exception: {
    readonly NO_NODE: number;
    readonly BAD_VERSION: number;
    readonly NODE_EXISTS: number;
    readonly NOT_EMPTY: number;
    readonly NO_CHILDREN_FOR_EPHEMERALS: number;
  };
}
