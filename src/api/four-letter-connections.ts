/** `srvr`, `stat` and `cons`: the server at a glance, and who is connected. */

import { sessionIdHex, zxidHex } from '../base/ids.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { BackendStatus, ServingMode } from './backend.ts';
import type { Connection } from './connection.ts';
import type { CommandSource } from './four-letter.ts';
import { javaAddress } from './remote-address.ts';

export function srvrText(source: CommandSource, mode: ServingMode, status: BackendStatus): string {
  return versionLines(source, mode) + summary(source, mode, status);
}

/** As `srvr`, with a short line per connection and an empty line behind the version. */
export function statText(source: CommandSource, mode: ServingMode, status: BackendStatus): string {
  let clients = 'Clients:\n';
  for (const connection of source.connections()) clients += `${briefLine(connection)})\n`;
  return `${versionLines(source, mode)}${clients}\n${summary(source, mode, status)}`;
}

/** The long form of every connection, then an empty line; without a session the short form. */
export function consText(source: CommandSource): string {
  let text = '';
  for (const connection of source.connections()) {
    text += `${briefLine(connection)}${sessionFields(connection)})\n`;
  }
  return `${text}\n`;
}

/** As the original counts, which has the root in its table under two names. */
export function shownNodeCount(tree: Pick<DataTree, 'nodeCount'>): number {
  return tree.nodeCount + 1;
}

/** Up to four decimals and always a point: `0.0`, `9.5`, `31.0725`. */
export function averageText(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

function versionLines(source: CommandSource, mode: ServingMode): string {
  const version = `Zookeeper version: ${source.options.report.version}\n`;
  if (mode !== 'read-only') return version;
  return `${version}READ-ONLY mode; serving only read-only clients\n`;
}

function summary(source: CommandSource, mode: ServingMode, status: BackendStatus): string {
  const { stats, backend } = source;
  const { minMs, averageMs, maxMs } = stats.latency;
  const { last, min, max } = status.proposalSizes;
  return (
    `Latency min/avg/max: ${minMs}/${averageText(averageMs)}/${maxMs}\n` +
    `Received: ${stats.packetsReceived}\n` +
    `Sent: ${stats.packetsSent}\n` +
    `Connections: ${source.connectionCount}\n` +
    `Outstanding: ${backend.outstandingCount}\n` +
    `Zxid: ${zxidHex(backend.lastZxid)}\n` +
    `Mode: ${mode}\n` +
    `Node count: ${shownNodeCount(backend.tree)}\n` +
    (mode === 'leader' ? `Proposal sizes last/min/max: ${last}/${min}/${max}\n` : '')
  );
}

/** Up to the closing bracket. */
function briefLine(connection: Connection): string {
  const { packetsReceived, packetsSent } = connection.stats;
  const address = javaAddress(connection.stream.remote);
  const interest = connection.interest.toString(16);
  const queued = connection.pendingCount;
  return ` ${address}[${interest}](queued=${queued},recved=${packetsReceived},sent=${packetsSent}`;
}

function sessionFields(connection: Connection): string {
  if (!connection.isOpen) return '';
  const { stats } = connection;
  const { minMs, averageMs, maxMs } = stats.latency;
  const lcxid = stats.lastCxid < 0 ? '' : `,lcxid=0x${stats.lastCxid.toString(16)}`;
  const lzxid = stats.lastZxid < 0 ? '0xffffffffffffffff' : `0x${stats.lastZxid.toString(16)}`;
  return (
    `,sid=${sessionIdHex(connection.sessionId)},lop=${stats.lastOperation}` +
    `,est=${Math.floor(stats.establishedMs)},to=${connection.sessionTimeoutMs}${lcxid}` +
    `,lzxid=${lzxid},lresp=${Math.floor(stats.lastResponseMs)},llat=${stats.lastLatencyMs}` +
    `,minlat=${minMs},avglat=${Math.floor(averageMs)},maxlat=${maxMs}`
  );
}
