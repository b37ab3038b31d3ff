/** Counters of a server and of its connections, as the four-letter words print them. */

import { OpCode } from '../base/op-code.ts';
import { PercentileSummary } from '../base/summary.ts';

/** Latencies in whole milliseconds, from a request's frame to its reply. */
export class LatencyStats {
  #count = 0;
  #totalMs = 0;
  #minMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get minMs(): number {
    return this.#minMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get averageMs(): number {
    return this.#count === 0 ? 0 : this.#totalMs / this.#count;
  }

  record(latencyMs: number): void {
    this.#minMs = this.#count === 0 ? latencyMs : Math.min(this.#minMs, latencyMs);
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
    this.#totalMs += latencyMs;
    this.#count += 1;
  }

  reset(): void {
    this.#count = 0;
    this.#totalMs = 0;
    this.#minMs = 0;
    this.#maxMs = 0;
  }
}

/** Counters that only grow; each appears in `mntr` under the name given beside it. */
export interface ServerCounters {
  /** connection_request_count: handshakes begun. */
  connectionRequests: number;
  /** connection_rejected: connections refused for being too many, in all or from one address. */
  connectionsRejected: number;
  /** connection_drop_count: connections this server ended on its own account. */
  connectionsDropped: number;
  /** sessionless_connections_expired: connections that never finished their handshake. */
  sessionlessExpired: number;
  /** sessionless_connections_dropped: those without a session that made room for newer ones. */
  sessionlessDropped: number;
  /** greedy_clients_dropped: those that held most when all together held too much memory. */
  greedyDropped: number;
  /** cnxn_closed_without_zk_server_running: handshakes while nobody was served. */
  closedWhileNotServing: number;
  /** large_requests_rejected: frames announced as longer than allowed. */
  requestsTooLong: number;
  /** large_replies_rejected: answers longer than any may be. Ours, as the next ones are. */
  repliesTooLong: number;
  /** watches_rejected: requests that would have set one watch too many. */
  watchesRefused: number;
  /** slow_clients_dropped: connections cut off for not reading what they had asked for. */
  slowClientsDropped: number;
  /** request_throttle_wait_count: times a connection was not read because too much was in work. */
  throttleWaits: number;
  /** throttled_ops: requests that had waited so long that they were refused. */
  throttledOps: number;
  /** auth_failed_count */
  authFailures: number;
  /** bytes_received_count */
  bytesReceived: number;
  /** response_bytes */
  responseBytes: number;
  /** watch_bytes */
  watchBytes: number;
}

export class ServerStats {
  readonly latency = new LatencyStats();
  /** Of requests without a transaction, and of those with one; `srst` leaves both alone. */
  readonly readLatency = new PercentileSummary();
  readonly updateLatency = new PercentileSummary();
  readonly counters: ServerCounters = {
    connectionRequests: 0,
    connectionsRejected: 0,
    connectionsDropped: 0,
    sessionlessExpired: 0,
    sessionlessDropped: 0,
    greedyDropped: 0,
    closedWhileNotServing: 0,
    requestsTooLong: 0,
    repliesTooLong: 0,
    watchesRefused: 0,
    slowClientsDropped: 0,
    throttleWaits: 0,
    throttledOps: 0,
    authFailures: 0,
    bytesReceived: 0,
    responseBytes: 0,
    watchBytes: 0,
  };
  packetsReceived = 0;
  packetsSent = 0;
  /** Bytes of replies without their length field; -1 before the first. */
  lastResponseBytes = -1;
  minResponseBytes = -1;
  maxResponseBytes = -1;

  recordLatency(latencyMs: number, isUpdate: boolean): void {
    this.latency.record(latencyMs);
    if (isUpdate) this.updateLatency.record(latencyMs);
    else this.readLatency.record(latencyMs);
  }

  recordResponse(frameBytes: number): void {
    this.packetsSent += 1;
    this.counters.responseBytes += frameBytes;
    this.lastResponseBytes = frameBytes;
    if (this.minResponseBytes < 0 || frameBytes < this.minResponseBytes) {
      this.minResponseBytes = frameBytes;
    }
    if (frameBytes > this.maxResponseBytes) this.maxResponseBytes = frameBytes;
  }

  recordEvent(frameBytes: number): void {
    this.packetsSent += 1;
    this.counters.watchBytes += frameBytes;
  }

  /** `srst`: latencies, packets and response sizes start anew; counters that monitors subtract do not. */
  reset(): void {
    this.latency.reset();
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.lastResponseBytes = -1;
    this.minResponseBytes = -1;
    this.maxResponseBytes = -1;
  }
}

/** One connection's line in `cons`. */
export class ConnectionStats {
  readonly latency = new LatencyStats();
  /** Wall clock, ms since 1970. */
  readonly establishedMs: number;
  packetsReceived = 0;
  packetsSent = 0;
  lastOperation = 'NA';
  /** Negative before the first request with an ordinary xid. */
  lastCxid = -1;
  /** Zxid of the last reply; -1 before the first. */
  lastZxid = -1;
  /** Monotonic. */
  lastResponseMs = 0;
  lastLatencyMs = 0;

  constructor(establishedMs: number) {
    this.establishedMs = establishedMs;
  }

  /** A reply left; `op` is one that `cons` has no name for where the original shows none. */
  recordReply(op: number, xid: number, zxid: number, latencyMs: number, nowMs: number): void {
    this.lastOperation = operationCode(op);
    if (xid >= 0) this.lastCxid = xid;
    this.lastZxid = zxid;
    this.lastResponseMs = nowMs;
    this.lastLatencyMs = latencyMs;
    this.latency.record(latencyMs);
  }

  /** `crst` */
  reset(): void {
    this.latency.reset();
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.lastOperation = 'NA';
    this.lastCxid = -1;
    this.lastZxid = -1;
    this.lastResponseMs = 0;
    this.lastLatencyMs = 0;
  }
}

/** The short names that `cons` has for operations. */
function operationCode(op: number): string {
  switch (op) {
    case OpCode.createSession:
      return 'SESS';
    case OpCode.ping:
      return 'PING';
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return 'CREA';
    case OpCode.delete:
      return 'DELE';
    case OpCode.setData:
      return 'SETD';
    case OpCode.getData:
      return 'GETD';
    case OpCode.exists:
      return 'EXIS';
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return 'GETC';
    case OpCode.getAcl:
      return 'GETA';
    case OpCode.setAcl:
      return 'SETA';
    case OpCode.sync:
      return 'SYNC';
    case OpCode.multi:
      return 'MULT';
    case OpCode.multiRead:
      return 'MLTR';
    case OpCode.check:
      return 'CHEC';
    case OpCode.reconfig:
      return 'RECO';
    case OpCode.setWatches:
      return 'SETW';
    case OpCode.setWatches2:
      return 'STW2';
    case OpCode.addWatch:
      return 'ADDW';
    case OpCode.checkWatches:
      return 'CHKW';
    case OpCode.removeWatches:
      return 'REMW';
    case OpCode.getEphemerals:
      return 'GETE';
    case OpCode.getAllChildrenNumber:
      return 'GETACN';
    case OpCode.whoAmI:
      return 'HOMI';
    case OpCode.closeSession:
      return 'CLOS';
    default:
      return 'NA';
  }
}
