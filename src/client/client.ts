/** The client: a session on a ZooKeeper service, and every operation it offers. */

import type { Acl } from '../base/acl.ts';
import type { SessionId } from '../base/ids.ts';
import type { Stat } from '../base/stat.ts';
import type { Address } from '../runtime/runtime.ts';
import {
  type ClientOptions,
  type ClientRuntime,
  type ClientSettings,
  type SessionCredentials,
  settingsOf,
} from './client-options.ts';
import {
  ClientWatches,
  type RemoveWatchesOptions,
  type WatchOptions,
  type WatchType,
} from './client-watches.ts';
import { createDefaultRuntime } from './default-runtime.ts';
import type { Watch } from './lasting-watches.ts';
import { Multi, type MultiHost } from './multi.ts';
import { MultiRead } from './multi-read.ts';
import type {
  Abortable,
  Children,
  ChildrenOptions,
  ClientIdentity,
  CreatedNode,
  CreateOptions,
  Data,
  NodeAcl,
  NodeData,
  ReadOptions,
  Reconfiguration,
  VersionOptions,
} from './node-types.ts';
import {
  childrenCall,
  childrenStatCall,
  existsCall,
  getAclCall,
  getAllChildrenNumberCall,
  getCall,
  getEphemeralsCall,
  type ReadScope,
  syncCall,
  whoAmICall,
} from './read-calls.ts';
import { Session } from './session.ts';
import { startSession } from './session-start.ts';
import type { ClientEvents, ClientState } from './session-state.ts';
import { authCall } from './watch-calls.ts';
import type { WatchListener } from './watch-event.ts';
import type { WatchIterator } from './watch-iterator.ts';
import type { WatchKind } from './watch-registry.ts';
import {
  closeCall,
  createCall,
  createChange,
  deleteCall,
  deleteChange,
  reconfigCall,
  setAclCall,
  setCall,
  setChange,
} from './write-calls.ts';

/** Where an ensemble keeps its members, whatever the chroot. */
const CONFIG_PATH = '/zookeeper/config';
export interface CloseOptions {
  /** False leaves the session, with its ephemeral nodes, to its timeout or to whoever resumes it. Default true. */
  readonly closeSession?: boolean | undefined;
}

/**
 * Makes a client and waits for its session. Rejects with a `KeeperError`: `CONNECTION_LOSS` when no
 * server gave one in `connectTimeoutMs` (`cause`: the last reason), `SESSION_EXPIRED` when `session`
 * is no more, `AUTH_FAILED`, `BAD_ARGUMENTS`.
 *
 *     await using client = await connect({ hosts: '127.0.0.1:2181' });
 *     await client.create('/hello', 'world', { mode: 'ephemeral' });
 */
export async function connect(options: ClientOptions): Promise<Client> {
  const client = new Client(options);
  await client.connect();
  return client;
}

/**
 * Operations may be asked for at any time and in any number; they are sent in their order, several to
 * a packet, and answered in their order. Each rejects with a `KeeperError`.
 */
export class Client {
  readonly #settings: ClientSettings;
  readonly #runtime: ClientRuntime;
  readonly #session: Session;
  readonly #watches: ClientWatches;
  readonly #multiHost: MultiHost;

