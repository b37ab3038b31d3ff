/** The npm package zookeeper, a binding to the C library, and the part of it that the tests use. It is compiled when it is installed, so it is not among the packages that everybody installs. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export interface NativeStat {
  readonly version: number;
  readonly aversion: number;
  readonly dataLength: number;
  readonly numChildren: number;
  /** Hexadecimal, with leading zeros. */
  readonly ephemeralOwner: string;
}

export interface NativeAcl {
  readonly perms: number;
  readonly scheme: string;
  readonly auth: string;
}

export type NativeWatcher = (type: number, state: number, path: string) => void;

/** A session. Requests that are refused reject with an error whose message begins with the code. */
export interface NativeSession {
  readonly client_id: string;
  readonly client_password: string;
  readonly timeout: number;
  init(options: Readonly<Record<string, unknown>>): this;
  once(event: 'connect' | 'close', listener: () => void): void;
  close(): void;
  add_auth(scheme: string, identity: string, done: (code: number) => void): void;
  mkdirp(path: string, done: (error: Error | null) => void): void;
  create(path: string, data: string | Buffer, flags: number, ttlMs?: number): Promise<string>;
  exists(path: string, watch: boolean): Promise<NativeStat>;
  w_exists(path: string, watcher: NativeWatcher): Promise<NativeStat>;
  get(path: string, watch: boolean): Promise<[stat: NativeStat, data: Buffer]>;
  w_get(path: string, watcher: NativeWatcher): Promise<[stat: NativeStat, data: Buffer]>;
  get_children(path: string, watch: boolean): Promise<string[]>;
  w_get_children(path: string, watcher: NativeWatcher): Promise<string[]>;
  get_children2(path: string, watch: boolean): Promise<[names: string[], stat: NativeStat]>;
  set(path: string, data: string | Buffer, version: number): Promise<NativeStat>;
  delete_(path: string, version: number): Promise<unknown>;
  get_acl(path: string): Promise<[acl: NativeAcl[], stat: NativeStat]>;
  set_acl(path: string, version: number, acl: readonly NativeAcl[]): Promise<unknown>;
  sync(path: string): Promise<unknown>;
  getconfig(watch: boolean): Promise<[stat: NativeStat, data: Buffer]>;
  reconfig(joining: string, leaving: string, members: string, version: number): Promise<unknown>;
}

export interface NativePackage {
  new (): NativeSession;
  readonly constants: Readonly<Record<string, number>>;
}

const DIRECTORY = path.resolve('test/interop/native');
const IS_BUILT = existsSync(path.join(DIRECTORY, 'node_modules/zookeeper/build/zookeeper.node'));

/** Why the package cannot be used; false when it can. */
export const NATIVE_SKIP = IS_BUILT
  ? false
  : 'the npm package zookeeper is not built: npm ci --prefix test/interop/native';

/** Throws when the package is not built. */
export function loadNativePackage(): NativePackage {
  const load = createRequire(path.join(DIRECTORY, 'package.json'));
  return load('zookeeper') as NativePackage;
}
