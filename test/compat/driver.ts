/**
 * Runs programs against one server, or the servers of one ensemble, and notes what comes back. Two
 * drivers that run the same program make transcripts of the same length, exchange by exchange.
 */

import { makeSessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { sessionPassword } from '../../src/session/session-id.ts';
import { SESSION_TIMEOUT_MAX_MS } from '../interop/support.ts';
import { CONNECTION_COUNT, type Hello, type Step, type WrongClaim } from './program.ts';
import { empty, pathOnly, type Request, record } from './request.ts';
import { SocketClient } from './socket-client.ts';
import {
  type Event,
  type Rendered,
  renderConnect,
  renderEvent,
  renderReply,
} from './transcript.ts';

/** A question and what came of it: events first, then the outcome. */
export interface Exchange {
  readonly connection: number;
  /** undefined: the connection itself, at the begin of a session. */
  readonly asked: Request | undefined;
  readonly events: readonly Event[];
  readonly outcome: Outcome;
}

export interface Outcome extends Rendered {
  /** 0 when there was no reply. */
  readonly error: number;
  /** The reply header's zxid; 0 when there was no reply. */
  readonly zxid: bigint;
}

interface Peer {
  client: SocketClient | undefined;
  /** 0n: the session was closed, or there was none yet. */
  sessionId: bigint;
  xid: number;
  /** Header zxids of all replies, in order: programs refer to the past by counting back. */
  readonly zxids: bigint[];
}

/** Far longer than a server takes that gets no processor for a while. */
const ANSWER_MS = 15_000;
/** A server that ends a connection does so at once. */
const END_MS = 10_000;
const PASSWORD_BYTES = 16;
const NO_PASSWORD = new Uint8Array(PASSWORD_BYTES);
const USUAL_HELLO: Hello = {
  timeoutMs: SESSION_TIMEOUT_MAX_MS,
  hasReadOnlyByte: true,
  passwordBytes: PASSWORD_BYTES,
  protocolVersion: 0,
};
const PING = empty(OpCode.ping);
const SYNC = pathOnly(OpCode.sync, '/');
const CLOSE = empty(OpCode.closeSession, { closes: true });

export class Driver {
  readonly #servers: readonly string[];
  /** Asked of idle connections after each step, so that events they got are seen in it. */
  readonly #probe: Request;
  readonly #peers: Peer[] = [];

  /**
   * `servers`: host:port; connections are spread over them. `probesSync`: the servers compared apply
   * changes at times of their own, so that only a sync shows all events.
   */
  constructor(servers: readonly string[], probesSync: boolean) {
    this.#servers = servers;
    this.#probe = probesSync ? SYNC : PING;
  }

  /** Sessions for one program. */
  async begin(): Promise<Exchange[]> {
    const exchanges: Exchange[] = [];
    for (let connection = 0; connection < CONNECTION_COUNT; connection++) {
      this.#peers[connection] = { client: undefined, sessionId: 0n, xid: 1, zxids: [] };
      exchanges.push(...(await this.#connected(connection)));
    }
    return exchanges;
  }

  /** Closes the sessions of the program. */
  async end(): Promise<Exchange[]> {
    const exchanges: Exchange[] = [];
    for (let connection = 0; connection < CONNECTION_COUNT; connection++) {
      exchanges.push(...(await this.#requests(connection, [CLOSE])));
    }
    return exchanges;
  }

  async run(step: Step): Promise<Exchange[]> {
    const exchanges = await this.#runStep(step);
    for (let connection = 0; connection < CONNECTION_COUNT; connection++) {
      if (connection === step.connection || this.#peer(connection).client === undefined) continue;
      exchanges.push(...(await this.#ask(connection, [this.#probe])));
    }
    return exchanges;
  }

  #runStep(step: Step): Promise<Exchange[]> {
    switch (step.kind) {
      case 'requests':
        return this.#requests(step.connection, step.requests);
      case 'renew':
        return this.#renew(step.connection, step.hello);
      case 'resume':
        return this.#resume(step.connection, step.isTakeover);
      case 'claim':
        return this.#claim(step.connection, step.wrong);
      case 'garbage':
        return this.#garbage(step.connection, step.bytes);
    }
  }

  async #requests(connection: number, requests: readonly Request[]): Promise<Exchange[]> {
    const exchanges = await this.#connected(connection);
    return [...exchanges, ...(await this.#ask(connection, requests))];
  }

  async #renew(connection: number, hello: Hello): Promise<Exchange[]> {
    const closed = await this.#requests(connection, [CLOSE]);
    const password = hello.passwordBytes === null ? null : new Uint8Array(hello.passwordBytes);
    return [...closed, await this.#hello(connection, hello, password)];
  }

  async #resume(connection: number, isTakeover: boolean): Promise<Exchange[]> {
    const exchanges = await this.#connected(connection);
    const peer = this.#peer(connection);
    const old = peer.client;
    if (!isTakeover) old?.destroy();
    peer.client = undefined;
    exchanges.push(...(await this.#connected(connection)));
    if (isTakeover && old !== undefined) {
      const left = await old.next(ANSWER_MS);
      const text = left === undefined && old.isClosed ? 'old one closed' : 'old one not closed';
      exchanges.push(silent(connection, text));
      old.destroy();
    }
    return exchanges;
  }

  async #claim(connection: number, wrong: WrongClaim): Promise<Exchange[]> {
    const exchanges = await this.#connected(connection);
    const peer = this.#peer(connection);
    this.#drop(peer);
    const lastZxid = peer.zxids.at(-1) ?? 0n;
    const password = passwordOf(peer.sessionId);
    const asked = {
      password: { sessionId: peer.sessionId, password: NO_PASSWORD, seen: 0n },
      'short password': { sessionId: peer.sessionId, password: password.subarray(4), seen: 0n },
      session: { sessionId: 12345n, password: passwordOf(12345n), seen: 0n },
      'zxid ahead': { sessionId: peer.sessionId, password, seen: lastZxid + 1_000_000n },
    }[wrong];
    const client = await SocketClient.connect(this.#address(connection));
    client.send(connectFrame(USUAL_HELLO, asked.sessionId, asked.password, asked.seen));
    const frame = await client.next(ANSWER_MS);
    const rendered = frame === undefined ? NOTHING : renderConnect(frame);
    const end = await this.#ending(client);
    client.destroy();
    const outcome = { ...rendered, text: rendered.text + end, error: 0, zxid: 0n };
    exchanges.push({ connection, asked: undefined, events: [], outcome });
    return exchanges;
  }

  async #garbage(connection: number, bytes: Uint8Array): Promise<Exchange[]> {
    const exchanges = await this.#connected(connection);
    const peer = this.#peer(connection);
    peer.client?.send(bytes);
    const end = peer.client === undefined ? '' : await this.#ending(peer.client);
    exchanges.push(silent(connection, `garbage${end}`));
    this.#drop(peer);
    return exchanges;
  }

  /** Makes sure of a connection with a session; nothing when there is one. */
  async #connected(connection: number): Promise<Exchange[]> {
    const peer = this.#peer(connection);
    if (peer.client !== undefined && !peer.client.isClosed) return [];
    const hello = await this.#hello(connection, USUAL_HELLO, passwordOf(peer.sessionId));
    // Nobody asked this connection's server for what was written while the connection was gone.
    if (this.#probe !== SYNC || this.#peer(connection).client === undefined) return [hello];
    return [hello, ...(await this.#ask(connection, [SYNC]))];
  }

  async #hello(connection: number, hello: Hello, password: Uint8Array | null): Promise<Exchange> {
    const peer = this.#peer(connection);
    const client = await SocketClient.connect(this.#address(connection));
    client.send(connectFrame(hello, peer.sessionId, password, 0n));
    const frame = await client.next(ANSWER_MS);
    peer.client = client;
    const outcome = frame === undefined ? NOTHING : renderConnect(frame);
    peer.sessionId = outcome.sessions[0] ?? 0n;
    const isOwn = frame !== undefined && hasPasswordOf(frame, peer.sessionId);
    const text = isOwn ? outcome.text : `${outcome.text} with a foreign password`;
    if (peer.sessionId === 0n) this.#drop(peer);
    const full = { ...outcome, text, error: 0, zxid: 0n };
    return { connection, asked: undefined, events: [], outcome: full };
  }

  /** Sends requests at once and waits for all answers. */
  async #ask(connection: number, requests: readonly Request[]): Promise<Exchange[]> {
    const peer = this.#peer(connection);
    const { client } = peer;
    const firstXid = peer.xid;
    peer.xid += requests.length;
    const frames = requests.map((asked, at) => requestFrame(asked, firstXid + at, peer.zxids));
    client?.send(Buffer.concat(frames));
    const exchanges: Exchange[] = [];
    for (const [at, asked] of requests.entries()) {
      const exchange = await this.#answer(connection, client, asked, firstXid + at);
      peer.zxids.push(
        exchange.outcome.zxid > 0n ? exchange.outcome.zxid : (peer.zxids.at(-1) ?? 0n),
      );
      exchanges.push(exchange);
      if (!asked.closes) continue;
      if (asked.type === OpCode.closeSession) peer.sessionId = 0n;
      this.#drop(peer);
    }
    return exchanges;
  }

  async #answer(
    connection: number,
    client: SocketClient | undefined,
    asked: Request,
    xid: number,
  ): Promise<Exchange> {
    const events: Event[] = [];
    for (;;) {
      const frame = await client?.next(ANSWER_MS);
      if (client === undefined || frame === undefined) {
        const text = client?.isClosed === false ? 'no answer' : 'closed without an answer';
        if (client !== undefined) this.#drop(this.#peer(connection));
        return { connection, asked, events, outcome: { ...NOTHING, text, error: 0, zxid: 0n } };
      }
      if (frame.length >= 28 && Buffer.from(frame).readInt32BE() === -1) {
        events.push(renderEvent(frame));
        continue;
      }
      const reply = renderReply(asked, asked.type === OpCode.ping ? -2 : xid, frame);
      const end = asked.closes ? await this.#ending(client) : '';
      const outcome = end === '' ? reply : { ...reply, text: reply.text + end };
      return { connection, asked, events, outcome };
    }
  }

  /** Whether the server ends the connection now. */
  async #ending(client: SocketClient): Promise<string> {
    const frame = await client.next(END_MS);
    if (frame !== undefined) return `, then ${Buffer.from(frame).toString('hex')}`;
    return client.isClosed ? ', then closed' : ', then open';
  }

  #drop(peer: Peer): void {
    peer.client?.destroy();
    peer.client = undefined;
  }

  #peer(connection: number): Peer {
    const peer = this.#peers[connection];
    if (peer === undefined) throw new RangeError('no such connection');
    return peer;
  }

  #address(connection: number): string {
    return this.#servers[connection % this.#servers.length] ?? '';
  }
}

const NOTHING: Rendered = { text: 'nothing', zxids: [], sessions: [] };

function silent(connection: number, text: string): Exchange {
  const outcome = { ...NOTHING, text, error: 0, zxid: 0n };
  return { connection, asked: undefined, events: [], outcome };
}

function passwordOf(sessionId: bigint): Uint8Array {
  return sessionId === 0n ? NO_PASSWORD : sessionPassword(makeSessionId(sessionId));
}

/** The password lies behind version, timeout, session id and its own length. */
function hasPasswordOf(frame: Uint8Array, sessionId: bigint): boolean {
  return Buffer.from(passwordOf(sessionId)).equals(frame.subarray(20, 20 + PASSWORD_BYTES));
}

function requestFrame(asked: Request, xid: number, zxids: readonly bigint[]): Uint8Array {
  const frame = Buffer.alloc(12 + asked.body.length);
  frame.writeInt32BE(8 + asked.body.length, 0);
  frame.writeInt32BE(xid, 4);
  frame.writeInt32BE(asked.type, 8);
  frame.set(asked.body, 12);
  if (asked.zxidAge !== undefined && asked.body.length >= 8) {
    const zxid = zxids.at(-1 - asked.zxidAge) ?? 0n;
    new DataView(frame.buffer, frame.byteOffset).setBigInt64(12, zxid);
  }
  return frame;
}

function connectFrame(
  hello: Hello,
  sessionId: bigint,
  password: Uint8Array | null,
  lastZxidSeen: bigint,
): Uint8Array {
  return record((writer) => {
    const mark = writer.beginFrame();
    writer.writeInt(hello.protocolVersion);
    writer.writeLong(Number(lastZxidSeen));
    writer.writeInt(hello.timeoutMs);
    writer.writeSessionId(makeSessionId(sessionId));
    writer.writeBuffer(password);
    if (hello.hasReadOnlyByte) writer.writeBool(false);
    writer.endFrame(mark);
  });
}
