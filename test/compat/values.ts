/** Random arguments of requests: few names, so that operations meet, and everything that is refused. */

import type { Prng } from '../../src/base/prng.ts';
import { OPEN_ACL, type SentAcl } from './request.ts';

/** How a connection may watch a path. Versions differ in what two modes on one path mean. */
export type WatchMode = 'once' | 'persistent' | 'recursive';

const WATCH_MODES = ['once', 'once', 'persistent', 'recursive'] as const;
const NAMES = ['a', 'b', 'x'];
const SEQUENCE_MAX = 12;
const VERSIONS = [0, 0, 0, 1, 1, 2, 3, -2, 7, 0x7fff_ffff, -0x8000_0000];
const CREDENTIALS = ['alice:pw', 'bob:secret', 'alice:pw', 'carol', ':x', 'a:b:c', ''];

const INVALID_ACLS: readonly (readonly SentAcl[] | null)[] = [
  null,
  [],
  [{ perms: 31, scheme: null, id: 'anyone' }],
  [{ perms: 31, scheme: 'world', id: null }],
  [{ perms: 31, scheme: 'world', id: 'somebody' }],
  [{ perms: 31, scheme: 'digest', id: 'a' }],
  [{ perms: 31, scheme: 'digest', id: 'a:' }],
  [{ perms: 31, scheme: 'digest', id: 'a:b:c' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3.4/33' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3' }],
  [{ perms: 31, scheme: 'ip', id: '300.1.1.1' }],
  [{ perms: 31, scheme: 'ip', id: '1.2.3.4/' }],
  [{ perms: 31, scheme: 'ip', id: ' 1.2.3.4' }],
  [{ perms: 31, scheme: 'super', id: 'x' }],
  [{ perms: 31, scheme: 'sasl', id: 'x' }],
  [{ perms: 31, scheme: 'x509', id: 'CN=x' }],
  [{ perms: 31, scheme: '', id: '' }],
  [
    { perms: 31, scheme: 'world', id: 'anyone' },
    { perms: 1, scheme: 'nosuch', id: 'x' },
  ],
];

const RESTRICTED_ACLS: readonly (readonly SentAcl[])[] = [
  [{ perms: 1, scheme: 'world', id: 'anyone' }],
  [{ perms: 0, scheme: 'world', id: 'anyone' }],
  [{ perms: 30, scheme: 'world', id: 'anyone' }],
  [{ perms: -1, scheme: 'world', id: 'anyone' }],
  [{ perms: 64, scheme: 'world', id: 'anyone' }],
  [{ perms: 31, scheme: 'auth', id: '' }],
  [{ perms: 5, scheme: 'auth', id: null }],
  [{ perms: 31, scheme: 'digest', id: ':x' }],
  // The digests of alice:pw and bob:secret.
  [{ perms: 31, scheme: 'digest', id: 'alice:V55/p2T0OpjQ+low3NVAH4aLvm0=' }],
  [
    { perms: 3, scheme: 'digest', id: 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=' },
    { perms: 16, scheme: 'world', id: 'anyone' },
  ],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.0/8' }],
  [{ perms: 31, scheme: 'ip', id: '10.0.0.0/8' }],
  [{ perms: 31, scheme: 'ip', id: '0.0.0.0/0' }],
  [{ perms: 31, scheme: 'ip', id: '0127.0.+0.1' }],
  [{ perms: 31, scheme: 'ip', id: '127.0.0.1/+8' }],
  [
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 1, scheme: 'world', id: 'anyone' },
    { perms: 16, scheme: 'ip', id: '127.0.0.1/32' },
  ],
];

/** Draws arguments for requests below one root. */
export class Values {
  readonly prng: Prng;
  readonly root: string;
  readonly #special: readonly string[];

  /** `hasConfig`: the configuration's own node is alike on both servers. */
  constructor(prng: Prng, root: string, hasConfig: boolean) {
    this.prng = prng;
    this.root = root;
    const config = hasConfig ? ['/zookeeper/config'] : [];
    this.#special = ['/', '/zookeeper', '/zookeeper/quota', root, ...config];
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.prng.between(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** Paths of the first two levels below the root, parents first. */
  firstNodes(): string[] {
    const tops = NAMES.map((name) => `${this.root}/${name}`);
    return [...tops, ...tops.flatMap((top) => NAMES.map((name) => `${top}/${name}`))];
  }

  /** A path under the root, of a node that is often there. */
  node(): string {
    let path = this.root;
    const depth = this.pick([1, 1, 1, 2, 2, 2, 2, 3]);
    for (let level = 0; level < depth; level++) path += `/${this.pick(NAMES)}`;
    return this.prng.chance(0.08) ? `${path}/${this.#sequence()}` : path;
  }

  /** A path that is refused, missing, special or null. */
  strange(): string | null {
    const { root } = this;
    const spellings = ['', 'relative', '//', '/zookeeper/nothing', `${root}/`, `${root}//a`];
    const names = ['.', '..', '...', 'a\0b', '\u0001', '\u007f', '\u009f', '\ud83d\ude00'];
    const rare = ['\ue000', '\uf8ff', '\ufff0', '\u00e9\u4e2d', '\u00a0', ' ', 'n'.repeat(300)];
    const paths = [...spellings, ...[...names, ...rare].map((name) => `${root}/${name}`)];
    return this.pick([null, ...paths, `${root}/a/./b`, `${root}/a/../b`]);
  }

  /** A path to read: strange ones and the server's own nodes included. */
  readPath(): string | null {
    if (this.prng.chance(0.06)) return this.strange();
    return this.prng.chance(0.06) ? this.pick(this.#special) : this.node();
  }

  /** A path to write to. */
  writePath(): string | null {
    if (this.prng.chance(0.05)) return this.strange();
    return this.prng.chance(0.02) ? this.pick(['/zookeeper/config', '/zookeeper']) : this.node();
  }

  version(): number {
    return this.prng.chance(0.7) ? -1 : this.pick(VERSIONS);
  }

  data(): Uint8Array | null {
    const length = this.pick([0, 1, 5, 20, 200]);
    if (this.prng.chance(0.1)) return null;
    return Uint8Array.from({ length }, () => this.prng.between(0, 255));
  }

  /** Only nodes called x are ever closed to somebody: elsewhere nearly everything is allowed. */
  acl(path: string | null): readonly SentAcl[] | null {
    if (this.prng.chance(0.04)) return this.pick(INVALID_ACLS);
    if (path !== null && isRestricted(path) && this.prng.chance(0.6)) {
      return this.pick(RESTRICTED_ACLS);
    }
    return OPEN_ACL;
  }

  credentials(): string {
    return this.pick(CREDENTIALS);
  }

  /** How this connection watches this path, whenever it does. The same below every root. */
  watchMode(connection: number, path: string): WatchMode {
    let sum = connection * 3;
    const start = path.startsWith(this.root) ? this.root.length : 0;
    for (let at = start; at < path.length; at++) sum += path.charCodeAt(at) * (at + 1);
    return WATCH_MODES[sum % WATCH_MODES.length] ?? 'once';
  }

  #sequence(): string {
    const number = this.prng.between(0, SEQUENCE_MAX).toString().padStart(10, '0');
    return this.pick(['', 's-']) + number;
  }
}

/** Whether the node at a path may be closed to some connections. */
export function isRestricted(path: string): boolean {
  return path.endsWith('/x');
}
