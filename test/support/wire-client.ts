/** A client of a few lines over any runtime: one request at a time, with what came in between. */

import { invariant } from '../../src/base/assert.ts';
import { SESSION_NONE, type SessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { encodeAuthPacket } from '../../src/protocol/records/auth.ts';
import {
  type ConnectRequest,
  type ConnectResponse,
  decodeConnectResponse,
  encodeConnectRequest,
} from '../../src/protocol/records/connect.ts';
import {
  decodeReplyHeader,
  encodeRequestHeader,
  type ReplyHeader,
  SpecialXid,
} from '../../src/protocol/records/header.ts';
import { decodeWatcherEvent } from '../../src/protocol/records/watch.ts';
import { encodeWriteRequest } from '../../src/protocol/records/write-request.ts';
import type { Address, ByteStream, Runtime, StreamHandler } from '../../src/runtime/runtime.ts';

const CONNECT_TIMEOUT_MS = 5000;
const SESSION_TIMEOUT_MS = 10_000;

export interface WireReply extends ReplyHeader {
  /** Aimed behind the header. */
  readonly body: JuteReader;
}

export interface WireEvent {
  readonly type: number;
  readonly path: string | null;
  readonly zxid: number;
}

export class WireClient implements StreamHandler {
  /** Notifications in their order, since they were last taken out. */
  readonly events: WireEvent[] = [];
  sessionId: SessionId = SESSION_NONE;
  /** What the server answered to the connect request; undefined when it closed instead. */
  greeting: ConnectResponse | undefined;
  isClosed = false;
  readonly #stream: ByteStream;
  readonly #frames: Uint8Array[] = [];
  #received = Buffer.alloc(0);
  #isOpen = false;
  #xid = 0;
  #wake: () => void = () => undefined;

  private constructor(runtime: Runtime, address: Address) {
    this.#stream = runtime.network.connect(address, CONNECT_TIMEOUT_MS);
    this.#stream.attach(this);
  }

  /** With a new session. */
  static async connect(runtime: Runtime, address: Address): Promise<WireClient> {
    const client = await WireClient.greet(runtime, address, {});
    const { greeting } = client;
    invariant(greeting !== undefined && greeting.timeoutMs > 0, 'no session');
    return client;
  }

  /** With what the server answers to this connect request, whatever it is. */
  static async greet(
    runtime: Runtime,
    address: Address,
    request: Partial<ConnectRequest>,
  ): Promise<WireClient> {
    const client = new WireClient(runtime, address);
    await client.#until(() => client.#isOpen || client.isClosed);
    client.#send((writer) =>
      encodeConnectRequest(writer, {
        protocolVersion: 0,
        lastZxidSeen: 0,
        timeoutMs: SESSION_TIMEOUT_MS,
        sessionId: SESSION_NONE,
        password: new Uint8Array(16),
        readOnly: false,
        ...request,
      }),
    );
    await client.#until(() => client.#frames.length > 0 || client.isClosed);
    if (client.#frames.length === 0) return client;
    client.greeting = decodeConnectResponse(await client.#frame());
    client.sessionId = client.greeting?.sessionId ?? SESSION_NONE;
    return client;
  }

  /** Sends requests together and returns their replies. */
  async pipeline(
    requests: readonly (readonly [type: number, encode: (writer: JuteWriter) => void])[],
  ): Promise<WireReply[]> {
    const first = this.#xid + 1;
    for (const [type, encode] of requests) {
      this.#xid += 1;
      this.#send((writer) => {
        encodeRequestHeader(writer, this.#xid, type);
        encode(writer);
      });
    }
    const replies: WireReply[] = [];
    while (replies.length < requests.length) {
      const body = await this.#frame();
      const header = decodeReplyHeader(body);
      invariant(header?.xid === first + replies.length, 'replies out of order');
      replies.push({ ...header, body });
    }
    return replies;
  }

  onOpen(): void {
    this.#isOpen = true;
    this.#wake();
  }

  onData(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0);
      if (this.#received.length < end) break;
      this.#frames.push(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
    }
    this.#wake();
  }

  onEnd(): void {
    this.onClose();
  }

  onClose(): void {
    this.isClosed = true;
    this.#wake();
  }

  /** Sends a request and returns its reply; notifications in front of it go to `events`. */
  async call(type: number, encode: (writer: JuteWriter) => void = () => {}): Promise<WireReply> {
    this.#xid += 1;
    const xid = type === OpCode.ping ? SpecialXid.ping : this.#xid;
    this.#send((writer) => {
      encodeRequestHeader(writer, xid, type);
      encode(writer);
    });
    for (;;) {
      const body = await this.#frame();
      const header = decodeReplyHeader(body);
      invariant(header !== undefined, 'frame without a header');
      if (header.xid === xid) return { ...header, body };
      this.#noteEvent(header, body);
    }
  }

  /** Sends a write and returns the error of its reply. */
  async write(request: WriteRequest): Promise<number> {
    return (await this.call(request.op, (writer) => encodeWriteRequest(writer, request))).error;
  }

  async authenticate(credentials: string): Promise<number> {
    const auth = new TextEncoder().encode(credentials);
    const packet = { type: 0, scheme: 'digest', auth };
    return (await this.call(OpCode.auth, (writer) => encodeAuthPacket(writer, packet))).error;
  }

  /** Waits for a notification that is not in `events` yet. */
  async event(): Promise<WireEvent> {
    const body = await this.#frame();
    const header = decodeReplyHeader(body);
    invariant(header !== undefined, 'frame without a header');
    return this.#noteEvent(header, body);
  }

  /** Notifications so far: a ping's reply has brought all that were under way. */
  async takeEvents(): Promise<string[]> {
    await this.call(OpCode.ping);
    return this.events.splice(0).map(({ type, path }) => `${type} ${path}`);
  }

  async closed(): Promise<void> {
    await this.#until(() => this.isClosed);
  }

  close(): void {
    this.#stream.destroy();
  }

  #noteEvent(header: ReplyHeader, body: JuteReader): WireEvent {
    invariant(header.xid === SpecialXid.notification, 'reply to nothing');
    const event = decodeWatcherEvent(body);
    invariant(event !== undefined, 'notification not decodable');
    const noted = { type: event.type, path: event.path, zxid: header.zxid };
    this.events.push(noted);
    return noted;
  }

  #send(encode: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter();
    const mark = writer.beginFrame();
    encode(writer);
    writer.endFrame(mark);
    this.#stream.write(writer.take());
  }

  async #frame(): Promise<JuteReader> {
    await this.#until(() => this.#frames.length > 0 || this.isClosed);
    const frame = this.#frames.shift();
    invariant(frame !== undefined, 'the connection closed instead of answering');
    const reader = new JuteReader();
    reader.aim(frame);
    return reader;
  }

  async #until(isMet: () => boolean): Promise<void> {
    while (!isMet()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
