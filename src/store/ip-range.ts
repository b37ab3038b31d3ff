/**
 * Addresses and ranges of addresses as ACLs name them: `a.b.c.d` or an IPv6 address in any of its
 * written forms, each with an optional `/` and a number of leading bits that count.
 */

/** The original takes any whole number here: `0127.0.0.1` and `10.0.0.0/+8` are in ACLs that exist. */
const NUMBER_PATTERN = /^[+-]?\d+$/;
const GROUP_PATTERN = /^[0-9a-f]{1,4}$/i;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

export interface IpRange {
  /** 4 or 16 bytes. */
  readonly address: readonly number[];
  /** Leading bits that count, at most those of the address. */
  readonly bits: number;
}

/** undefined when it is not written as one. Without a number of bits all of them count. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const address = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bitsMax = address.length * 8;
  if (slash === -1) return { address, bits: bitsMax };
  const bits = parseNumber(text.slice(slash + 1), bitsMax);
  return bits === undefined ? undefined : { address, bits };
}

/** Whether an address lies in the range; one of the other family does not, nor does what is none. */
export function isInRange(range: IpRange, text: string): boolean {
  const address = parseRemoteIp(text);
  return address !== undefined && covers(range, address);
}

/** The bytes of a client's address; undefined when it is none. */
export function parseRemoteIp(text: string): readonly number[] | undefined {
  // A link-local address comes with the name of its interface, which no ACL can know.
  const scope = text.indexOf('%');
  return parseIp(scope === -1 ? text : text.slice(0, scope));
}

/** `isInRange` for the bytes of an address. */
export function covers(range: IpRange, address: readonly number[]): boolean {
  if (address.length !== range.address.length) return false;
  let left = range.bits;
  for (let at = 0; at < address.length && left > 0; at++) {
    const mask = left >= 8 ? 0xff : 0xff & (0xff << (8 - left));
    if (((range.address[at] ?? 0) & mask) !== ((address[at] ?? 0) & mask)) return false;
    left -= 8;
  }
  return true;
}

function parseIp(text: string): number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): number[] | undefined {
  const bytes: number[] = [];
  for (const part of text.split('.')) {
    const byte = parseNumber(part, 255);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes.length === IPV4_BYTES ? bytes : undefined;
}

/** undefined when it is no whole number from 0 to `max`. */
function parseNumber(text: string, max: number): number | undefined {
  if (!NUMBER_PATTERN.test(text)) return undefined;
  const value = Number(text);
  return value >= 0 && value <= max ? value : undefined;
}

/** At most one `::`, which stands for at least one group of zeros. */
function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const left = parseGroups(head, tail === undefined);
  if (tail === undefined) return left?.length === IPV6_BYTES ? left : undefined;
  const right = parseGroups(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const zeros = IPV6_BYTES - left.length - right.length;
  if (zeros < 2) return undefined;
  return [...left, ...new Array<number>(zeros).fill(0), ...right];
}

/** Two bytes a group; at the very end of an address the last two groups may be written as IPv4. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (isEnd && at === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else if (GROUP_PATTERN.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}
