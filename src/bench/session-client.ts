/**
 * A session at one server, with a promise for each request: for what surrounds a measurement (making
 * nodes, reading them back, removing them) and for writers that outlive their server.
 */

import { connect, type Socket } from 'node:net';
import { OPEN_ACL } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { SESSION_NONE, type SessionId } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import type { Stat } from '../base/stat.ts';
import { FrameDecoder, FrameEvent } from '../protocol/frame-decoder.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { decodeConnectResponse, encodeConnectRequest } from '../protocol/records/connect.ts';
import { decodeReplyHeader, encodeRequestHeader } from '../protocol/records/header.ts';
import { encodePathRequest, encodeWatchedRead } from '../protocol/records/read-request.ts';
import { decodeStat } from '../protocol/records/stat.ts';
import { encodeWriteRequest, makeWriteRequest } from '../protocol/records/write-request.ts';
import type { Address } from '../runtime/runtime.ts';

const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const SESSION_TIMEOUT_MS = 30_000;
const PASSWORD_NONE = new Uint8Array(16);

/** What it takes to go on with a session at another server. */
export interface SessionTicket {
  readonly sessionId: SessionId;
  readonly password: Uint8Array;
}

/** The connection ended, could not be made in time, or the session is gone. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly code: 'CONNECTION_LOST' | 'SESSION_GONE';
  readonly exitCode = 1;

  constructor(code: 'CONNECTION_LOST' | 'SESSION_GONE', message: string) {
    super(message);
    this.code = code;
  }
}

/** A server refused what a load run needs. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError';
  readonly code = 'UNEXPECTED_REPLY';
  readonly exitCode = 1;
}

interface Reply {
  readonly zxid: number;
  readonly error: number;
  /** The record behind the header, valid for good. */
  readonly body: Uint8Array;
}