  /** Connects to nothing yet; operations wait for `connect`. Throws `BAD_ARGUMENTS`. */
  constructor(options: ClientOptions) {
    this.#settings = settingsOf(options);
    this.#runtime = options.runtime ?? createDefaultRuntime();
    this.#session = new Session(this.#runtime, this.#settings);
    this.#watches = new ClientWatches(this.#session, this.#settings.chroot);
    this.#multiHost = {
      chroot: this.#settings.chroot,
      ask: (call, signal) => this.#session.ask(call, signal),
    };
  }

  // Session ---------------------------------------------------------------------------------------

  get state(): ClientState {
    return this.#session.state;
  }

  /** There is a connection, and the session was alive a moment ago. */
  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  /** 0 before the first connection; format it with `sessionIdHex`. */
  get sessionId(): SessionId {
    return this.#session.sessionId;
  }

  /** What another client needs to resume this session: pass it as the option `session`. */
  get session(): SessionCredentials {
    return { id: this.#session.sessionId, password: new Uint8Array(this.#session.password) };
  }

  /** As agreed with the server; before the first connection, as asked for. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  /** The server on the connection; undefined without one. */
  get server(): Address | undefined {
    return this.#session.server;
  }

  get chroot(): string {
    return this.#settings.chroot.path;
  }

  /** Of the last change this client has seen. No server will show it an older state. */
  get lastZxid(): number {
    return this.#session.lastZxid;
  }

  /** Operations asked for and not answered. */
  get outstandingCount(): number {
    return this.#session.outstandingCount;
  }

  /** Listeners of watches that may still fire. */
  get watchCount(): number {
    return this.#session.watches.count;
  }

  /** Resolves when there is a session; rejects as the function `connect` does, and ends the client. */
  connect(): Promise<void> {
    return startSession(this.#session, this.#runtime.timers, this.#settings.connectTimeoutMs);
  }

  /** Calls the listener each time; in order with replies and watch events. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (payload: ClientEvents[Name]) => void,
  ): this {
    this.#session.events.add(name, listener);
    return this;
  }

  once<Name extends keyof ClientEvents>(
    name: Name,
    listener: (payload: ClientEvents[Name]) => void,
  ): this {
    this.#session.events.add(name, listener, true);
    return this;
  }

  off<Name extends keyof ClientEvents>(
    name: Name,
    listener: (payload: ClientEvents[Name]) => void,
  ): this {
    this.#session.events.remove(name, listener);
    return this;
  }

  /**
   * Ends session and client when what was asked before is answered. Without a connection the session
   * is left to its timeout. Never rejects; watches and iterators end.
   */
  close({ closeSession = true }: CloseOptions = {}): Promise<void> {
    const session = this.#session;
    if (session.isOver) return Promise.resolve();
    const closed = new Promise<void>((resolve) => {
      this.on('state', () => {
        if (session.isOver) resolve();
      });
    });
    session.close(closeCall(), closeSession);
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Adds an identity to this and every later connection. A refusal ends the client (`authFailed`). */
  addAuth(scheme: string, auth: Uint8Array | string): Promise<void> {
    const credentials = { scheme, auth };
    this.#session.addCredentials(credentials);
    return this.#session.ask(authCall(credentials));
  }

  /** Who the server takes this connection for. Servers from 3.7 on. */
  whoAmI({ signal }: Abortable = {}): Promise<ClientIdentity[]> {
    return this.#session.ask(whoAmICall(), signal);
  }

  // Changing --------------------------------------------------------------------------------------

  /** The path created, with the number a sequential node was given; with `stat: true` also its stat. */
  create(
    path: string,
    data: Data | undefined,
    options: CreateOptions & { readonly stat: true },
  ): Promise<CreatedNode>;
  create(
    path: string,
    data?: Data,
    options?: CreateOptions & { readonly stat?: false | undefined },
  ): Promise<string>;
  create(
    path: string,
    data: Data = '',
    options: CreateOptions = {},
  ): Promise<CreatedNode | string> {
    const { chroot } = this.#settings;
    const wantsStat = options.stat === true;
    const change = createChange(chroot, path, data, options, wantsStat);
    return this.#session.ask(createCall(chroot, change, wantsStat), options.signal);
  }

  set(path: string, data: Data, { version, signal }: VersionOptions = {}): Promise<Stat> {
    return this.#session.ask(
      setCall(setChange(this.#settings.chroot, path, data, version)),
      signal,
    );
  }

  /** Only nodes without children can be deleted. */
  delete(path: string, { version, signal }: VersionOptions = {}): Promise<void> {
    return this.#session.ask(
      deleteCall(deleteChange(this.#settings.chroot, path, version)),
      signal,
    );
  }

  /** `version` is the ACL's own (`aversion`). */
  setAcl(
    path: string,
    acl: readonly Acl[],
    { version, signal }: VersionOptions = {},
  ): Promise<Stat> {
    return this.#session.ask(setAclCall(this.#settings.chroot, path, acl, version), signal);
  }

  /** A transaction: add operations, then `commit`. */
  multi(): Multi {
    return new Multi(this.#multiHost);
  }

  // Reading ---------------------------------------------------------------------------------------

  get(path: string, { watch, signal }: ReadOptions = {}): Promise<NodeData> {
    return this.#session.ask(getCall(this.#reading(path, watch, 'data')), signal);
  }

  /** Undefined when there is no such node; then `watch` waits for it to be created. */
  exists(path: string, { watch, signal }: ReadOptions = {}): Promise<Stat | undefined> {
    return this.#session.ask(existsCall(this.#reading(path, watch, 'data', 'exist')), signal);
  }

  /** Names of the children, in no particular order; with `stat: true` also the node's stat. */
  children(path: string, options: ChildrenOptions & { readonly stat: true }): Promise<Children>;
  children(
    path: string,
    options?: ChildrenOptions & { readonly stat?: false | undefined },
  ): Promise<string[]>;
  children(
    path: string,
    { watch, stat, signal }: ChildrenOptions = {},
  ): Promise<Children | string[]> {
    const scope = this.#reading(path, watch, 'child');
    if (stat === true) return this.#session.ask(childrenStatCall(scope), signal);
    return this.#session.ask(childrenCall(scope), signal);
  }

  getAcl(path: string, { signal }: Abortable = {}): Promise<NodeAcl> {
    return this.#session.ask(getAclCall(path, this.#toServer(path)), signal);
  }

  /** Brings the server as far as the ensemble is now, so that reads behind it are up to date. */
  sync(path = '/', { signal }: Abortable = {}): Promise<void> {
    return this.#session.ask(syncCall(path, this.#toServer(path)), signal);
  }

  /** Paths of this session's ephemeral nodes that begin with this text. Servers from 3.6 on. */
  getEphemerals(prefix = '/', { signal }: Abortable = {}): Promise<string[]> {
    const { chroot } = this.#settings;
    const toClient = (path: string): string => chroot.toClient(path);
    const call = getEphemeralsCall(prefix, chroot.toServer(prefix), toClient);
    return this.#session.ask(call, signal);
  }

  /** How many nodes there are below, at all depths. Servers from 3.6 on. */
  getAllChildrenNumber(path: string, { signal }: Abortable = {}): Promise<number> {
    return this.#session.ask(getAllChildrenNumberCall(path, this.#toServer(path)), signal);
  }

  /** Several reads at one moment: add them, then `commit`. */
  multiRead(): MultiRead {
    return new MultiRead(this.#multiHost);
  }

  // The ensemble ----------------------------------------------------------------------------------

  /** The members of the ensemble, as text; the same node whatever the chroot. */
  getConfig({ watch, signal }: ReadOptions = {}): Promise<NodeData> {
    const scope = this.#watches.reading(CONFIG_PATH, CONFIG_PATH, watch, 'data');
    return this.#session.ask(getCall(scope), signal);
  }

  /** Changes the members, and resolves to the new configuration. */
  reconfig(change: Reconfiguration): Promise<NodeData> {
    return this.#session.ask(reconfigCall(change), change.signal);
  }

  // Watches ---------------------------------------------------------------------------------------

  /**
   * Watches a path until the loop over it is left, `signal` aborts (the loop then throws an
   * `AbortError`), or the client ends. Events wait until they are taken. It is asked for at once: what
   * is read behind this call and what the events say leaves no gap. Servers from 3.6 on.
   *
   *     for await (const { type, path } of client.watch('/config', { recursive: true })) ...
   */
  watch(path: string, options: WatchOptions = {}): WatchIterator {
    return this.#watches.iterate(path, options);
  }

  /** As `watch`, with a listener. Resolves when the server watches. */
  addWatch(
    path: string,
    listener: WatchListener,
    options: Pick<WatchOptions, 'recursive' | 'signal'> = {},
  ): Promise<Watch> {
    return this.#watches.listen(path, listener, options);
  }

  /**
   * Removes all watches of a type at a path, here and on the server; their owners are told, iterators
   * end. Rejects with `NO_WATCHER` when there is none. `persistent` and `recursive`: servers from 3.9 on.
   */
  removeWatches(
    path: string,
    type: WatchType = 'any',
    options: RemoveWatchesOptions = {},
  ): Promise<void> {
    return this.#watches.remove(path, type, options);
  }

  /** Whether the server has a watch of this type and connection at the path. */
  checkWatches(path: string, type: WatchType = 'any', options: Abortable = {}): Promise<boolean> {
    return this.#watches.check(path, type, options);
  }

  // Inside ----------------------------------------------------------------------------------------

  #toServer(path: string): string {
    return this.#settings.chroot.toServer(path);
  }

  #reading(
    path: string,
    watch: WatchListener | undefined,
    kind: WatchKind,
    absentKind?: WatchKind,
  ): ReadScope {
    return this.#watches.reading(path, this.#toServer(path), watch, kind, absentKind);
  }
}
