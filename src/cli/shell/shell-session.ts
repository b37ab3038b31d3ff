/** The shell's client, and what is told of its connection. */

import {
  Client,
  type ClientRuntime,
  type ClientState,
  parseConnectString,
} from '../../client/index.ts';
import { bracketed } from '../../server/member-line.ts';

/** Tries go on for as long as the shell is there: the longest time the client knows. */
const FOREVER_MS = 0x7fff_ffff;
/** Somebody sits and waits. */
const RECONNECT_DELAY = { minMs: 100, maxMs: 1000 };

export interface SessionOptions {
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  /** The world it runs in; by default this machine. */
  readonly runtime?: ClientRuntime | undefined;
}

export interface SessionListener {
  /** A state in the original's words. */
  told(state: string): void;
  /** All servers were tried, none gave a connection; the sentence is about the last. */
  foundNoServer(sentence: string): void;
  /** The state in the prompt may be another. */
  changed(): void;
}

export class ShellSession {
  readonly hosts: string;
  readonly client: Client;
  #failuresInTurn = 0;
  #lastFailure: string | undefined;

  /** Begins to connect. Throws a `KeeperError` when `hosts` names no servers. */
  constructor(hosts: string, options: SessionOptions, listener: SessionListener) {
    this.hosts = hosts;
    const serverCount = parseConnectString(hosts).addresses.length;
    const client = new Client({
      hosts,
      ...options,
      connectTimeoutMs: FOREVER_MS,
      reconnectDelay: RECONNECT_DELAY,
    });
    this.client = client;
    client.on('connected', ({ isReadOnly }) => {
      this.#failuresInTurn = 0;
      listener.told(isReadOnly ? 'ConnectedReadOnly' : 'SyncConnected');
    });
    client.on('disconnected', () => listener.told('Disconnected'));
    client.on('connectFailed', ({ server, reason }) => {
      this.#failuresInTurn += 1;
      this.#lastFailure = `no session with ${bracketed(server.host)}:${server.port}: ${reason.message}`;
      if (this.#failuresInTurn >= serverCount) listener.foundNoServer(this.#lastFailure);
    });
    client.on('expired', () => listener.told('Expired'));
    client.on('authFailed', () => listener.told('AuthFailed'));
    client.on('closed', () => listener.told('Closed'));
    client.on('state', () => listener.changed());
    // How it ends is told by the events.
    client.connect().catch(() => undefined);
  }

  get isAlive(): boolean {
    return !['closing', 'closed', 'expired', 'authFailed'].includes(this.client.state);
  }

  /** Why there was no connection when one was last tried; undefined if none failed. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** As the prompt shows it. */
  get state(): string {
    return stateText(this.client.state);
  }

  /** From now on all servers must be tried again before there is none. */
  countAnew(): void {
    this.#failuresInTurn = 0;
  }
}

function stateText(state: ClientState): string {
  switch (state) {
    case 'connected':
      return 'CONNECTED';
    case 'connectedReadOnly':
      return 'CONNECTEDREADONLY';
    case 'authFailed':
      return 'AUTH_FAILED';
    case 'idle':
    case 'connecting':
      return 'CONNECTING';
    default:
      return 'CLOSED';
  }
}
