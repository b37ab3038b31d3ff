/**
 * A change of the ensemble's membership.
 *
 *     ReconfigRequest = joining:ustring leaving:ustring newMembers:ustring curConfigId:long
 */

import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

export interface ReconfigRequest {
  readonly joining: string | null;
  readonly leaving: string | null;
  /** The whole new membership, instead of the other two. */
  readonly newMembers: string | null;
  /** Version that the change is for, a zxid; -1 for any. */
  readonly curConfigId: number;
}

export function encodeReconfig(writer: JuteWriter, request: ReconfigRequest): void {
  writer.writeString(request.joining);
  writer.writeString(request.leaving);
  writer.writeString(request.newMembers);
  writer.writeLong(request.curConfigId);
}

export function decodeReconfig(reader: JuteReader): ReconfigRequest | undefined {
  const joining = reader.readString();
  const leaving = reader.readString();
  const newMembers = reader.readString();
  const curConfigId = reader.readLong();
  return reader.failed ? undefined : { joining, leaving, newMembers, curConfigId };
}
