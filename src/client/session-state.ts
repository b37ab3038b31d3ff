/** Where a client stands, and what it says about it. */

import type { SessionId } from '../base/ids.ts';
import type { Address } from '../runtime/runtime.ts';
import type { KeeperError } from './keeper-error.ts';

/**
 * `idle` until it is told to connect. `connecting` whenever there is no connection but there will be
 * one; its session may live or not. `connectedReadOnly`: on a server without a quorum. The last three
 * are final: closed by its owner, session expired, credentials refused.
 */
export type ClientState =
  | 'idle'
  | 'connecting'
  | 'connected'
  | 'connectedReadOnly'
  | 'closing'
  | 'closed'
  | 'expired'
  | 'authFailed';

export interface ConnectedEvent {
  readonly server: Address;
  readonly sessionId: SessionId;
  /** What server and client agreed on. */
  readonly sessionTimeoutMs: number;
  /** False: the session of before goes on, with its ephemeral nodes. */
  readonly isNewSession: boolean;
  readonly isReadOnly: boolean;
}

export interface DisconnectedEvent {
  readonly server: Address;
  readonly reason: Error;
}

/** Payloads by name, for `client.on`. */
export interface ClientEvents {
  /** There is a connection; a session begins or goes on. */
  connected: ConnectedEvent;
  /** The connection is gone; the session may live. What must not happen twice stops here. */
  disconnected: DisconnectedEvent;
  /** An attempt to connect failed; others follow. */
  connectFailed: DisconnectedEvent;
  /** The session is over, its ephemeral nodes are or will be gone. Final, unless `renewSession`. */
  expired: { readonly sessionId: SessionId };
  /** A server refused the credentials. Final. */
  authFailed: { readonly error: KeeperError };
  /** `close` is done. Final. */
  closed: { readonly sessionId: SessionId };
  /** The state changed, whyever. */
  state: ClientState;
}
