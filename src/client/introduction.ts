/** What a new connection is told before anything else: who the client is, and what it watches. */

import { OpCode } from '../base/op-code.ts';
import type { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeAuthPacket } from '../protocol/records/auth.ts';
import { encodeRequestHeader, SpecialXid } from '../protocol/records/header.ts';
import {
  encodeSetWatches,
  encodeSetWatches2,
  type SetWatches2,
} from '../protocol/records/watch.ts';
import type { Credentials } from './client-options.ts';

/** Appends a frame; its reply has xid `SpecialXid.auth`. */
export function writeCredentials(writer: JuteWriter, credentials: Credentials): void {
  const mark = writer.beginFrame();
  encodeRequestHeader(writer, SpecialXid.auth, OpCode.auth);
  encodeCredentials(writer, credentials);
  writer.endFrame(mark);
}

export function encodeCredentials(writer: JuteWriter, { scheme, auth }: Credentials): void {
  const bytes = typeof auth === 'string' ? Buffer.from(auth, 'utf8') : auth;
  encodeAuthPacket(writer, { type: 0, scheme, auth: bytes });
}

/** Appends a frame that servers before 3.6 know too, if it can; its reply has xid `SpecialXid.setWatches`. */
export function writeWatches(writer: JuteWriter, lists: SetWatches2): void {
  const lastingCount = (lists.persistent?.length ?? 0) + (lists.recursive?.length ?? 0);
  const mark = writer.beginFrame();
  if (lastingCount > 0) {
    encodeRequestHeader(writer, SpecialXid.setWatches, OpCode.setWatches2);
    encodeSetWatches2(writer, lists);
  } else {
    encodeRequestHeader(writer, SpecialXid.setWatches, OpCode.setWatches);
    encodeSetWatches(writer, lists);
  }
  writer.endFrame(mark);
}
