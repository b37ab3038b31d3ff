/** What a client is told when it is made. */

import { makeSessionId, type SessionId } from '../base/ids.ts';
import { isValidPath } from '../base/path.ts';
import { PASSWORD_BYTES } from '../protocol/records/connect.ts';
import type { Address, Runtime } from '../runtime/runtime.ts';
import { Chroot } from './chroot.ts';
import { parseConnectString } from './host-list.ts';
import { KeeperError } from './keeper-error.ts';

/** What a client needs of the world; `createNodeRuntime()` and the simulator's hosts fit. */
export type ClientRuntime = Pick<Runtime, 'clock' | 'timers' | 'network' | 'randomBytes'>;

/** Credentials of a connection. Text stands for its UTF-8 bytes. */
export interface Credentials {
  /** `digest`, most often; then `auth` is `user:password`. */
  readonly scheme: string;
  readonly auth: Uint8Array | string;
}

/** What resumes a session: the two values a client had. */
export interface SessionCredentials {
  readonly id: bigint;
  /** 16 bytes. */
  readonly password: Uint8Array;
}

export interface ClientOptions {
  /**
   * The servers: `host:port,host:port/chroot`, or a list of `host:port`. Port 2181 where none is
   * given, IPv6 addresses in brackets.
   */
  readonly hosts: string | readonly string[];
  /** Path under which this client sees its `/`; also the end of `hosts`. The node must exist. */
  readonly chroot?: string | undefined;
  /** Session timeout asked for; servers clamp it. Default 30000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long `connect()` waits for the session. Default: `sessionTimeoutMs`. */
  readonly connectTimeoutMs?: number | undefined;
  /** Accepts a server that has lost its quorum and only reads, until one is found that writes. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Credentials for every connection of this client. */
  readonly auth?: readonly Credentials[] | undefined;
  /** Resumes this session instead of beginning one. */
  readonly session?: SessionCredentials | undefined;
  /**
   * What becomes of operations asked for while there is no connection: `wait` for one, or until the
   * session ends; `fail` at once with `CONNECTION_LOSS`. Default `wait`.
   */
  readonly whileDisconnected?: 'wait' | 'fail' | undefined;
  /** Asks again on the next connection what only reads and was not answered. Default true. */
  readonly repeatReads?: boolean | undefined;
  /** Begins a new session when one has expired, instead of ending the client. Default false. */
  readonly renewSession?: boolean | undefined;
  /**
   * Pauses between attempts to connect: drawn from zero up to `minMs`, a bound that doubles with
   * every round of all servers, up to `maxMs`. Default 100 and 5000, at most a sixth of the session
   * timeout.
   */
  readonly reconnectDelay?: { readonly minMs: number; readonly maxMs: number } | undefined;
  /** Longest request sent; servers drop the connection at a longer one. Default 1048575, as theirs. */
  readonly requestBytesMax?: number | undefined;
  /** Longest reply accepted. Default 64 MiB. */
  readonly replyBytesMax?: number | undefined;
  /** The world it runs in. Default: this machine. */
  readonly runtime?: ClientRuntime | undefined;
}

/** The same, checked, with nothing left open. */
export interface ClientSettings {
  readonly addresses: readonly Address[];
  readonly chroot: Chroot;
  readonly sessionTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly readOnly: boolean;
  readonly auth: readonly Credentials[];
  readonly session: { readonly id: SessionId; readonly password: Uint8Array } | undefined;
  readonly waitsWhileDisconnected: boolean;
  readonly repeatReads: boolean;
  readonly renewSession: boolean;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly requestBytesMax: number;
  readonly replyBytesMax: number;
}

const SESSION_TIMEOUT_MS = 30_000;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5000;
const REQUEST_BYTES_MAX = 0xf_ffff;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;
const DURATION_MAX_MS = 0x7fff_ffff;
const SESSION_PARTS_IN_DELAY = 6;

/** Throws a `KeeperError` (`BAD_ARGUMENTS`) that names the option. */
export function settingsOf(options: ClientOptions): ClientSettings {
  const { hosts } = options;
  const servers = parseConnectString(typeof hosts === 'string' ? hosts : hosts.join(','));
  const sessionTimeoutMs = duration(
    'sessionTimeoutMs',
    options.sessionTimeoutMs,
    SESSION_TIMEOUT_MS,
  );
  const { minMs = RECONNECT_MIN_MS, maxMs = RECONNECT_MAX_MS } = options.reconnectDelay ?? {};
  duration('reconnectDelay.minMs', minMs, minMs);
  duration('reconnectDelay.maxMs', maxMs, maxMs);
  return {
    addresses: servers.addresses,
    chroot: chrootOf(options.chroot ?? '', servers.chroot),
    sessionTimeoutMs,
    connectTimeoutMs: duration('connectTimeoutMs', options.connectTimeoutMs, sessionTimeoutMs),
    readOnly: options.readOnly ?? false,
    auth: options.auth ?? [],
    session: options.session === undefined ? undefined : sessionOf(options.session),
    waitsWhileDisconnected: options.whileDisconnected !== 'fail',
    repeatReads: options.repeatReads ?? true,
    renewSession: options.renewSession ?? false,
    reconnectMinMs: minMs,
    reconnectMaxMs: Math.max(minMs, Math.min(maxMs, sessionTimeoutMs / SESSION_PARTS_IN_DELAY)),
    requestBytesMax: duration('requestBytesMax', options.requestBytesMax, REQUEST_BYTES_MAX),
    replyBytesMax: duration('replyBytesMax', options.replyBytesMax, REPLY_BYTES_MAX),
  };
}

/** A positive whole number that fits the wire. */
function duration(name: string, value: number | undefined, otherwise: number): number {
  const chosen = value ?? otherwise;
  if (Number.isInteger(chosen) && chosen > 0 && chosen <= DURATION_MAX_MS) return chosen;
  throw badOption(`${name} is ${chosen}, expected a whole number from 1 to ${DURATION_MAX_MS}`);
}

function chrootOf(option: string, inHosts: string): Chroot {
  if (option !== '' && inHosts !== '' && option !== inHosts) {
    throw badOption(`hosts end in the chroot ${inHosts}, and the option chroot says ${option}`);
  }
  const path = option === '' ? inHosts : option;
  if (path !== '' && !isValidPath(path)) throw badOption(`the chroot ${path} is not a valid path`);
  return new Chroot(path);
}

function sessionOf({ id, password }: SessionCredentials): ClientSettings['session'] {
  if (id === 0n || password.length !== PASSWORD_BYTES) {
    throw badOption('session needs an id other than 0 and a password of 16 bytes');
  }

  return { id: makeSessionId(id), password: new Uint8Array(password) };
}

function badOption(reason: string): KeeperError {
  return new KeeperError('BAD_ARGUMENTS', 'connect', { reason });
}
