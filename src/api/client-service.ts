/**
 * The side of a server that serves clients: accepts connections, bounds them, and gives each turn
 * its end, at which every connection that has something to say writes once. What a session is and
 * what a write does is the backend's business.
 */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { SlabPool } from '../protocol/slab-pool.ts';
import type { Address, ByteStream, Listener, Runtime, Timer } from '../runtime/runtime.ts';
import { ExpiryQueue } from '../session/expiry-queue.ts';
import { WatchManager } from '../session/watch-manager.ts';
import type { Backend, ClientSide } from './backend.ts';
import { ClientBuffers } from './client-buffers.ts';
import type { ClientLog, LogFields } from './client-log.ts';
import type { ClientServiceOptions } from './client-options.ts';
import { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { FloodLog } from './flood-log.ts';
import {
  type CommandSource,
  quickAnswer,
  refusal,
  statusAnswer,
  TRACE_MASK_DEFAULT,
} from './four-letter.ts';
import type { FourLetterWord } from './four-letter-word.ts';
import type { Place } from './place.ts';
import { plainHost } from './remote-address.ts';
import { ServerStats } from './server-stats.ts';

export class ClientService implements ClientSide, ConnectionHost, CommandSource {
  readonly backend: Backend;
  readonly options: ClientServiceOptions;
  readonly log: FloodLog;
  readonly stats = new ServerStats();
  readonly watches: WatchManager;
  readonly buffers: ClientBuffers;
  readonly slabs = new SlabPool();
  readonly reader = new JuteReader();
  readonly deadlines: ExpiryQueue<Place>;
  readonly #runtime: Runtime;
  readonly #places = new Set<Place>();
  readonly #bySession = new Map<SessionId, Place>();
  readonly #countByHost = new Map<string, number>();
  /** Connections that serve no session, the oldest first. */
  readonly #sessionless = new Set<Place>();
  /** Connections not read until a request of theirs, or anybody's, is settled. */
  readonly #waiting = new Set<Place>();
  #listeners: Listener[] = [];
  #sweepTimer: Timer | undefined = undefined;
  /** Connections whose turn is to be ended; the spare list is filled while the other is worked off. */
  #turn: Connection[] = [];
  #spareTurn: Connection[] = [];
  #isTurnRequested = false;
  readonly #endTurn = (): void => this.#endAllTurns();
  readonly #expireSilent = (): void => this.#dropExpired();
  #traceMask = TRACE_MASK_DEFAULT;
  #isServing = false;
  #servingSinceMs = 0;
  #nowMs = 0;

  constructor(runtime: Runtime, backend: Backend, options: ClientServiceOptions, log: ClientLog) {
    invariant(options.tickTimeMs > 0, 'tick must be positive');
    invariant(
      options.minSessionTimeoutMs <= options.maxSessionTimeoutMs,
      'session timeouts are reversed',
    );
    this.#runtime = runtime;
    this.backend = backend;
    this.options = options;
    this.watches = new WatchManager(options.watchLimits);
    this.log = new FloodLog(log, () => this.#nowMs);
    this.buffers = new ClientBuffers(options.limits.bufferBytesMax, () => this.#requestTurnEnd());
    this.deadlines = new ExpiryQueue(options.tickTimeMs);
    this.#nowMs = runtime.clock.monotonicMs();
  }

  /** Opens the client ports. Rejects with the runtime's error when one cannot be had. */
  async open(): Promise<void> {
    invariant(this.#sweepTimer === undefined, 'opened twice');
    this.#sweepTimer = this.#runtime.timers.every(this.options.tickTimeMs, () => this.#sweep());
    for (const listen of this.options.listen) {
      const listener = await this.#runtime.network.listen(listen, (stream) => this.#accept(stream));
      this.#listeners.push(listener);
    }
  }

  /** Closes the ports and every connection; the sessions live on. */
  async close(): Promise<void> {
    this.#isServing = false;
    if (this.#sweepTimer !== undefined) this.#runtime.timers.clear(this.#sweepTimer);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const connection of [...this.#all()]) connection.drop('server stops');
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  /** Where clients connect, in the order of the options; empty before `open`. */
  get addresses(): readonly Address[] {
    return this.#listeners.map((listener) => listener.address);
  }

  get isServing(): boolean {
    return this.#isServing;
  }

  get traceMask(): bigint {
    return this.#traceMask;
  }

  get isOverloaded(): boolean {
    if (this.buffers.areRequestsFull) return true;
    return this.backend.outstandingCount >= this.options.globalOutstandingLimit;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Connections, without those that only wait for the client to close too. */
  get connectionCount(): number {
    let count = 0;
    for (const connection of this.#all()) if (!connection.isEnding) count += 1;
    return count;
  }

  get uptimeMs(): number {
    return this.#isServing ? this.#runtime.clock.monotonicMs() - this.#servingSinceMs : 0;
  }

  *connections(): Generator<Connection> {
    for (const connection of this.#all()) if (!connection.isEnding) yield connection;
  }

  refreshNow(): void {
    this.#nowMs = this.#runtime.clock.monotonicMs();
  }

  wallMs(): number {
    return this.#runtime.clock.wallMs();
  }

  // What the backend says ------------------------------------------------------------------------

  startServing(): void {
    // The tree may be another one than last time: a learner can have got it whole from its leader.
    this.backend.tree.listener = this.watches;
    this.#isServing = true;
    this.#servingSinceMs = this.#runtime.clock.monotonicMs();
    this.log.info('serving clients', { mode: this.backend.mode });
  }

  stopServing(): void {
    if (!this.#isServing) return;
    this.#isServing = false;
    this.log.info('not serving clients', { connections: this.#places.size });
    for (const connection of [...this.#all()]) {
      if (!connection.isCommand) connection.drop('nobody is served');
    }
  }

  sessionClosed(sessionId: SessionId): void {
    this.#bySession.get(sessionId)?.connection.endAfterReplies();
  }

  // What connections say -------------------------------------------------------------------------

  requestTurn(connection: Connection): void {
    // A mark and not a set, which would be filled and emptied, and made anew, several times a turn.
    if (!connection.isTurnRequested) {
      connection.isTurnRequested = true;
      this.#turn.push(connection);
    }
    this.#requestTurnEnd();
  }

  waitForBackend(connection: Connection): void {
    if (!connection.place.isEmpty) this.#waiting.add(connection.place);
  }

  requestSettled(): void {
    if (this.#waiting.size === 0 || this.isOverloaded) return;
    for (const connection of this.#all(this.#waiting)) this.requestTurn(connection);
    this.#waiting.clear();
  }

  expireAfter(connection: Connection, timeoutMs: number): void {
    const { deadline } = connection.place;
    if (deadline !== undefined) this.deadlines.touch(deadline, this.#nowMs, timeoutMs);
  }

  noteSessionless(connection: Connection, isSessionless: boolean): void {
    const { place } = connection;
    if (place.isEmpty) return;
    this.#sessionless.delete(place);
    if (!isSessionless) return;
    this.#sessionless.add(place);
    if (this.#sessionless.size <= this.options.limits.sessionlessMax) return;
    // Clients ask for a session as soon as they are connected: who waits longest is least likely to.
    for (const oldest of this.#all(this.#sessionless)) {
      this.stats.counters.sessionlessDropped += 1;
      this.log.warn('connection dropped for others', {
        reason: 'too many without a session',
        host: oldest.remoteHost,
        limit: this.options.limits.sessionlessMax,
      });
      oldest.drop('too many connections without a session');
      return;
    }
  }

  disconnect(sessionId: SessionId): void {
    this.#bySession.get(sessionId)?.connection.drop('session resumed elsewhere');
  }

  adopt(connection: Connection): void {
    this.disconnect(connection.sessionId);
    invariant(!connection.place.isEmpty, 'a closed connection serves a session');
    this.#bySession.set(connection.sessionId, connection.place);
  }

  release(connection: Connection): void {
    const { place } = connection;
    this.watches.removeWatcher(place);
    this.#waiting.delete(place);
    if (this.#bySession.get(connection.sessionId) === place) {
      this.#bySession.delete(connection.sessionId);
    }
  }

  forget(connection: Connection): void {
    const { place } = connection;
    if (place.isEmpty) return;
    invariant(place.deadline !== undefined, 'a connection without a deadline');
    this.#places.delete(place);
    this.#sessionless.delete(place);
    this.deadlines.remove(place.deadline);
    place.clear();
    const count = (this.#countByHost.get(connection.remoteHost) ?? 0) - 1;
    invariant(count >= 0, 'more connections closed than accepted');
    if (count === 0) this.#countByHost.delete(connection.remoteHost);
    else this.#countByHost.set(connection.remoteHost, count);
  }

  allowsWord(word: FourLetterWord): boolean {
    return this.options.fourLetterWords?.has(word) ?? true;
  }

  setTraceMask(mask: bigint): void {
    this.#traceMask = mask;
  }

  answerWord(connection: Connection, word: FourLetterWord): void {
    if (!this.allowsWord(word)) {
      connection.answerCommand(refusal(word));
      return;
    }
    this.log.debug('command', { word, remote: connection.remoteHost });
    const answer = quickAnswer(this, word);
    if (answer !== undefined) {
      connection.answerCommand(answer);
      return;
    }
    this.backend.status().then(
      (status) => {
        this.refreshNow();
        connection.answerCommand(statusAnswer(this, word, status));
      },
      (error: unknown) => {
        this.log.error('command failed', { word, error: String(error) });
        connection.drop('command failed');
      },
    );
  }

  // The service's own ----------------------------------------------------------------------------

  #accept(stream: ByteStream): void {
    this.refreshNow();
    const host = plainHost(stream.remote.host);
    const count = this.#countByHost.get(host) ?? 0;
    const { maxCnxns, maxClientCnxns } = this.options;
    if (maxCnxns > 0 && this.#places.size >= maxCnxns) {
      this.#reject(stream, { reason: 'too many in all', host, limit: maxCnxns });
      return;
    }
    if (maxClientCnxns > 0 && count >= maxClientCnxns) {
      this.#reject(stream, { reason: 'too many from one address', host, limit: maxClientCnxns });
      return;
    }
    const connection = new Connection(stream, this);
    this.#countByHost.set(host, count + 1);
    const { handshakeTimeoutMs } = this.options.limits;
    const { place } = connection;
    place.deadline = this.deadlines.add(place, this.#nowMs, handshakeTimeoutMs);
    this.#places.add(place);
    stream.attach(connection);
    this.noteSessionless(connection, true);
  }

  *#all(places: Iterable<Place> = this.#places): Generator<Connection> {
    for (const { connection } of places) yield connection;
  }

  #requestTurnEnd(): void {
    if (this.#isTurnRequested) return;
    this.#isTurnRequested = true;
    this.#runtime.timers.defer(this.#endTurn);
  }

  #reject(stream: ByteStream, why: LogFields): void {
    this.stats.counters.connectionsRejected += 1;
    this.log.warn('connection rejected', why);
    stream.attach({ onData: () => undefined, onClose: () => undefined });
    stream.destroy();
  }

  #endAllTurns(): void {
    this.#isTurnRequested = false;
    this.refreshNow();
    const turn = this.#turn;
    this.#turn = this.#spareTurn;
    this.#spareTurn = turn;
    for (const connection of turn) {
      connection.isTurnRequested = false;
      connection.endTurn();
    }
    turn.length = 0;
    const count = this.buffers.relieve();
    if (count === 0) return;
    this.stats.counters.greedyDropped += count;
    const bytes = this.options.limits.bufferBytesMax;
    this.log.warn('connections dropped for their memory', { count, limit: bytes });
  }

  /** Once a tick: cuts off the silent, keeps alive whom this server itself keeps from speaking. */
  #sweep(): void {
    this.refreshNow();
    for (const connection of this.#all(this.#waiting)) {
      this.backend.touch(connection.sessionId);
      connection.touch();
    }
    this.log.sweep();
    this.requestSettled();
    // When this server itself stood still, what clients said meanwhile is still to be read.
    this.#runtime.timers.defer(this.#expireSilent);
  }

  #dropExpired(): void {
    this.refreshNow();
    for (const place of this.deadlines.expired(this.#nowMs)) {
      // Closed together with one before it.
      if (place.isEmpty) continue;
      const { connection } = place;
      if (!connection.isOpen) this.stats.counters.sessionlessExpired += 1;
      connection.drop('silent for too long');
    }
  }
}
