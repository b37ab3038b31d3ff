/** Nodes as text, exactly as the original prints them, and as JSON. */

import { type Acl, type Stat, sessionIdHex, type Zxid, zxidHex } from '../../client/index.ts';
import { aclEntryText } from './acl-text.ts';

const HEX_ROW_BYTES = 16;
/** What a node is made as. */
export type NodeKind =
  | { readonly type: 'persistent' | 'ephemeral' | 'container' }
  | { readonly type: 'ttl'; readonly ttlMs: number };

/** Its session shows; containers and times to live do not: no server tells clients of them. */
export function isEphemeral({ ephemeralOwner }: Stat): boolean {
  return ephemeralOwner !== 0n;
}

export function statLines(stat: Stat): string[] {
  return [
    `cZxid = ${zxidHex(stat.czxid)}`,
    `ctime = ${dateText(stat.ctimeMs)}`,
    `mZxid = ${zxidHex(stat.mzxid)}`,
    `mtime = ${dateText(stat.mtimeMs)}`,
    `pZxid = ${zxidHex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${sessionIdHex(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ];
}

export function statJson(stat: Stat): Readonly<Record<string, unknown>> {
  return {
    czxid: zxidHex(stat.czxid),
    ctime: new Date(stat.ctimeMs).toISOString(),
    mzxid: zxidHex(stat.mzxid),
    mtime: new Date(stat.mtimeMs).toISOString(),
    pzxid: zxidHex(stat.pzxid),
    cversion: stat.cversion,
    version: stat.version,
    aversion: stat.aversion,
    ephemeralOwner: sessionIdHex(stat.ephemeralOwner),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}

export function aclJson(acl: readonly Acl[]): readonly string[] {
  return acl.map(aclEntryText);
}

/** `Sat Nov 21 01:42:48 UTC 2026`, in the zone of this machine. */
export function dateText(timeMs: number): string {
  const format = new Intl.DateTimeFormat('en-US', {
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    year: 'numeric',
  });
  const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const clock = `${part('hour')}:${part('minute')}:${part('second')}`;
  const day = `${part('weekday')} ${part('month')} ${part('day')}`;
  return `${day} ${clock} ${part('timeZoneName')} ${part('year')}`;
}

/** Data of a node as text; `null` where it was given none. */
export function dataText(data: Uint8Array | null): string {
  return data === null ? 'null' : new TextDecoder().decode(data);
}

/** `data`: text, if the bytes are UTF-8, or null; otherwise `dataBase64`. */
export function dataJson(data: Uint8Array | null): {
  readonly data?: string | null;
  readonly dataBase64?: string;
} {
  if (data === null) return { data: null };
  const text = utf8Text(data);
  return text === undefined ? { dataBase64: Buffer.from(data).toString('base64') } : { data: text };
}

/** Undefined for bytes that are not the UTF-8 of a text. */
export function utf8Text(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}

/** Rows of 16 bytes in hex and as text, in a frame. */
export function hexDump(data: Uint8Array): string[] {
  if (data.length === 0) return [''];
  const rule = `+--------+-------------------------------------------------+----------------+`;
  const lines = [
    '         +-------------------------------------------------+',
    '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
    rule,
  ];
  for (let at = 0; at < data.length; at += HEX_ROW_BYTES) {
    const row = Array.from(data.subarray(at, at + HEX_ROW_BYTES));
    const offset = at.toString(16).padStart(8, '0');
    const hex = row.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
    const text = row.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`|${offset}|${hex.padEnd(48)} |${text.join('').padEnd(HEX_ROW_BYTES)}|`);
  }
  return [...lines, rule];
}

export function eventLine(state: string, type: string, path: string | null, zxid?: Zxid): string {
  const suffix = zxid === undefined ? '' : ` zxid: ${zxid}`;
  return `WatchedEvent state:${state} type:${type} path:${path}${suffix}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** `1.5 KiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
