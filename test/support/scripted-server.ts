/** Servers that say what a test tells them to, in a simulated world, and clients of ours beside them. */

import assert from 'node:assert/strict';
import { makeSessionId, type SessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { Client } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { KeeperError } from '../../src/client/keeper-error.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import {
  type ConnectRequest,
  decodeConnectRequest,
  encodeConnectResponse,
  encodeSessionGone,
} from '../../src/protocol/records/connect.ts';
import {
  decodeRequestHeader,
  encodeReplyHeader,
  SpecialXid,
} from '../../src/protocol/records/header.ts';
import { encodeWatcherEvent } from '../../src/protocol/records/watch.ts';
import type { ByteStream, StreamHandler } from '../../src/runtime/runtime.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';

const PORT = 2181;
const STATE_SYNC_CONNECTED = 3;
const PATIENCE_MS = 60_000;
const LAST_WORD_BYTES = 4;
export const SCRIPTED_SESSION = makeSessionId(0x1234_5678n);
export const SCRIPTED_PASSWORD = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

export interface SeenRequest {
  readonly xid: number;
  readonly type: number;
  /** Aimed behind the header. */
  readonly body: JuteReader;
  /** Virtual time. */
  readonly atMs: number;
}

export interface Greeting {
  readonly sessionId?: SessionId;
  readonly timeoutMs?: number;
  readonly readOnly?: boolean;
}

/** One connection, from the server's side. Pings are answered by themselves unless told not to. */
export class ScriptedConnection implements StreamHandler {
  readonly host: string;
  /** Undefined until the handshake came. */
  connectRequest: ConnectRequest | undefined;
  /** What came since the handshake, without pings. */
  readonly requests: SeenRequest[] = [];
  /** Virtual times at which pings came. */
  readonly pings: number[] = [];
  answersPings = true;
  isClosed = false;
  readonly #stream: ByteStream;
  readonly #stage: ClientStage;
  #received = Buffer.alloc(0);
  /** Frames that leave together. */
  #held: Uint8Array[] | undefined;

  constructor(stage: ClientStage, host: string, stream: ByteStream) {
    this.host = host;
    this.#stage = stage;
    this.#stream = stream;
    stream.attach(this);
  }

  onData(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const word = this.#received.toString('latin1', 0, LAST_WORD_BYTES);
    if (this.connectRequest === undefined && word === 'isro') {
      this.#stream.write(new TextEncoder().encode(this.#stage.isroAnswer(this.host)));
      this.#stream.end();
      return;
    }
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      const body = new JuteReader();
      body.aim(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
      this.#frame(body);
    }
  }

  onEnd(): void {
    this.#stream.destroy();
  }

  onClose(): void {
    this.isClosed = true;
  }

  greet({ sessionId, timeoutMs = 6000, readOnly = false }: Greeting = {}): void {
    const asked = this.connectRequest?.sessionId ?? 0n;
    const given = asked === 0n ? SCRIPTED_SESSION : makeSessionId(asked);
    this.#send((writer) =>
      encodeConnectResponse(writer, {
        protocolVersion: 0,
        timeoutMs,
        sessionId: sessionId ?? given,
        password: SCRIPTED_PASSWORD,
        readOnly,
      }),
    );
  }

  refuseSession(): void {
    this.#send((writer) => encodeSessionGone(writer, false));
    this.#stream.end();
  }

  /** Answers a request; `body` writes what stands behind the header. */
  reply(request: SeenRequest | undefined, { error = 0, zxid = 1, body }: ReplyOptions = {}): void {
    assert(request !== undefined, 'there is no such request');
    this.replyTo(request.xid, { error, zxid, ...(body === undefined ? {} : { body }) });
  }

  replyTo(xid: number, { error = 0, zxid = 1, body }: ReplyOptions = {}): void {
    this.#send((writer) => {
      encodeReplyHeader(writer, xid, zxid, error);
      body?.(writer);
    });
  }

  /** Several frames in one piece, as servers send them. */
  together(send: () => void): void {
    this.#held = [];
    send();
    const frames = this.#held;
    this.#held = undefined;
    this.#stream.write(Buffer.concat(frames));
  }

  event(type: number, path: string, zxid = -1): void {
    this.#send((writer) => {
      encodeReplyHeader(writer, SpecialXid.notification, zxid, 0);
      encodeWatcherEvent(writer, type, STATE_SYNC_CONNECTED, path);
    });
  }

  raw(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  close(): void {
    this.#stream.destroy();
  }

  #frame(body: JuteReader): void {
    if (this.connectRequest === undefined) {
      const request = decodeConnectRequest(body);
      assert(request !== undefined);
      this.connectRequest = request;
      this.#stage.greeter(this);
      return;
    }
    const header = decodeRequestHeader(body);
    assert(header !== undefined);
    const request = { ...header, body, atMs: this.#stage.world.nowMs };
    if (header.type === OpCode.ping) {
      this.pings.push(request.atMs);
      if (this.answersPings) this.reply(request);
      return;
    }
    this.requests.push(request);
    this.#stage.responder(this, request);
  }

  #send(write: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter();
    const mark = writer.beginFrame();
    write(writer);
    writer.endFrame(mark);
    if (this.#held !== undefined) this.#held.push(writer.take());
    else this.#stream.write(writer.take());
  }
}

