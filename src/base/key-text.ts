/**
 * A store's keys as text of one character a byte (latin1): such texts compare as the bytes do, and
 * unlike bytes they can be looked up in a Map.
 */

export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/** The bytes that a text was made of; the caller's own. */
export function keyBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
