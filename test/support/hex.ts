/**
 * Expected bytes, spelled as hex text from the protocol's description. It shares nothing with the
 * encoder, so that encoder and decoder cannot agree on a mistake.
 */

export function int(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

export function long(value: bigint | number): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0');
}

export function bool(value: boolean): string {
  return value ? '01' : '00';
}

/** A buffer of the bytes given in hex; null: length -1. */
export function buffer(bytes: string | null): string {
  return bytes === null ? 'ffffffff' : int(bytes.length / 2) + bytes;
}

/** A ustring; null: length -1. */
export function text(value: string | null): string {
  if (value === null) return 'ffffffff';
  const digits = Array.from(new TextEncoder().encode(value), (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return buffer(digits.join(''));
}

/** A vector of elements already in hex; null: count -1. */
export function vector(elements: readonly string[] | null): string {
  return elements === null ? 'ffffffff' : int(elements.length) + elements.join('');
}

/** A frame: the parts behind their length. */
export function frame(...parts: readonly string[]): string {
  return buffer(parts.join(''));
}

/** One entry of an ACL. */
export function acl(perms: number, scheme: string | null, id: string | null): string {
  return int(perms) + text(scheme) + text(id);
}

/** The ACL vector of a node open to everybody. */
export const OPEN_ACL_HEX = '000000010000001f00000005776f726c6400000006616e796f6e65';

export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  }
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}
