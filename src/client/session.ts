/**
 * A session over whatever server answers. It keeps the session's id and password, goes from server to
 * server, sends credentials and watches before anything else, and hands each reply and event on in
 * the order in which it came.
 */

import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { SESSION_NONE, type SessionId } from '../base/ids.ts';
import { Prng } from '../base/prng.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import { type ConnectResponse, PASSWORD_BYTES } from '../protocol/records/connect.ts';
import { decodeReplyHeader, type ReplyHeader, SpecialXid } from '../protocol/records/header.ts';
import { decodeWatcherEvent, type SetWatches2 } from '../protocol/records/watch.ts';
import type { Address, Timer } from '../runtime/runtime.ts';
import type { ClientRuntime, ClientSettings, Credentials } from './client-options.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Fifo } from './fifo.ts';
import { HostList } from './host-list.ts';
import { writeCredentials, writeWatches } from './introduction.ts';
import { codeOfNumber, KeeperError, type KeeperErrorCode } from './keeper-error.ts';
import { Mailbox } from './mailbox.ts';
import { ReadWriteSearch } from './read-write-search.ts';
import { type Call, Request } from './request.ts';
import { RequestQueue } from './request-queue.ts';
import { RequestSender } from './request-sender.ts';
import type { ClientEvents, ClientState } from './session-state.ts';
import { TypedEmitter } from './typed-emitter.ts';
import { WatchRegistry } from './watch-registry.ts';

/** Paths in one setWatches: far below every server's frame limit, and a limit of ours if that is lower. */
const WATCH_LIST_BYTES_MAX = 128 * 1024;
/** Of the frame around them: header, zxid, five counts. */
const WATCH_FRAME_OVERHEAD_BYTES = 64;
/** A server has so long to say goodbye. */
const CLOSE_TIMEOUT_MS = 5000;
const ROUNDS_MAX = 16;

const NO_PASSWORD = new Uint8Array(PASSWORD_BYTES);

export class Session implements ConnectionOwner {
  readonly events: TypedEmitter<ClientEvents>;
  readonly watches: WatchRegistry;
  readonly #runtime: ClientRuntime;
  readonly #settings: ClientSettings;
  readonly #hosts: HostList;
  readonly #prng: Prng;
  readonly #queue: RequestQueue;
  readonly #sender: RequestSender;
  readonly #credentials: Credentials[];
  readonly #watchLists = new Fifo<SetWatches2>();
  #state: ClientState = 'idle';
  #connection: Connection | undefined;
  /** Set once the server on the connection has answered the handshake. */
  #isGreeted = false;
  #search: ReadWriteSearch | undefined;
  #timer: Timer | undefined;
  #sessionId: SessionId = SESSION_NONE;
  #password: Uint8Array = NO_PASSWORD;
  #timeoutMs: number;
  /** A read-only server's session is its own: another server must not be asked for it. */
  #isSessionReal = false;
  #lastZxid = 0;
  #attempts = 0;
  #isFlushDue = false;
  #lastError: Error | undefined;

