/** Random requests. Which kinds are frequent differs from program to program. */

import { OpCode } from '../../src/base/op-code.ts';
import {
  auth,
  create,
  cut,
  empty,
  type Member,
  multi,
  OPEN_ACL,
  padded,
  pathOnly,
  type Request,
  reconfig,
  sasl,
  setAcl,
  setData,
  setWatches,
  versioned,
  watchedRead,
  watchRequest,
} from './request.ts';
import { isRestricted, type Values } from './values.ts';

type Make = (connection: number) => readonly Request[];

/** Long enough that nothing expires while a run lasts. */
const TTL_MS = 1_000_000_000;
const READS = [OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2];
const UNKNOWN_TYPES = [10, 23, 99, 108, 1000, -2, 0, -1];

export class RequestSource {
  readonly #values: Values;
  readonly #without: readonly number[];
  readonly #kinds: Make[] = [];
  /** Quotas are set in this program, and enforced. */
  readonly hasQuotas: boolean;

  /** `without`: types of requests to leave out. */
  constructor(values: Values, without: readonly number[]) {
    this.#values = values;
    this.#without = without;
    const kinds: readonly (readonly [number, Make])[] = [
      [24, () => [this.#create()]],
      [4, () => [this.#delete()]],
      [10, () => [this.#setData()]],
      [5, () => [this.#setAcl()]],
      [24, (connection) => [this.#read(connection)]],
      [4, () => [pathOnly(OpCode.getAcl, values.readPath())]],
      [2, () => [pathOnly(OpCode.sync, values.readPath())]],
      [2, () => [empty(OpCode.ping)]],
      [8, () => [this.#multi()]],
      [3, () => [this.#multiRead()]],
      [4, (connection) => [this.#addWatch(connection)]],
      [3, (connection) => [this.#removeWatches(connection)]],
      [2, () => [this.#checkWatches()]],
      [3, (connection) => [this.#setWatches(connection)]],
      [2, () => [pathOnly(OpCode.getEphemerals, this.#prefix())]],
      [2, () => [pathOnly(OpCode.getAllChildrenNumber, this.#countedPath())]],
      [1, () => [empty(OpCode.whoAmI)]],
      [1, () => [pathOnly(OpCode.deleteContainer, values.strange())]],
      [1, () => [reconfig(values.pick([null, '', 'server.5=h:1:2;3']), null, null)]],
      [3, (connection) => [this.#broken(connection)]],
    ];
    for (const [weight, make] of kinds) {
      const count = weight * values.pick([0, 1, 1, 3]);
      for (let i = 0; i < count; i++) this.#kinds.push(make);
    }
    this.#kinds.push(() => [this.#create()]);
    this.hasQuotas = values.prng.chance(0.2);
    if (this.hasQuotas) this.#kinds.push(...Array(8).fill(() => this.#quota()));
  }

  /** What every program begins with: its root, and something below it. */
  beginning(): Request[] {
    const paths = [this.#values.root, ...this.#values.firstNodes()];
    return paths.map((path) => create(OpCode.create, path, null, OPEN_ACL, 0));
  }

  /** Usually one request; several where one makes little sense alone. */
  next(connection: number): readonly Request[] {
    const made = this.#values
      .pick(this.#kinds)(connection)
      .filter((one) => this.#isWanted(one));
    const isPadded = this.#values.prng.chance(0.02);
    return isPadded ? made.map((one) => (one.isBroken ? one : padded(one))) : made;
  }

  /** A request that may overtake others or ends the connection: sent when nothing else is under way. */
  alone(): Request {
    const request = this.#alone();
    return this.#isWanted(request) ? request : empty(OpCode.ping);
  }

  #isWanted({ type, members }: Request): boolean {
    return !this.#without.some((left) => left === type || members.includes(left));
  }

  #alone(): Request {
    const values = this.#values;
    const good = values.pick(['digest', 'digest', 'digest', 'digest', 'ip']);
    switch (values.prng.between(0, 9)) {
      case 0:
        return empty(values.pick(UNKNOWN_TYPES), { closes: true });
      case 1:
        return { ...auth(values.pick(['world', 'sasl', 'nosuch', null]), 'x'), closes: true };
      case 2:
        return { ...auth('digest', null), closes: true };
      case 3:
        return sasl(values.data());
      case 4:
        return empty(OpCode.closeSession, { closes: true });
      case 5:
        if (values.prng.chance(0.3)) return { ...cut(sasl(values.data()), 1), closes: true };
        return { ...cut(auth('digest', 'alice:pw'), values.prng.between(1, 12)), closes: true };
      default:
        return auth(good, values.credentials());
    }
  }

  #create(): Request {
    const { prng } = this.#values;
    const path = this.#values.writePath();
    const data = this.#values.data();
    const acl = this.#values.acl(path);
    const type = this.#values.pick([OpCode.create, OpCode.create, OpCode.create2, 19, 21]);
    const isContainer = type === OpCode.createContainer;
    if (type === OpCode.createTtl) {
      const flags = this.#values.pick([5, 5, 5, 6, 0, 4, 9]);
      // Other flags with a negative ttl pass the original's checks, and then it cannot apply them.
      const wrong = flags === 5 || flags === 6 ? [0, -1, -5, 0x100_0000_0000] : [0, TTL_MS];
      const ttlMs = this.#values.pick([TTL_MS, TTL_MS, TTL_MS, 0xff_ffff_ffff, ...wrong]);
      return create(type, this.#named(path, flags), data, acl, flags, ttlMs);
    }
    const usual = isContainer ? [4, 4, 4, 0, 2] : [0, 0, 0, 0, 1, 1, 2, 3];
    const flags = prng.chance(0.06)
      ? this.#values.pick([-1, 4, 5, 6, 7, 99])
      : this.#values.pick(usual);
    return create(type, this.#named(path, flags), data, acl, flags);
  }

  /** Sequential nodes are called by their number alone, or by a prefix and the number. */
  #named(path: string | null, flags: number): string | null {
    const isSequential = flags === 2 || flags === 3 || flags === 6;
    if (path === null || !isSequential) return path;
    return this.#values.pick([`${path}/`, `${path}/s-`, `${path}/..`, path]);
  }

  #delete(): Request {
    const values = this.#values;
    const special = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'];
    const path = values.prng.chance(0.04) ? values.pick(special) : values.writePath();
    return versioned(OpCode.delete, path, values.version());
  }

  #setData(): Request {
    const values = this.#values;
    const path = values.prng.chance(0.03) ? values.root : values.writePath();
    return setData(path, values.data(), values.version());
  }

  #setAcl(): Request {
    const path = this.#values.writePath();
    return setAcl(path, this.#values.acl(path), this.#values.version());
  }

  #read(connection: number): Request {
    const type = this.#values.pick(READS);
    const path = this.#values.readPath();
    const mayWatch = path !== null && this.#values.watchMode(connection, path) === 'once';
    // Whether exists leaves a watch on a node that may not be read differs between versions.
    const isOpen = path !== null && !(type === OpCode.exists && isRestricted(path));
    const watch = mayWatch && isOpen && this.#values.prng.chance(0.4);
    return watchedRead(type, path, watch);
  }

  #multi(): Request {
    const { prng } = this.#values;
    const count = this.#values.pick([0, 1, 1, 2, 2, 2, 3, 3, 8]);
    const members = Array.from({ length: count }, () => this.#member());
    if (prng.chance(0.05)) members.push(this.#foreignMember());
    // What such a member leaves behind of those in front of it is seen by whoever comes next.
    const harmless = members.filter((member, at) => at === 0 || !isThrownAt(member));
    return multi(OpCode.multi, harmless, !prng.chance(0.03));
  }

  #member(): Member {
    const values = this.#values;
    // A wrong member undoes all others, so most are right.
    const path = values.prng.chance(0.03) ? values.writePath() : values.node();
    const version = values.prng.chance(0.7) ? -1 : values.version();
    const acl = values.acl(path);
    switch (values.prng.between(0, 9)) {
      case 0:
        return versioned(OpCode.delete, path, version);
      case 1:
      case 2:
      case 3:
        return setData(path, values.data(), version);
      case 4:
        return versioned(OpCode.check, path, version);
      case 5:
        return create(OpCode.createContainer, path, values.data(), acl, 4);
      case 6: {
        const flags = values.pick([5, 6, 6]);
        const name = this.#named(path, flags);
        return create(OpCode.createTtl, name, values.data(), acl, flags, TTL_MS);
      }
      default: {
        const odd = values.prng.chance(0.06);
        const flags = values.pick(odd ? [5, 9] : [0, 0, 1, 2, 2, 2, 3, 3, 4]);
        const type = values.pick([OpCode.create, OpCode.create, OpCode.create2]);
        return create(type, this.#named(path, flags), values.data(), acl, flags);
      }
    }
  }

  /** What may not be in a multi. */
  #foreignMember(): Member {
    const values = this.#values;
    const path = values.node();
    switch (values.prng.between(0, 3)) {
      case 0:
        return setAcl(path, OPEN_ACL, -1);
      case 1:
        return watchedRead(OpCode.getData, path, false);
      case 2:
        return pathOnly(OpCode.deleteContainer, path);
      default:
        return { ...versioned(OpCode.delete, path, -1), type: 77 };
    }
  }

  #multiRead(): Request {
    const values = this.#values;
    const types = values.prng.chance(0.05) ? [...READS, OpCode.delete] : [OpCode.getData, 8];
    const members = Array.from({ length: values.prng.between(0, 5) }, () =>
      watchedRead(values.pick(types), values.readPath(), false),
    );
    return multi(OpCode.multiRead, members, !values.prng.chance(0.03));
  }

  /** On each path a connection has watches of one mode: what several mean together differs by version. */
  #addWatch(connection: number): Request {
    const values = this.#values;
    const path = values.readPath() ?? values.root;
    const mode = this.#values.watchMode(connection, path);
    const wrong = values.pick([2, -1, 7]);
    const kind = mode === 'once' ? wrong : mode === 'persistent' ? 0 : 1;
    return watchRequest(OpCode.addWatch, path, kind);
  }

  #removeWatches(connection: number): Request {
    const values = this.#values;
    const path = values.readPath();
    const isOnce = path === null || this.#values.watchMode(connection, path) === 'once';
    const kind = values.pick(isOnce ? [1, 2, 3, 3, 0, 6, 4, 5] : [3]);
    return watchRequest(OpCode.removeWatches, path, kind);
  }

  #checkWatches(): Request {
    const values = this.#values;
    const path = values.readPath();
    const kind = values.pick([1, 2, 3, 3, 4, 5, 0, 6]);
    return watchRequest(OpCode.checkWatches, path, kind);
  }

  #setWatches(connection: number): Request {
    const values = this.#values;
    const type = values.pick([OpCode.setWatches, OpCode.setWatches2]);
    const list = (mode: string): readonly string[] | null => {
      if (values.prng.chance(0.03)) return null;
      const paths = Array.from({ length: values.prng.between(0, 4) }, () => values.node());
      return paths.filter((path) => values.watchMode(connection, path) === mode);
    };
    const lists = [list('once'), list('once'), list('once')];
    if (type === OpCode.setWatches2) lists.push(list('persistent'), list('recursive'));
    return setWatches(type, lists, values.prng.between(0, 60));
  }

  #prefix(): string | null {
    const values = this.#values;
    return values.pick([null, '', ' ', '/', values.root, values.node(), `${values.root}/a`]);
  }

  #countedPath(): string | null {
    const values = this.#values;
    return values.prng.chance(0.1) ? '/' : values.readPath();
  }

  /** A quota appears, is read, changes or goes. The limits are never created at the very top. */
  #quota(): readonly Request[] {
    const values = this.#values;
    const { root } = values;
    const place = `/zookeeper/quota${root}`;
    const node = `${place}/${values.pick(['a', 'b'])}`;
    const limits = `${node}/zookeeper_limits`;
    const stats = `${node}/zookeeper_stats`;
    const text = values.pick([
      'count=3,bytes=-1',
      'count=-1,bytes=50',
      'count=2,bytes=10=;byteHardLimit=300;countHardLimit=6',
      'countHardLimit=5;byteHardLimit=-1',
    ]);
    const make = (path: string, data: string): Request =>
      create(OpCode.create, path, Buffer.from(data), OPEN_ACL, 0);
    switch (values.prng.between(0, 4)) {
      case 0:
      case 1:
        return [make(place, ''), make(node, ''), make(limits, text), make(stats, '')];
      case 2:
        return [setData(limits, Buffer.from(text), -1)];
      case 3:
        return [versioned(OpCode.delete, limits, -1), versioned(OpCode.delete, stats, -1)];
      default:
        return [watchedRead(OpCode.getData, stats, false)];
    }
  }

  /** A record that ends too early. */
  #broken(connection: number): Request {
    const { prng } = this.#values;
    const makes: readonly (() => Request)[] = [
      () => this.#create(),
      () => this.#delete(),
      () => this.#setData(),
      () => this.#setAcl(),
      () => this.#read(connection),
      () => this.#multi(),
      () => this.#multiRead(),
      () => this.#addWatch(connection),
      () => pathOnly(OpCode.getAcl, this.#values.readPath()),
      () => pathOnly(OpCode.sync, this.#values.readPath()),
      () => reconfig(null, null, null),
    ];
    const whole = this.#values.pick(makes)();
    if (whole.body.length === 0) return whole;
    return cut(whole, prng.between(1, Math.min(40, whole.body.length)));
  }
}

/** The original stumbles over this member of a multi while it carries it out: it does not refuse it. */
function isThrownAt({ type, text }: Member): boolean {
  if (/^\w+ null /.test(text) || text.includes(' world:null')) return true;
  return type !== OpCode.createTtl && / flags [56] /.test(text);
}
