/** Access control lists as text. */

import { type Acl, OPEN_ACL, Perm } from '../../client/index.ts';

const LETTERS = [
  ['c', Perm.create],
  ['d', Perm.delete],
  ['r', Perm.read],
  ['w', Perm.write],
  ['a', Perm.admin],
] as const;

export interface ParsedAcl {
  readonly acl: readonly Acl[];
  /** What was not understood; the rest counts nevertheless. */
  readonly complaints: readonly string[];
}

/** Reads `scheme:id:perms,scheme:id:perms`; an id may hold colons. */
export function parseAcl(text: string): ParsedAcl {
  const acl: Acl[] = [];
  const complaints: string[] = [];
  for (const entry of text.split(',')) {
    const first = entry.indexOf(':');
    const last = entry.lastIndexOf(':');
    if (first === last) {
      complaints.push(`${entry} does not have the form scheme:id:perm`);
      continue;
    }
    let perms = 0;
    for (const letter of entry.slice(last + 1)) {
      const bit = LETTERS.find(([known]) => known === letter)?.[1];
      if (bit === undefined) complaints.push(`Unknown perm type: ${letter}`);
      else perms |= bit;
    }
    acl.push({ scheme: entry.slice(0, first), id: entry.slice(first + 1, last), perms });
  }
  return { acl, complaints };
}

export function permText(perms: number): string {
  return LETTERS.filter(([, bit]) => (perms & bit) !== 0)
    .map(([letter]) => letter)
    .join('');
}

/** As `parseAcl` reads it. */
export function aclEntryText({ scheme, id, perms }: Acl): string {
  return `${scheme}:${id}:${permText(perms)}`;
}

/** Two lines for an entry. */
export function aclLines(acl: readonly Acl[]): string[] {
  return acl.flatMap(({ scheme, id, perms }) => [`'${scheme},'${id}`, `: ${permText(perms)}`]);
}

export function isOpenAcl(acl: readonly Acl[]): boolean {
  return aclKey(acl) === aclKey(OPEN_ACL);
}

/** Equal for equal lists. */
export function aclKey(acl: readonly Acl[]): string {
  return acl.map(aclEntryText).join(',');
}

/**
 * Servers show `user:x` in place of a digest to those who may not administer the node: such an entry
 * must not be written back, for nobody would match it.
 */
export function isMasked({ scheme, id }: Acl): boolean {
  return scheme === 'digest' && id.endsWith(':x');
}