  constructor(runtime: ClientRuntime, settings: ClientSettings) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#prng = new Prng(new DataView(runtime.randomBytes(4).buffer).getUint32(0));
    this.#hosts = new HostList(settings.addresses, this.#prng);
    this.#queue = new RequestQueue(settings.repeatReads && settings.waitsWhileDisconnected);
    this.#sender = new RequestSender(this.#queue, settings.requestBytesMax);
    this.#credentials = [...settings.auth];
    this.#timeoutMs = settings.sessionTimeoutMs;
    const mailbox = new Mailbox(runtime.timers);
    this.events = new TypedEmitter(mailbox);
    this.watches = new WatchRegistry(settings.chroot, mailbox);
    if (settings.session !== undefined) {
      this.#sessionId = settings.session.id;
      this.#password = settings.session.password;
      this.#isSessionReal = true;
    }
  }

  get state(): ClientState {
    return this.#state;
  }

  get sessionId(): SessionId {
    return this.#sessionId;
  }

  get password(): Uint8Array {
    return this.#password;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get lastZxid(): number {
    return this.#lastZxid;
  }

  get server(): Address | undefined {
    return this.isConnected ? this.#connection?.address : undefined;
  }

  get isConnected(): boolean {
    return this.#isGreeted;
  }

  /** Why there is no connection. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  get outstandingCount(): number {
    return this.#queue.sentCount + this.#queue.unsentCount;
  }

  get isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'expired' || this.#state === 'authFailed';
  }

  start(): void {
    if (this.#state === 'idle') this.#dial();
  }

  /** The promise settles after everything that came before the reply, and before what came after. */
  ask<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    if (call.refusal !== undefined) return Promise.reject(call.refusal);
    const request = new Request(call, signal);
    if (request.isSettled) return request.promise;
    const code = this.#refusalCode();
    if (code !== undefined) request.fail(code, { cause: this.#lastError });
    else {
      this.#queue.add(request);
      this.#flushSoon();
    }
    return request.promise;
  }

  /** Every connection will have these from now on. */
  addCredentials(credentials: Credentials): void {
    this.#credentials.push(credentials);
  }

  /**
   * Ends the client, with what was asked before answered first. Without `closesSession`, or without
   * a connection, the session stays on the servers until its timeout.
   */
  close(call: Call<undefined>, closesSession: boolean): void {
    if (this.isOver || this.#state === 'closing') return;
    if (!this.#isGreeted || !closesSession) {
      this.#end('closed');
      return;
    }
    const closed = this.ask(call);
    this.#become('closing');
    this.#timer = this.#runtime.timers.set(CLOSE_TIMEOUT_MS, () => this.#end('closed'));
    const end = (): void => this.#end('closed');
    closed.then(end, end);
  }

  // Connecting ------------------------------------------------------------------------------------

  #dial(): void {
    this.#timer = undefined;
    const address = this.#hosts.next();
    this.#attempts += 1;
    this.#become('connecting');
    this.#connection = new Connection(this.#runtime, address, this, {
      connectTimeoutMs: Math.ceil(this.#timeoutMs / this.#hosts.count),
      replyBytesMax: this.#settings.replyBytesMax,
      request: {
        protocolVersion: 0,
        lastZxidSeen: this.#lastZxid,
        timeoutMs: this.#settings.sessionTimeoutMs,
        sessionId: this.#isSessionReal ? this.#sessionId : SESSION_NONE,
        password: this.#isSessionReal ? this.#password : NO_PASSWORD,
        readOnly: this.#settings.readOnly,
      },
    });
  }

  /** The first attempts go once around with short pauses; then every round doubles the bound. */
  #dialLater(): void {
    const { reconnectMinMs, reconnectMaxMs } = this.#settings;
    const round = Math.min(Math.floor(this.#attempts / this.#hosts.count), ROUNDS_MAX);
    const boundMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** round);
    const delayMs = this.#prng.fraction() * boundMs;
    this.#timer = this.#runtime.timers.set(delayMs, () => this.#dial());
  }

  greeted(response: ConnectResponse): void {
    const asked = this.#isSessionReal ? this.#sessionId : SESSION_NONE;
    const isGone = response.timeoutMs <= 0;
    if (isGone && asked === SESSION_NONE) {
      this.#connection?.broken('the server refused a new session');
      return;
    }
    if (isGone || (asked !== SESSION_NONE && response.sessionId !== asked)) {
      this.#expired();
      return;
    }
    const connection = this.#connection;
    invariant(connection !== undefined, 'greeted without a connection');
    const isReadOnly = response.readOnly === true;
    this.#isGreeted = true;
    this.#attempts = 0;
    this.#lastError = undefined;
    this.#sessionId = response.sessionId;
    this.#password = new Uint8Array(response.password ?? NO_PASSWORD);
    this.#timeoutMs = response.timeoutMs;
    this.#isSessionReal = !isReadOnly;
    this.#become(isReadOnly ? 'connectedReadOnly' : 'connected');
    this.events.emit('connected', {
      server: connection.address,
      sessionId: response.sessionId,
      sessionTimeoutMs: response.timeoutMs,
      isNewSession: response.sessionId !== asked,
      isReadOnly,
    });
    if (isReadOnly) this.#searchReadWrite();
    this.#introduce(connection);
    this.#flushSoon();
  }

  #searchReadWrite(): void {
    this.#search = new ReadWriteSearch(this.#runtime, this.#hosts, (address) => {
      this.#hosts.prefer(address);
      this.#connection?.broken('another server has a quorum');
    });
  }

  /** Credentials and watches, before anything else is sent. */
  #introduce(connection: Connection): void {
    for (const credentials of this.#credentials) {
      writeCredentials(connection.writer, credentials);
      this.#queue.sentOwnAuth();
    }
    const room = this.#settings.requestBytesMax - WATCH_FRAME_OVERHEAD_BYTES;
    for (const lists of this.watches.lists(this.#lastZxid, Math.min(room, WATCH_LIST_BYTES_MAX))) {
      writeWatches(connection.writer, lists);
      this.#watchLists.push(lists);
    }
    connection.flush();
  }

  lost(reason: Error): void {
    const connection = this.#connection;
    invariant(connection !== undefined, 'a connection was lost that was none');
    this.#lastError = reason;
    const wasGreeted = this.#isGreeted;
    this.#dropConnection();
    const event = { server: connection.address, reason };
    this.events.emit(wasGreeted ? 'disconnected' : 'connectFailed', event);
    if (this.#state === 'closing') {
      this.#queue.lost(reason);
      this.#end('closed');
      return;
    }
    this.#become('connecting');
    this.#queue.lost(reason);
    if (!this.#settings.waitsWhileDisconnected) {
      this.#queue.failAll('CONNECTION_LOSS', { cause: reason });
    }
    this.#dialLater();
  }

  #expired(): void {
    const sessionId = this.#sessionId;
    this.#dropConnection();
    if (!this.#settings.renewSession) {
      this.#end('expired');
      return;
    }
    this.#queue.failAll('SESSION_EXPIRED', {});
    this.events.emit('expired', { sessionId });
    this.#sessionId = SESSION_NONE;
    this.#password = NO_PASSWORD;
    this.#isSessionReal = false;
    this.#attempts = 0;
    this.#become('connecting');
    this.#dialLater();
  }

  // Frames ----------------------------------------------------------------------------------------

  received(frame: JuteReader): void {
    const header = decodeReplyHeader(frame);
    if (header === undefined) {
      this.#connection?.broken('a reply without a header');
      return;
    }
    switch (header.xid) {
      case SpecialXid.notification:
        this.#notified(header, frame);
        return;
      case SpecialXid.ping:
        return;
      case SpecialXid.auth:
        this.#authenticated(header, frame);
        return;
      case SpecialXid.setWatches:
        this.#watchesSet(header);
        return;
      default:
        this.#replied(header, frame);
    }
  }

  #notified(header: ReplyHeader, frame: JuteReader): void {
    const event = decodeWatcherEvent(frame);
    if (event === undefined) this.#connection?.broken('an event cannot be decoded');
    else this.watches.fire(event, header.zxid);
  }

  #replied(header: ReplyHeader, frame: JuteReader): void {
    const request = this.#queue.takeAnswered(header.xid);
    if (request === undefined) {
      this.#connection?.broken(`reply ${header.xid} is not the one that is due`);
      return;
    }
    // Only replies move it: an event's transaction may have further events still under way, and who
    // claimed to have seen the transaction would never get them.
    if (header.zxid > this.#lastZxid) this.#lastZxid = header.zxid;
    if (!request.answered(header.error, frame)) {
      this.#connection?.broken('a reply cannot be decoded');
    } else if (this.#queue.unsentCount > 0) this.#flushSoon();
  }

  #authenticated(header: ReplyHeader, frame: JuteReader): void {
    const request = this.#queue.takeAnsweredAuth();
    request?.answered(header.error, frame);
    if (header.error !== ErrorCode.ok) this.#end('authFailed', header.error);
  }

  #watchesSet(header: ReplyHeader): void {
    const lists = this.#watchLists.shift();
    if (lists === undefined) this.#connection?.broken('watches confirmed that were not set');
    else if (header.error === ErrorCode.ok) this.watches.rearmed(lists);
    else {
      const code = codeOfNumber(header.error);
      this.watches.refused(lists, new KeeperError(code, 'watch', { number: header.error }));
    }
  }

  drained(): void {
    this.#flush();
  }

  /** What is asked for in one turn is sent together. */
  #flushSoon(): void {
    if (this.#isFlushDue || !this.#isGreeted) return;
    this.#isFlushDue = true;
    this.#runtime.timers.defer(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection !== undefined && this.#isGreeted) this.#sender.send(connection);
  }

  // Ending ----------------------------------------------------------------------------------------

  #refusalCode(): KeeperErrorCode | undefined {
    switch (this.#state) {
      case 'closing':
      case 'closed':
        return 'CLOSING';
      case 'expired':
        return 'SESSION_EXPIRED';
      case 'authFailed':
        return 'AUTH_FAILED';
      case 'connecting':
        return this.#settings.waitsWhileDisconnected ? undefined : 'CONNECTION_LOSS';
      default:
        return undefined;
    }
  }

  #end(state: 'closed' | 'expired' | 'authFailed', number?: number): void {
    if (this.isOver) return;
    const sessionId = this.#sessionId;
    this.#dropConnection();
    this.#become(state);
    const code = this.#refusalCode() ?? 'CLOSING';
    const error = new KeeperError(code, 'session', { number });
    this.#queue.failAll(code, { cause: this.#lastError });
    this.watches.end(error);
    if (state === 'authFailed') this.events.emit('authFailed', { error });
    else this.events.emit(state, { sessionId });
  }

  #dropConnection(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#isGreeted = false;
    this.#search?.stop();
    this.#search = undefined;
    if (this.#timer !== undefined) this.#runtime.timers.clear(this.#timer);
    this.#timer = undefined;
    this.#watchLists.takeAll();
    connection?.destroy();
  }

  #become(state: ClientState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit('state', state);
  }
}
