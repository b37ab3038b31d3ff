/**
 * Long access control lists. Tens of thousands of entries fit into a request, and every request to
 * the node, each member of a multi too, asks what they allow: what they say is worked out once, and
 * what they grant whom is kept for whoever asks again.
 */

import type { Acl, Identity } from '../base/acl.ts';
import { covers, type IpRange, parseIpRange, parseRemoteIp } from './ip-range.ts';

/** From so many entries on a list is long. */
export const LONG_ACL_LENGTH = 16;
/** Every bit, those without a meaning too. */
const EVERYTHING = -1;

/** Lists are never changed, so what is known of one holds as long as the list is in use. */
const KNOWN = new WeakMap<readonly Acl[], LongAcl>();

/** All permission bits that the entries of the list grant somebody with these identities. */
export function grantedPerms(acl: readonly Acl[], identities: readonly Identity[]): number {
  let long = KNOWN.get(acl);
  if (long === undefined) {
    long = new LongAcl(acl);
    KNOWN.set(acl, long);
  }
  return long.granted(identities);
}

class LongAcl {
  readonly #entries: readonly Acl[];
  /** Of the entries of scheme ip, at the same positions. */
  readonly #ranges: readonly (IpRange | undefined)[];
  /** Who asked last, and the answer. */
  #identities: readonly Identity[] | undefined = undefined;
  #granted = 0;

  constructor(entries: readonly Acl[]) {
    this.#entries = entries;
    this.#ranges = entries.map(({ scheme, id }) =>
      scheme === 'ip' ? parseIpRange(id) : undefined,
    );
  }

  granted(identities: readonly Identity[]): number {
    if (identities !== this.#identities) {
      this.#granted = this.#grantedTo(identities);
      this.#identities = identities;
    }
    return this.#granted;
  }

  #grantedTo(identities: readonly Identity[]): number {
    const idsByScheme = new Map<string, Set<string>>([['world', new Set(['anyone'])]]);
    const addresses: (readonly number[])[] = [];
    for (const { scheme, id } of identities) {
      if (scheme === 'super') return EVERYTHING;
      const address = scheme === 'ip' ? parseRemoteIp(id) : undefined;
      if (address !== undefined) addresses.push(address);
      if (scheme === 'ip') continue;
      const ids = idsByScheme.get(scheme);
      if (ids === undefined) idsByScheme.set(scheme, new Set([id]));
      else ids.add(id);
    }
    let perms = 0;
    for (const [at, entry] of this.#entries.entries()) {
      const range = this.#ranges[at];
      const isGranted =
        range === undefined
          ? idsByScheme.get(entry.scheme)?.has(entry.id) === true
          : addresses.some((address) => covers(range, address));
      if (isGranted) perms |= entry.perms;
    }
    return perms;
  }
}