export interface ReplyOptions {
  readonly error?: number;
  readonly zxid?: number;
  readonly body?: (writer: JuteWriter) => void;
}

/** What became of a promise, so that nothing is unhandled while the world runs. */
export interface Outcome<T> {
  value: T | undefined;
  error: KeeperError | undefined;
  isSettled: boolean;
}

export class ClientStage {
  readonly world: SimWorld;
  /** In the order in which they came, of all servers. */
  readonly connections: ScriptedConnection[] = [];
  /** What a server does with a handshake. */
  greeter: (connection: ScriptedConnection) => void = (connection) => connection.greet();
  /** What a server does with a request; by default nothing: the test answers. */
  responder: (connection: ScriptedConnection, request: SeenRequest) => void = () => undefined;
  isroAnswer: (host: string) => string = () => 'rw';
  readonly #clients: Client[] = [];

  private constructor(seed: number) {
    this.world = new SimWorld(seed);
  }

  /** Servers on these hosts. */
  static async start(hosts: readonly string[] = ['zk1'], seed = 1): Promise<ClientStage> {
    const stage = new ClientStage(seed);
    for (const host of hosts) {
      const { network } = stage.world.runtimeFor(host);
      const listening = network.listen({ port: PORT }, (stream) => {
        stage.connections.push(new ScriptedConnection(stage, host, stream));
      });
      await stage.world.finish(listening);
    }
    return stage;
  }

  /** A client that has not begun to connect. */
  client(options: Partial<ClientOptions> = {}): Client {
    const runtime = this.world.runtimeFor('client');
    const client = new Client({ hosts: 'zk1', sessionTimeoutMs: 6000, runtime, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A client with a session, and its connection. */
  async connected(
    options: Partial<ClientOptions> = {},
  ): Promise<{ readonly client: Client; readonly connection: ScriptedConnection }> {
    const client = this.client(options);
    await this.world.finish(client.connect());
    return { client, connection: this.last() };
  }

  last(): ScriptedConnection {
    const connection = this.connections.at(-1);
    assert(connection !== undefined, 'nobody connected');
    return connection;
  }

  outcome<T>(promise: Promise<T>): Outcome<T> {
    const outcome: Outcome<T> = { value: undefined, error: undefined, isSettled: false };
    promise.then(
      (value) => {
        outcome.value = value;
        outcome.isSettled = true;
      },
      (error: unknown) => {
        assert(error instanceof KeeperError, String(error));
        outcome.error = error;
        outcome.isSettled = true;
      },
    );
    return outcome;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    assert(await this.world.runUntil(condition, PATIENCE_MS), `waited in vain for ${what}`);
  }

  /** Waits for so many requests on a connection. */
  async requests(connection: ScriptedConnection, count: number): Promise<SeenRequest[]> {
    await this.until(() => connection.requests.length >= count, `${count} requests`);
    return connection.requests;
  }

  /** Waits for a connection behind this one to be greeted. */
  async reconnected(client: Client, before: ScriptedConnection): Promise<ScriptedConnection> {
    await this.until(() => this.last() !== before && client.isConnected, 'a new connection');
    return this.last();
  }

  /** Lets everything that is under way arrive. */
  async settle(): Promise<void> {
    await this.world.runFor(50);
  }
}
