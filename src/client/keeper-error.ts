/** Why an operation did not do what was asked. */

/** Codes by name, with the number the protocol has for them and what they mean. */
const CODES = {
  SYSTEM_ERROR: [-1, 'the server has failed'],
  RUNTIME_INCONSISTENCY: [-2, 'not tried, another operation of the transaction failed'],
  DATA_INCONSISTENCY: [-3, 'the server found its data inconsistent'],
  CONNECTION_LOSS: [-4, 'the connection was lost'],
  MARSHALLING_ERROR: [-5, 'request or reply cannot be decoded'],
  UNIMPLEMENTED: [-6, 'the server does not know or does not allow this operation'],
  OPERATION_TIMEOUT: [-7, 'no answer in time'],
  BAD_ARGUMENTS: [-8, 'bad arguments'],
  UNKNOWN_SESSION: [-12, 'the server does not know the session'],
  NEW_CONFIG_NO_QUORUM: [-13, 'no quorum of the new configuration is connected'],
  RECONFIG_IN_PROGRESS: [-14, 'another reconfiguration is in progress'],
  NO_NODE: [-101, 'no such node'],
  NO_AUTH: [-102, 'not permitted by the ACL'],
  BAD_VERSION: [-103, 'the version does not match'],
  NO_CHILDREN_FOR_EPHEMERALS: [-108, 'ephemeral nodes cannot have children'],
  NODE_EXISTS: [-110, 'the node exists'],
  NOT_EMPTY: [-111, 'the node has children'],
  SESSION_EXPIRED: [-112, 'the session has expired'],
  INVALID_ACL: [-114, 'the ACL is invalid'],
  AUTH_FAILED: [-115, 'authentication failed'],
  CLOSING: [-116, 'the client is closed'],
  SESSION_MOVED: [-118, 'the session has moved to another server'],
  NOT_READ_ONLY: [-119, 'the server is read-only'],
  EPHEMERAL_ON_LOCAL_SESSION: [-120, 'a local session cannot have ephemeral nodes'],
  NO_WATCHER: [-121, 'there is no such watch'],
  REQUEST_TIMEOUT: [-122, 'no answer in time'],
  RECONFIG_DISABLED: [-123, 'reconfiguration is disabled'],
  SESSION_CLOSED_REQUIRE_SASL_AUTH: [-124, 'the server requires authentication'],
  QUOTA_EXCEEDED: [-125, 'the quota is exceeded'],
  THROTTLED_OP: [-127, 'the server is overloaded'],
  ABORTED: [undefined, 'aborted by the caller'],
  WATCH_OVERFLOW: [undefined, 'events came faster than they were taken'],
  UNKNOWN: [undefined, 'a code this client does not know'],
} as const;

/**
 * Names of the protocol's result codes, and three of this client's own: `ABORTED` (an operation's
 * signal), `WATCH_OVERFLOW` (an iterator that is not read) and `UNKNOWN` (see `number`).
 */
export type KeeperErrorCode = keyof typeof CODES;

const NAMES: ReadonlyMap<number | undefined, KeeperErrorCode> = new Map(
  Object.entries(CODES).map(([name, [number]]) => [number, name as KeeperErrorCode]),
);

/** The name of a number in a reply; `UNKNOWN` if there is none. */
export function codeOfNumber(number: number): KeeperErrorCode {
  return NAMES.get(number) ?? 'UNKNOWN';
}

/** What an error says besides its code. */
export interface KeeperErrorDetails {
  /** As the caller named it, without a chroot. */
  readonly path?: string | undefined;
  readonly outcomeUnknown?: boolean | undefined;
  /** The number in the reply; by default the one that belongs to the code. */
  readonly number?: number | undefined;
  /** Replaces the general sentence of the code. */
  readonly reason?: string | undefined;
  readonly cause?: unknown;
}

/** Rejection of every operation. Tell apart by `code`, and by `outcomeUnknown`. */
export class KeeperError extends Error {
  readonly code: KeeperErrorCode;
  /** In the protocol; undefined for the client's own codes. */
  readonly number: number | undefined;
  /** What was asked: the name of the client's method. */
  readonly operation: string;
  readonly path: string | undefined;
  /**
   * True: the request was sent and its answer never came, so it may or may not have been carried
   * out. False: it was certainly not, or it changes nothing.
   */
  readonly outcomeUnknown: boolean;

  constructor(code: KeeperErrorCode, operation: string, details: KeeperErrorDetails = {}) {
    const { path, outcomeUnknown = false, reason = CODES[code][1], cause } = details;
    const subject = path === undefined ? operation : `${operation} ${path}`;
    const doubt = outcomeUnknown ? '; it may or may not have been carried out' : '';
    super(`${subject}: ${reason} (${code})${doubt}`, cause === undefined ? {} : { cause });
    this.name = code === 'ABORTED' ? 'AbortError' : 'KeeperError';
    this.code = code;
    this.number = details.number ?? CODES[code][0];
    this.operation = operation;
    this.path = path;
    this.outcomeUnknown = outcomeUnknown;
  }
}

/** Narrows what was caught: an operation's error, and of this code if one is given. */
export function isKeeperError(error: unknown, code?: KeeperErrorCode): error is KeeperError {
  return error instanceof KeeperError && (code === undefined || error.code === code);
}
