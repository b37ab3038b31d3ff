/**
 * The servers a client may use: read from a connect string, put into an order of this client's own so
 * that many clients spread over the servers, and then taken in turn. Names stay names: each attempt
 * resolves its own.
 */

import { invariant } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';
import type { Address } from '../runtime/runtime.ts';
import { KeeperError } from './keeper-error.ts';

const DEFAULT_PORT = 2181;
const PORT_MAX = 65_535;

export interface ConnectString {
  readonly addresses: readonly Address[];
  /** Empty when there is none. */
  readonly chroot: string;
}

/**
 * Reads `host:port,host:port/chroot`: IPv6 addresses in brackets, port 2181 where none is given.
 * Throws a `KeeperError` (`BAD_ARGUMENTS`) that names the part it cannot read.
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/');
  const hosts = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 ? '' : text.slice(slash);
  const parts = hosts.split(',').map((part) => part.trim());
  const addresses = parts.filter((part) => part !== '').map(parseAddress);
  if (addresses.length === 0) throw badHosts(`"${text}" names no server`);
  return { addresses, chroot: chroot === '/' ? '' : chroot };
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (host === undefined || port === 0 || port > PORT_MAX) {
    throw badHosts(`"${text}" is not host:port (an IPv6 address stands in brackets)`);
  }
  return { host, port };
}

function badHosts(reason: string): KeeperError {
  return new KeeperError('BAD_ARGUMENTS', 'connect', { reason });
}

/** As in a connect string. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export class HostList {
  readonly #addresses: Address[];
  #next = 0;

  constructor(addresses: readonly Address[], prng: Prng) {
    invariant(addresses.length > 0, 'a client needs a server');
    this.#addresses = [...addresses];
    for (let last = this.#addresses.length - 1; last > 0; last--) {
      const chosen = prng.between(0, last);
      const kept = this.#addresses[last] as Address;
      this.#addresses[last] = this.#addresses[chosen] as Address;
      this.#addresses[chosen] = kept;
    }
  }

  get count(): number {
    return this.#addresses.length;
  }

  /** The next in turn. */
  next(): Address {
    const address = this.#addresses[this.#next];
    invariant(address !== undefined, 'the turn is out of range');
    this.#next = (this.#next + 1) % this.#addresses.length;
    return address;
  }

  /** Makes an address of this list the next in turn. */
  prefer(address: Address): void {
    const index = this.#addresses.indexOf(address);
    if (index >= 0) this.#next = index;
  }
}
