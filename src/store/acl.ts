/**
 * Access control: what a client may write into an ACL, and what an ACL allows whom. Schemes are
 * those of a server with nothing configured: world, digest, ip (with a prefix length), auth, and
 * super, which no ACL may name.
 */

import { type Acl, type Identity, OPEN_ACL, Perm } from '../base/acl.ts';
import { isOpen } from './acl-table.ts';
import { isInRange, parseIpRange } from './ip-range.ts';
import { grantedPerms, LONG_ACL_LENGTH } from './long-acl.ts';

/**
 * The ACL to store for what a client asked for: duplicates dropped, `auth` replaced by the client's
 * own identities. undefined when it is empty or an entry is not valid (InvalidACL).
 */
export function expandAcl(
  acl: readonly Acl[] | null,
  identities: readonly Identity[],
): readonly Acl[] | undefined {
  if (acl === null || acl.length === 0) return undefined;
  if (isOpen(acl)) return OPEN_ACL;
  const expanded: Acl[] = [];
  const known = acl.length < LONG_ACL_LENGTH ? undefined : new Set<string>();
  for (let at = 0; at < acl.length; at++) {
    const entry = acl[at];
    if (entry === undefined) continue;
    if (known === undefined ? isRepeated(acl, at, entry) : isKnown(known, entry)) continue;
    if (entry.scheme === 'auth') {
      if (!appendOwn(expanded, entry.perms, identities)) return undefined;
    } else if (isValidId(entry.scheme, entry.id)) {
      expanded.push(entry);
    } else {
      return undefined;
    }
  }
  return expanded;
}

/** How many characters of identities the entries of scheme `auth` in the list stand for. */
export function ownChars(asked: readonly Acl[] | null, identities: readonly Identity[]): number {
  let count = 0;
  for (const { scheme } of asked ?? []) if (scheme === 'auth') count += 1;
  if (count === 0) return 0;
  let chars = 0;
  for (const { scheme, id } of identities) if (isOwn(scheme)) chars += scheme.length + id.length;
  return count * chars;
}

/** Whether somebody with these identities has at least one of the `needed` permission bits. */
export function isAllowed(
  acl: readonly Acl[],
  needed: number,
  identities: readonly Identity[],
): boolean {
  if (acl === OPEN_ACL || acl.length === 0) return true;
  if (acl.length >= LONG_ACL_LENGTH) return (grantedPerms(acl, identities) & needed) !== 0;
  for (const identity of identities) if (identity.scheme === 'super') return true;
  for (const entry of acl) {
    if ((entry.perms & needed) === 0) continue;
    if (entry.scheme === 'world' && entry.id === 'anyone') return true;
    for (const identity of identities) {
      if (identity.scheme === entry.scheme && matches(entry, identity.id)) return true;
    }
  }
  return false;
}

/** The ACL as shown to somebody without the admin permission: digests without their hash. */
export function redactAcl(acl: readonly Acl[], identities: readonly Identity[]): readonly Acl[] {
  if (isAllowed(acl, Perm.admin, identities)) return acl;
  return acl.map((entry) => {
    const colon = entry.scheme === 'digest' ? entry.id.indexOf(':') : -1;
    return colon === -1 ? entry : { ...entry, id: `${entry.id.slice(0, colon)}:x` };
  });
}

function isRepeated(acl: readonly Acl[], at: number, entry: Acl): boolean {
  for (let before = 0; before < at; before++) {
    const other = acl[before];
    if (other === undefined || other.perms !== entry.perms) continue;
    if (other.scheme === entry.scheme && other.id === entry.id) return true;
  }
  return false;
}

/** As `isRepeated`, for lists too long to be looked through for each entry; it knows the entry then. */
function isKnown(known: Set<string>, { perms, scheme, id }: Acl): boolean {
  const size = known.size;
  known.add(`${perms},${scheme.length},${scheme}${id}`);
  return known.size === size;
}

/** Whether the identity was proved; an address or super power is no identity of that kind. */
function isOwn(scheme: string): boolean {
  return scheme === 'digest' || scheme === 'sasl' || scheme === 'x509';
}

/** Adds one entry per identity that was proved. */
function appendOwn(acl: Acl[], perms: number, identities: readonly Identity[]): boolean {
  let isAuthenticated = false;
  for (const { scheme, id } of identities) {
    if (!isOwn(scheme)) continue;
    acl.push({ perms, scheme, id });
    isAuthenticated = true;
  }
  return isAuthenticated;
}

function isValidId(scheme: string, id: string): boolean {
  switch (scheme) {
    case 'world':
      return id === 'anyone';
    case 'digest':
      return isValidDigestId(id);
    case 'ip':
      return parseIpRange(id) !== undefined;
    default:
      return false;
  }
}

/** `user:hash`, split as Java splits: colons at the end do not count, so `a:` has one part only. */
function isValidDigestId(id: string): boolean {
  let end = id.length;
  while (end > 0 && id[end - 1] === ':') end -= 1;
  const colon = id.indexOf(':');
  return colon !== -1 && colon < end && id.lastIndexOf(':', end - 1) === colon;
}

function matches(entry: Acl, id: string): boolean {
  if (entry.scheme !== 'ip') return entry.id === id;
  const range = parseIpRange(entry.id);
  return range !== undefined && isInRange(range, id);
}
