/**
 * What stands in front of each member of a multi, and at its end, in requests and replies.
 *
 *     MultiHeader = type:int done:boolean err:int         9 bytes; at the end {-1, 1, -1}
 */

import type { JuteWriter } from '../jute-writer.ts';

export const MULTI_HEADER_BYTES = 9;

/** `error` is -1 in a request, the member's result in a reply. */
export function encodeMultiHeader(writer: JuteWriter, type: number, error: number): void {
  writer.writeInt(type);
  writer.writeBool(false);
  writer.writeInt(error);
}

export function encodeMultiEnd(writer: JuteWriter): void {
  writer.writeInt(-1);
  writer.writeBool(true);
  writer.writeInt(-1);
}
