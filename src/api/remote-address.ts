/** Addresses of clients, as access control compares them and as the original's tools print them. */

import type { Address } from '../runtime/runtime.ts';

const MAPPED_PREFIX = '::ffff:';
const IPV6_GROUPS = 8;

/** The address as plain text: an IPv4 client of a socket that also takes IPv6 is an IPv4 client. */
export function plainHost(host: string): string {
  const isMapped = host.toLowerCase().startsWith(MAPPED_PREFIX) && host.includes('.');
  return isMapped ? host.slice(MAPPED_PREFIX.length) : host;
}

/** `/127.0.0.1:46504`, or `/[0:0:0:0:0:0:0:1]:46504` with every group written out. */
export function javaAddress(address: Address): string {
  const host = plainHost(address.host);
  return host.includes(':') ? `/[${expandIpv6(host)}]:${address.port}` : `/${host}:${address.port}`;
}

function expandIpv6(host: string): string {
  const [head = '', tail] = host.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return host;
  const right = tail === '' ? [] : tail.split(':');
  const missing = Math.max(0, IPV6_GROUPS - left.length - right.length);
  return [...left, ...new Array<string>(missing).fill('0'), ...right].join(':');
}