interface Waiter {
  readonly xid: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class SessionClient {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX, false);
  readonly #writer = new JuteWriter();
  readonly #waiting: Waiter[] = [];
  #nextXid = 1;
  #lost: ConnectionLostError | undefined;
  #onTicket: ((ticket: SessionTicket) => void) | undefined;
  #ticket: SessionTicket | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => undefined);
  }

  /** Rejects with a `ConnectionLostError` when there is no session within `timeoutMs`. */
  static open(address: Address, timeoutMs: number, ticket?: SessionTicket): Promise<SessionClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(address.port, address.host);
      const client = new SessionClient(socket);
      const timer = setTimeout(() => socket.destroy(), timeoutMs);
      client.#onTicket = () => {
        clearTimeout(timer);
        resolve(client);
      };
      socket.on('close', () => {
        clearTimeout(timer);
        const where = `${address.host}:${address.port}`;
        reject(client.#lose('CONNECTION_LOST', `${where}: there is no connection (any more)`));
      });
      socket.on('connect', () => client.#sendConnect(ticket));
    });
  }

  get ticket(): SessionTicket {
    invariant(this.#ticket !== undefined, 'a client without a session was handed out');
    return this.#ticket;
  }

  /** An error code of the server's, `ErrorCode.ok` included. */
  async create(path: string, data: Uint8Array): Promise<number> {
    const request = makeWriteRequest(OpCode.create, { path, data, acl: OPEN_ACL });
    const reply = await this.#call(OpCode.create, (writer) => encodeWriteRequest(writer, request));
    return reply.error;
  }

  async delete(path: string): Promise<void> {
    const request = makeWriteRequest(OpCode.delete, { path, version: -1 });
    const reply = await this.#call(OpCode.delete, (writer) => encodeWriteRequest(writer, request));
    if (reply.error !== ErrorCode.noNode) expectOk(reply, 'delete', path);
  }

  async exists(path: string): Promise<Stat> {
    const reply = await this.#call(OpCode.exists, (writer) =>
      encodeWatchedRead(writer, path, false),
    );
    expectOk(reply, 'exists', path);
    const stat = decodeStat(readerOf(reply));
    if (stat === undefined) throw new UnexpectedReplyError(`exists ${path}: no Stat in the reply`);
    return stat;
  }

  /** Any version; the zxid of the change. */
  async set(path: string, data: Uint8Array): Promise<number> {
    const request = makeWriteRequest(OpCode.setData, { path, data });
    const reply = await this.#call(OpCode.setData, (writer) => encodeWriteRequest(writer, request));
    expectOk(reply, 'set', path);
    return reply.zxid;
  }

  /** Empty, too, when there is no such node. */
  async childrenIfAny(path: string): Promise<string[]> {
    const reply = await this.#call(OpCode.getChildren, (writer) =>
      encodeWatchedRead(writer, path, false),
    );
    if (reply.error === ErrorCode.noNode) return [];
    expectOk(reply, 'getChildren', path);
    return readerOf(reply).readStrings() ?? [];
  }

  async children(path: string): Promise<string[]> {
    const reply = await this.#call(OpCode.getChildren, (writer) =>
      encodeWatchedRead(writer, path, false),
    );
    expectOk(reply, 'getChildren', path);
    return readerOf(reply).readStrings() ?? [];
  }

  /** After it a read at this server shows everything acknowledged anywhere before. */
  async sync(): Promise<void> {
    const reply = await this.#call(OpCode.sync, (writer) => encodePathRequest(writer, '/'));
    expectOk(reply, 'sync', '/');
  }

  /** Ends the session in order. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    try {
      await this.#call(OpCode.closeSession, () => undefined);
    } catch (error) {
      // A server that closes at once has closed the session too.
      if (!(error instanceof ConnectionLostError)) throw error;
    }
    this.destroy();
  }

  /** Drops the connection; the session lives on until it expires. */
  destroy(): void {
    this.#socket.destroy();
  }

  #call(op: OpCode, encode: (writer: JuteWriter) => void): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      const xid = this.#nextXid;
      this.#nextXid += 1;
      const mark = this.#writer.beginFrame();
      encodeRequestHeader(this.#writer, xid, op);
      encode(this.#writer);
      this.#writer.endFrame(mark);
      this.#waiting.push({ xid, resolve, reject });
      this.#socket.write(this.#writer.take());
    });
  }

  #sendConnect(ticket: SessionTicket | undefined): void {
    const mark = this.#writer.beginFrame();
    encodeConnectRequest(this.#writer, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeoutMs: SESSION_TIMEOUT_MS,
      sessionId: ticket?.sessionId ?? SESSION_NONE,
      password: ticket?.password ?? PASSWORD_NONE,
      readOnly: false,
    });
    this.#writer.endFrame(mark);
    this.#socket.write(this.#writer.take());
  }

  #received(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (;;) {
      const event = this.#decoder.next();
      if (event === FrameEvent.more) return;
      if (event !== FrameEvent.frame) {
        this.#lose('CONNECTION_LOST', 'a frame of impossible length');
        return;
      }
      const frame = new Uint8Array(this.#decoder.frame());
      if (this.#ticket === undefined) this.#connected(frame);
      else this.#replied(frame);
    }
  }

  #connected(frame: Uint8Array): void {
    const reader = new JuteReader();
    reader.aim(frame);
    const response = decodeConnectResponse(reader);
    if (response === undefined || response.timeoutMs <= 0) {
      this.#lose('SESSION_GONE', 'the server no longer has the session');
      return;
    }
    const password = new Uint8Array(response.password ?? PASSWORD_NONE);
    this.#ticket = { sessionId: response.sessionId, password };
    this.#onTicket?.(this.#ticket);
  }

  #replied(frame: Uint8Array): void {
    const reader = new JuteReader();
    reader.aim(frame);
    const header = decodeReplyHeader(reader);
    const waiter = this.#waiting[0];
    if (header === undefined || waiter === undefined || header.xid !== waiter.xid) {
      this.#lose('CONNECTION_LOST', 'a reply that nobody asked for');
      return;
    }
    this.#waiting.shift();
    waiter.resolve({
      zxid: header.zxid,
      error: header.error,
      body: frame.subarray(reader.position),
    });
  }

  /** The first reason stands; everybody who still waits learns of it. */
  #lose(code: ConnectionLostError['code'], message: string): ConnectionLostError {
    const lost = this.#lost ?? new ConnectionLostError(code, message);
    this.#lost = lost;
    this.#socket.destroy();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(lost);
    return lost;
  }
}

function expectOk(reply: Reply, what: string, path: string): void {
  if (reply.error === ErrorCode.ok) return;
  throw new UnexpectedReplyError(`${what} ${path}: error ${reply.error}`);
}

function readerOf(reply: Reply): JuteReader {
  const reader = new JuteReader();
  reader.aim(reply.body);
  return reader;
}
