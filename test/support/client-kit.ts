/** A `ClientService` over a fake backend in a simulated world, and raw clients that speak hex to it. */

import assert from 'node:assert/strict';
import type { ClientLog, LogFields } from '../../src/api/client-log.ts';
import type { ClientServiceOptions, ReportOptions } from '../../src/api/client-options.ts';
import { ClientService } from '../../src/api/client-service.ts';
import { makeSessionId, type SessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { ByteStream, Clock, Runtime, StreamHandler } from '../../src/runtime/runtime.ts';
import type { SimNetworkOptions } from '../../src/testing/sim-link.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { FakeBackend } from './fake-backend.ts';
import { bool, buffer, frame, fromHex, int, long, OPEN_ACL_HEX, text } from './hex.ts';

const PORT = 2181;
const CONNECT_TIMEOUT_MS = 5000;
const PATIENCE_MS = 60_000;
const NO_PASSWORD = '00'.repeat(16);

export const REPORT: ReportOptions = {
  version: '3.9.3-vivarium-0.1.0, built on 2026-11-21 04:00 UTC',
  dataDir: '/data',
  dataLogDir: '/log',
  listenBacklog: -1,
  serverId: 0,
  ensemble: undefined,
  environment: new Map([['host.name', 'zk1']]),
};

const OPTIONS: ClientServiceOptions = {
  listen: [{ port: PORT }],
  tickTimeMs: 2000,
  minSessionTimeoutMs: 4000,
  maxSessionTimeoutMs: 40_000,
  maxClientCnxns: 60,
  maxCnxns: 0,
  juteMaxBufferBytes: 0xfffff,
  globalOutstandingLimit: 1000,
  fourLetterWords: undefined,
  replyBytesMax: 32 * 1024 * 1024,
  watchLimits: { perWatcher: 1_000_000, inAll: 1_000_000 },
  throttledOpWaitMs: 0,
  limits: {
    handshakeTimeoutMs: 10_000,
    sessionlessMax: 1000,
    backlogBytesMax: 64 * 1024 * 1024,
    bufferBytesMax: 256 * 1024 * 1024,
  },
  access: { skipAcl: false, superDigest: undefined, enforcedSchemes: [] },
  report: REPORT,
};

export interface ClientKitOptions {
  readonly service?: Partial<ClientServiceOptions>;
  readonly network?: Partial<SimNetworkOptions>;
  readonly isServing?: boolean;
  readonly seed?: number;
  /** Milliseconds that pass for the server with each look at its clock: all it does takes time. */
  readonly lookMs?: number;
}

export class ClientKit {
  readonly world: SimWorld;
  readonly backend = new FakeBackend();
  readonly service: ClientService;
  readonly logged: { event: string; fields: LogFields }[] = [];

  private constructor(options: ClientKitOptions) {
    this.world = new SimWorld(options.seed ?? 1, { network: options.network ?? {} });
    const note = (event: string, fields: LogFields): void => {
      this.logged.push({ event, fields });
    };
    const log: ClientLog = { debug: note, info: note, warn: note, error: note };
    const runtime = withBusyClock(this.world.runtimeFor('server'), options.lookMs ?? 0);
    const all = { ...OPTIONS, ...options.service };
    this.service = new ClientService(runtime, this.backend, all, log);
    this.backend.onSessionClosed = (sessionId) => this.service.sessionClosed(sessionId);
  }

  static async start(options: ClientKitOptions = {}): Promise<ClientKit> {
    const kit = new ClientKit(options);
    await kit.world.finish(kit.service.open());
    if (options.isServing ?? true) kit.service.startServing();
    return kit;
  }

  /** Another service on the same host and port, not opened. */
  secondService(): ClientService {
    const { backend, log, options } = this.service;
    return new ClientService(this.world.runtimeFor('server'), backend, options, log);
  }

  /** A connection that has said nothing yet. */
  dial(host = 'client'): RawClient {
    const { network } = this.world.runtimeFor(host);
    return new RawClient(this, network.connect({ host: 'server', port: PORT }, CONNECT_TIMEOUT_MS));
  }

  /** A connection with a new session. */
  async session(host = 'client'): Promise<RawClient> {
    const client = this.dial(host);
    client.send(connectFrame());
    await client.receive(1);
    client.forget();
    return client;
  }

  /** Runs the world until the condition holds; a test that waits in vain fails. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const holds = await this.world.runUntil(condition, PATIENCE_MS);
    assert.ok(holds, `waited in vain for ${what}`);
  }

  /** Lets everything that is under way arrive and be answered. */
  async settle(): Promise<void> {
    await this.world.runFor(100);
  }

  /** The whole answer to a four-letter word, until the server has closed. */
  async command(word: string): Promise<string> {
    const client = this.dial('operator');
    client.sendBytes(new TextEncoder().encode(word));
    await client.closedByServer();
    return new TextDecoder().decode(client.bytes);
  }
}

function withBusyClock(runtime: Runtime, lookMs: number): Runtime {
  let passedMs = 0;
  const clock: Clock = {
    wallMs: () => runtime.clock.wallMs() + passedMs,
    busyMs: () => runtime.clock.busyMs() + passedMs,
    monotonicMs: () => {
      passedMs += lookMs;
      return runtime.clock.monotonicMs() + passedMs;
    },
  };
  return Object.create(runtime, { clock: { value: clock } });
}

/** A client's end of a connection: collects what comes, frame by frame, as hex without the length. */
export class RawClient implements StreamHandler {
  readonly stream: ByteStream;
  readonly #kit: ClientKit;
  #chunks: Uint8Array[] = [];
  /** The beginning of a frame that is not whole yet. */
  #partial: Uint8Array = new Uint8Array(0);
  frames: string[] = [];
  isEnded = false;
  isClosed = false;

  constructor(kit: ClientKit, stream: ByteStream) {
    this.#kit = kit;
    this.stream = stream;
    stream.attach(this);
  }

  /** Everything received since the last `forget`, for answers that are no frames. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  onData(chunk: Uint8Array): void {
    // The chunk is the stream's: what stays must be a copy.
    this.#chunks.push(chunk.slice());
    const joined = Buffer.concat([this.#partial, chunk]);
    let start = 0;
    while (joined.length >= start + 4) {
      const end = start + 4 + joined.readInt32BE(start);
      if (joined.length < end) break;
      this.frames.push(joined.toString('hex', start + 4, end));
      start = end;
    }
    this.#partial = joined.subarray(start);
  }

  onEnd(): void {
    this.isEnded = true;
  }

  onClose(): void {
    this.isClosed = true;
  }

  /** Sends frames or parts of them, given in hex. */
  send(...hex: readonly string[]): void {
    this.sendBytes(Buffer.from(hex.join(''), 'hex'));
  }

  sendBytes(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** Waits until so many frames have come since the last `forget`, and returns them all. */
  async receive(count: number): Promise<readonly string[]> {
    await this.#kit.until(() => this.frames.length >= count || this.isClosed, `${count} frames`);
    assert.ok(this.frames.length >= count, 'the server closed the connection');
    return this.frames;
  }

  /** Sends and returns the one frame that comes back. */
  async ask(hex: string): Promise<string> {
    this.forget();
    this.send(hex);
    const [reply = ''] = await this.receive(1);
    return reply;
  }

  forget(): void {
    this.frames = [];
    this.#chunks = [];
  }

  /** Waits until the server has closed its side, one way or the other. */
  async closedByServer(): Promise<void> {
    await this.#kit.until(() => this.isEnded || this.isClosed, 'the close');
  }
}

/** A connect request; by default for a new session of 10 s. */
export function connectFrame(
  fields: {
    readonly lastZxidSeen?: number;
    readonly timeoutMs?: number;
    readonly sessionId?: SessionId;
    readonly password?: string;
    readonly readOnly?: boolean;
  } = {},
): string {
  const { lastZxidSeen = 0, timeoutMs = 10_000, sessionId = 0n, password = NO_PASSWORD } = fields;
  return frame(
    int(0),
    long(lastZxidSeen),
    int(timeoutMs),
    long(sessionId),
    buffer(password),
    bool(fields.readOnly ?? false),
  );
}

/** What a connect response says. */
export function connectReply(hex: string): {
  timeoutMs: number;
  sessionId: SessionId;
  password: string;
} {
  return {
    timeoutMs: Number.parseInt(hex.slice(8, 16), 16),
    sessionId: makeSessionId(BigInt(`0x${hex.slice(16, 32)}`)),
    password: hex.slice(40, 72),
  };
}

export function createFrame(xid: number, path: string, flags = 0): string {
  return frame(int(xid), int(OpCode.create), text(path), buffer(''), OPEN_ACL_HEX, int(flags));
}

export function setDataFrame(xid: number, path: string, dataHex: string): string {
  return frame(int(xid), int(OpCode.setData), text(path), buffer(dataHex), int(-1));
}

/** exists, getData, getChildren, getChildren2 */
export function readFrame(xid: number, op: OpCode, path: string, watch = false): string {
  return frame(int(xid), int(op), text(path), bool(watch));
}

/** sync, getACL */
export function pathFrame(xid: number, op: OpCode, path: string): string {
  return frame(int(xid), int(op), text(path));
}

/** ping, closeSession, and whatever has a header only. */
export function headerFrame(xid: number, op: number): string {
  return frame(int(xid), int(op));
}

/** xid and error of a reply or event. */
export function header(hex: string): { xid: number; zxid: number; error: number } {
  const view = new DataView(fromHex(hex.slice(0, 32)).buffer);
  const zxid = view.getInt32(4) * 0x1_0000_0000 + view.getUint32(8);
  return { xid: view.getInt32(0), zxid, error: view.getInt32(12) };
}
