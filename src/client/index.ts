/** The client library: what programs that use a ZooKeeper service import. */

export { type Acl, OPEN_ACL, Perm } from '../base/acl.ts';
export { type SessionId, sessionIdHex, type Zxid, zxidHex } from '../base/ids.ts';
export { childPath, isValidPath, nodeName, parentPath } from '../base/path.ts';
export type { Stat } from '../base/stat.ts';
export type { Address } from '../runtime/runtime.ts';
export { Client, type CloseOptions, connect } from './client.ts';
export type {
  ClientOptions,
  ClientRuntime,
  Credentials,
  SessionCredentials,
} from './client-options.ts';
export type { RemoveWatchesOptions, WatchOptions, WatchType } from './client-watches.ts';
export { addressText, type ConnectString, parseConnectString } from './host-list.ts';
export {
  isKeeperError,
  KeeperError,
  type KeeperErrorCode,
} from './keeper-error.ts';
export type { Watch } from './lasting-watches.ts';
export {
  type CheckResult,
  type CreateResult,
  type DeleteResult,
  type Multi,
  MultiError,
  type MultiFailure,
  type MultiResult,
  type SetResult,
} from './multi.ts';
export type { MultiRead, ReadOutcome } from './multi-read.ts';
export type * from './node-types.ts';
export type {
  ClientEvents,
  ClientState,
  ConnectedEvent,
  DisconnectedEvent,
} from './session-state.ts';
export { deleteTree, ensurePath, listTree } from './tree.ts';
export type {
  NodeEvent,
  RearmedEvent,
  WatchEndedEvent,
  WatchEvent,
  WatchListener,
  WatchRemovedEvent,
} from './watch-event.ts';
export type { WatchedEvent, WatchIterator } from './watch-iterator.ts';
