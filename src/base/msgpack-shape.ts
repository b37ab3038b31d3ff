/**
 * What may be in a msgpack value that comes from a peer or a disk: arrays of plain fields, a few
 * levels deep. One pass without any memory of its own finds out before the value is unpacked,
 * because an unpacker also makes objects, regular expressions, dates and whatever else its extensions
 * stand for, and goes as deep as the bytes tell it to.
 */

/** More fields than any message has; what unpacking costs in memory stays in proportion to the bytes. */
const FIELDS_MAX = 16 * 1024 * 1024;

/**
 * Whether `bytes`, from `start` on, are exactly one array of nulls, booleans, numbers, texts, byte
 * strings and such arrays, at most `depthMax` arrays inside each other (at most 8).
 */
export function isPlainMsgpack(bytes: Uint8Array, start: number, depthMax: number): boolean {
  const end = bytes.length;
  const left = [0, 0, 0, 0, 0, 0, 0, 0];
  let depth = -1;
  let fields = 0;
  let at = start;
  for (;;) {
    const token = bytes[at];
    if (token === undefined) return false;
    const count = arrayCount(bytes, at, token);
    if (count >= 0) {
      at += token < 0xa0 ? 1 : token === 0xdc ? 3 : 5;
      fields += count;
      // Every element takes a byte, so a count beyond what is left can never be met.
      if (count > end - at || fields > FIELDS_MAX || depth + 1 >= depthMax) return false;
      depth += 1;
      left[depth] = count;
    } else {
      const size = depth < 0 ? 0 : scalarBytes(bytes, at, token);
      if (size === 0 || size > end - at) return false;
      at += size;
    }
    while (depth >= 0 && left[depth] === 0) depth -= 1;
    if (depth < 0) return at === end;
    left[depth] = (left[depth] ?? 0) - 1;
  }
}

/** Elements of the array that begins here; -1 when it is none. */
function arrayCount(bytes: Uint8Array, at: number, token: number): number {
  if ((token & 0xf0) === 0x90) return token & 0x0f;
  if (token === 0xdc) return bigEndian(bytes, at + 1, 2);
  return token === 0xdd ? bigEndian(bytes, at + 1, 4) : -1;
}

/** Bytes of the field that begins here, its head included; 0 when it is of no plain kind. */
function scalarBytes(bytes: Uint8Array, at: number, token: number): number {
  if (token < 0x80 || token >= 0xe0) return 1;
  if (token >= 0xa0 && token < 0xc0) return 1 + (token & 0x1f);
  switch (token) {
    case 0xc0: // null
    case 0xc2: // false
    case 0xc3: // true
      return 1;
    case 0xc4: // bytes
    case 0xd9: // text
      return 2 + bigEndian(bytes, at + 1, 1);
    case 0xc5:
    case 0xda:
      return 3 + bigEndian(bytes, at + 1, 2);
    case 0xc6:
    case 0xdb:
      return 5 + bigEndian(bytes, at + 1, 4);
    case 0xcc: // numbers
    case 0xd0:
      return 2;
    case 0xcd:
    case 0xd1:
      return 3;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 5;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 9;
    default:
      return 0;
  }
}

/** Bytes behind the end count as 0xff: a length made of them is too long for what is there. */
function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = at; i < at + size; i++) value = value * 256 + (bytes[i] ?? 0xff);
  return value;
}
