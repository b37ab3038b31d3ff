/**
 * The log store's one record of identity and promises. It is written in the same batch as whatever
 * it describes, so after any crash it tells the truth about the groups beside it.
 */

import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import type { EpochEnd } from '../base/epoch-table.ts';
import type { Epoch, ServerId, Zxid } from '../base/ids.ts';
import { EPOCH_MAX, makeEpoch, makeServerId, zxidEpoch } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import type { KeyValueStore } from '../runtime/runtime.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';
import { metaKey, NUMBER_MAX, viewOf } from './keyspace.ts';
import { StoreError } from './store-error.ts';

const FORMAT = 1;
const CRC_BYTES = 4;
/** By the number that stands for it on the disk. */
const STANDINGS: readonly Standing[] = ['whole', 'lost', 'new'];
const PLACE = 'log store, identity record';

export interface LogMeta {
  readonly serverId: ServerId;
  /** Hex; drawn when the store is created, so that a wiped server is not taken for its former self. */
  readonly incarnation: string;
  /** Hex; empty until the server has joined a cluster. */
  readonly clusterId: string;
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  /** End of the history; equal to `baseZxid` when no entry is retained. */
  readonly lastZxid: Zxid;
  /** Running checksum of all entries up to the last. */
  readonly lastChain: number;
  /** The history up to here is only in the state store: entries follow it, none is at or before it. */
  readonly baseZxid: Zxid;
  readonly baseChain: number;
  /** Ends of the history's epochs, ascending, trimmed entries included. */
  readonly epochs: readonly EpochEnd[];
  /** Generation of the state store that belongs to this log. */
  readonly generation: number;
  /** All up to here was known as committed when this was written; more may be. */
  readonly commitHint: Zxid;
  readonly standing: Standing;
}

/** Bytes of the record, owned by the caller. */
export function encodeLogMeta(meta: LogMeta): Uint8Array {
  const writer = new ByteWriter(192 + meta.epochs.length * 8);
  writer.u8(FORMAT);
  writer.u8(meta.serverId);
  writer.text(meta.incarnation);
  writer.text(meta.clusterId);
  writer.u32(meta.acceptedEpoch);
  writer.u32(meta.currentEpoch);
  writer.zxid(meta.lastZxid);
  writer.u32(meta.lastChain);
  writer.zxid(meta.baseZxid);
  writer.u32(meta.baseChain);
  writer.u32(meta.generation);
  writer.zxid(meta.commitHint);
  writer.u8(STANDINGS.indexOf(meta.standing));
  writer.u32(meta.epochs.length);
  for (const end of meta.epochs) writer.zxid(end.last);
  // The platform offers CRC-32 and not CRC-32C; either finds every burst up to 32 bits.
  writer.u32(crc32(writer.written()));
  return writer.written();
}

/**
 * Reads the record. undefined when there is none; rejects with a `StoreError` of code
 * `META_DAMAGED` or `FORMAT_UNKNOWN`.
 */
export async function readLogMeta(store: KeyValueStore): Promise<LogMeta | undefined> {
  const bytes = await store.get(metaKey());
  return bytes && decodeLogMeta(bytes);
}

function decodeLogMeta(bytes: Uint8Array): LogMeta {
  const end = bytes.length - CRC_BYTES;
  if (end < 1 || viewOf(bytes).getUint32(end) !== crc32(bytes.subarray(0, end))) {
    throw damaged('its checksum does not match');
  }
  const reader = new ByteReader(bytes.subarray(0, end));
  const format = reader.u8();
  if (format !== FORMAT) {
    throw new StoreError(
      'FORMAT_UNKNOWN',
      PLACE,
      `its format is ${format}, this version reads ${FORMAT}`,
      'start the version that wrote it, or a newer one',
    );
  }
  const meta: LogMeta = {
    serverId: makeServerId(reader.u8()),
    incarnation: reader.text(),
    clusterId: reader.text(),
    acceptedEpoch: readEpoch(reader),
    currentEpoch: readEpoch(reader),
    lastZxid: reader.zxid(),
    lastChain: reader.u32(),
    baseZxid: reader.zxid(),
    baseChain: reader.u32(),
    generation: reader.u32(),
    commitHint: reader.zxid(),
    standing: STANDINGS[reader.u8()] ?? 'lost',
    epochs: readEpochs(reader),
  };
  if (!reader.isIntact || reader.remaining !== 0) throw damaged('its fields do not fit its length');
  assertLogMeta(meta);
  return Object.freeze(meta);
}

/** What must hold of every record, before it is written and after it was read. */
export function assertLogMeta(meta: LogMeta): void {
  invariant(meta.currentEpoch <= meta.acceptedEpoch, 'current epoch was never accepted');
  invariant(
    zxidEpoch(meta.lastZxid) <= meta.acceptedEpoch,
    'history ends beyond the accepted epoch',
  );
  invariant(meta.baseZxid <= meta.lastZxid, 'log begins behind its end');
  invariant(
    meta.baseZxid !== meta.lastZxid || meta.baseChain === meta.lastChain,
    'chain of nothing',
  );
  invariant(meta.commitHint <= meta.lastZxid, 'commit hint beyond the history');
  invariant(meta.generation > 0 && meta.generation <= NUMBER_MAX, 'generation out of range');
  invariant((meta.epochs.at(-1)?.last ?? 0) === meta.lastZxid, 'epoch table ends elsewhere');
}

function readEpoch(reader: ByteReader): Epoch {
  const value = reader.u32();
  return makeEpoch(value <= EPOCH_MAX ? value : 0);
}

function readEpochs(reader: ByteReader): readonly EpochEnd[] {
  const count = reader.u32();
  const ends: EpochEnd[] = [];
  for (let i = 0; i < count && reader.isIntact; i++) {
    const last = reader.zxid();
    ends.push(Object.freeze({ epoch: zxidEpoch(last), last }));
  }
  return Object.freeze(ends);
}

function damaged(problem: string): StoreError {
  return new StoreError(
    'META_DAMAGED',
    PLACE,
    problem,
    'this server no longer knows what it promised: remove its data and let it join anew',
  );
}
