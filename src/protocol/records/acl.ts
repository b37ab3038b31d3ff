/**
 * Access control lists, and the reply of getACL.
 *
 *     acls        = vector<perms:int scheme:ustring id:ustring>
 *     GetACLReply = acls Stat
 *
 * A null scheme becomes the empty scheme: no provider has that name either, so both are an invalid
 * ACL. A null id is a marshalling error, save where the id is never looked at: without a scheme, and
 * with scheme `auth`, which replaces it. There it becomes the empty id.
 */

import type { Acl } from '../../base/acl.ts';
import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { decodeStat, encodeStat } from './stat.ts';

/** perms, and the lengths of two strings. */
const ACL_BYTES_MIN = 12;

export interface GetAclReply {
  readonly acl: readonly Acl[] | null;
  readonly stat: Stat;
}

/** Writes the vector; null is a null vector. */
export function encodeAcls(writer: JuteWriter, acls: readonly Acl[] | null): void {
  writer.writeInt(acls === null ? -1 : acls.length);
  if (acls === null) return;
  for (const acl of acls) {
    writer.writeInt(acl.perms);
    writer.writeString(acl.scheme);
    writer.writeString(acl.id);
  }
}

/** Part of a record: the caller looks at `reader.failed` when the record is read. */
export function readAcls(reader: JuteReader): readonly Acl[] | null {
  const count = reader.readCount(ACL_BYTES_MIN);
  if (count < 0) return null;
  const acls: Acl[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const perms = reader.readInt();
    const scheme = reader.readString() ?? '';
    const id = reader.readString();
    if (id === null && scheme !== '' && scheme !== 'auth') reader.fail();
    acls.push({ perms, scheme, id: id ?? '' });
  }
  return acls;
}

export function encodeGetAclReply(writer: JuteWriter, acl: readonly Acl[], stat: Stat): void {
  encodeAcls(writer, acl);
  encodeStat(writer, stat);
}

export function decodeGetAclReply(reader: JuteReader): GetAclReply | undefined {
  const acl = readAcls(reader);
  const stat = decodeStat(reader);
  return stat === undefined ? undefined : { acl, stat };
}
