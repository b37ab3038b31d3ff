/** Writes transactions as a log of the original's (`log-reader.ts` says how it looks). */

import { JuteWriter } from '../protocol/jute-writer.ts';
import { adler32 } from './adler32.ts';
import { END_OF_RECORD, LOG_HEADER_BYTES, LOG_MAGIC, LOG_VERSION } from './log-reader.ts';
import { encodeTxnRecord, type TxnRecord } from './txn-record.ts';

const FRAME_BYTES = 13;
const PAYLOAD_AT = 12;

/** The file in pieces that belong to the caller: the header, then a piece a record. */
export async function* writeLog(
  records: AsyncIterable<TxnRecord> | Iterable<TxnRecord>,
): AsyncGenerator<Uint8Array> {
  const writer = new JuteWriter();
  writer.writeInt(LOG_MAGIC);
  writer.writeInt(LOG_VERSION);
  writer.writeLong(0);
  const header = writer.take();
  yield header.subarray(0, LOG_HEADER_BYTES);
  for await (const record of records) yield encodeLogRecord(record);
}

/** One record with checksum, length and end mark. */
export function encodeLogRecord(record: TxnRecord): Uint8Array {
  const payload = encodeTxnRecord(record);
  const bytes = new Uint8Array(FRAME_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, adler32(payload));
  view.setInt32(8, payload.length);
  bytes.set(payload, PAYLOAD_AT);
  bytes[PAYLOAD_AT + payload.length] = END_OF_RECORD;
  return bytes;
}
