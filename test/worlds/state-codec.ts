/**
 * Any state of the core as text and back. Two states get the same text exactly when they behave the
 * same: the order in which maps and plain objects were filled is left out, instants are told
 * relative to the present, and an object that is part of the state twice is told once.
 */

type Encoded = null | boolean | number | string | Encoded[];

/** Fields that hold an instant; all others that end in `Ms` hold durations. */
const INSTANTS: ReadonlySet<string> = new Set([
  'nowMs',
  'abstainUntilMs',
  '_startedMs',
  '_progressMs',
  'progressMs',
  'lastHeardMs',
  '_lastHeardMs',
  'waitingSinceMs',
  '_writingSinceMs',
  '_redialAtMs',
  '_finalizeAtMs',
  '_resendAtMs',
  '_dueMs',
]);

type Fields = Record<string, unknown>;

interface Shape {
  readonly prototype: object;
  readonly fields: readonly string[];
}

export class StateCodec {
  /** What never changes is told by its name. */
  readonly #names: ReadonlyMap<object, string>;
  readonly #constants: ReadonlyMap<string, object>;
  readonly #shapes = new Map<string, Shape>();
  #nowMs = 0;
  /** Objects of classes met so far in one text, which have an identity. */
  readonly #seen = new Map<object, number>();

  constructor(constants: Readonly<Record<string, object>>) {
    const pairs = Object.entries(constants);
    this.#constants = new Map(pairs);
    this.#names = new Map(pairs.map(([name, value]) => [value, name]));
  }

  /** With `nowMs` as the instant zero. What is past counts as just past: no clock says how long ago. */
  encode(value: unknown, nowMs: number): string {
    this.#nowMs = nowMs;
    this.#seen.clear();
    return this.#encode(value);
  }

  decode(text: string): unknown {
    const objects: object[] = [];
    return this.#decode(JSON.parse(text), objects);
  }

  /** JSON, written directly: this is where an exploration spends most of its time. */
  #encode(value: unknown): string {
    switch (typeof value) {
      case 'number':
      case 'boolean':
        return String(value);
      case 'string':
        return JSON.stringify(value);
      case 'undefined':
        return '["U"]';
      case 'function':
        return '["F"]';
      case 'object':
        return value === null ? 'null' : this.#encodeObject(value);
      default:
        throw new TypeError(`a state holds a ${typeof value}`);
    }
  }

  #encodeObject(value: object): string {
    if (Array.isArray(value)) return this.#encodeItems('["A"', value);
    if (value instanceof Map) return this.#encodeMap(value);
    if (value instanceof Set) return this.#encodeItems('["S"', [...value].sort());
    if (value instanceof Uint8Array) return `["B"${value.length > 0 ? `,${value}` : ''}]`;
    const name = this.#names.get(value);
    if (name !== undefined) return `["K","${name}"]`;
    if (Object.getPrototypeOf(value) === Object.prototype) return this.#encodePlain(value);
    const index = this.#seen.get(value);
    if (index !== undefined) return `["R",${index}]`;
    this.#seen.set(value, this.#seen.size);
    return this.#encodeInstance(value as Fields);
  }

  #encodeItems(head: string, items: readonly unknown[]): string {
    let text = head;
    for (const item of items) text += `,${this.#encode(item)}`;
    return `${text}]`;
  }

  #encodeMap(map: ReadonlyMap<unknown, unknown>): string {
    const pairs = [...map];
    if (pairs.length > 1) pairs.sort(([a], [b]) => Number(a) - Number(b));
    let text = '["M"';
    for (const [key, item] of pairs) text += `,${this.#encode(key)},${this.#encode(item)}`;
    return `${text}]`;
  }

  #encodePlain(value: object): string {
    const fields = value as Fields;
    let text = '["O"';
    for (const key of Object.keys(value).sort()) text += `,"${key}",${this.#encode(fields[key])}`;
    return `${text}]`;
  }

  #encodeInstance(value: Fields): string {
    const { name } = value.constructor;
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      shape = { prototype: Object.getPrototypeOf(value), fields: Object.keys(value) };
      this.#shapes.set(name, shape);
    }
    let text = `["C","${name}"`;
    for (const key of shape.fields) {
      const item = value[key];
      const isInstant = typeof item === 'number' && key.endsWith('Ms') && INSTANTS.has(key);
      text += isInstant ? `,${this.#instant(item)}` : `,${this.#encode(item)}`;
    }
    return `${text}]`;
  }

  #instant(ms: number): number {
    return ms > this.#nowMs ? ms - this.#nowMs : 0;
  }

  #decode(encoded: Encoded, objects: object[]): unknown {
    if (!Array.isArray(encoded)) return encoded;
    switch (encoded[0]) {
      case 'A':
        return this.#decodeItems(encoded, objects);
      case 'B':
        return Uint8Array.from(encoded.slice(1).map(Number));
      case 'K':
        return this.#constants.get(String(encoded[1]));
      case 'M':
        return this.#decodeMap(encoded, objects);
      case 'S':
        return new Set(this.#decodeItems(encoded, objects));
      case 'O':
        return this.#decodePlain(encoded, objects);
      case 'R':
        return objects[Number(encoded[1])];
      case 'C':
        return this.#decodeInstance(encoded, objects);
      default:
        // A function is put back by whoever knows what it closes over.
        return undefined;
    }
  }

  #decodeItems(encoded: readonly Encoded[], objects: object[]): unknown[] {
    const items: unknown[] = [];
    for (let i = 1; i < encoded.length; i++) items.push(this.#decode(encoded[i] ?? null, objects));
    return items;
  }

  #decodeMap(encoded: readonly Encoded[], objects: object[]): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let i = 1; i < encoded.length; i += 2) {
      const key = this.#decode(encoded[i] ?? null, objects);
      map.set(key, this.#decode(encoded[i + 1] ?? null, objects));
    }
    return map;
  }

  #decodePlain(encoded: readonly Encoded[], objects: object[]): object {
    const value: Record<string, unknown> = {};
    for (let i = 1; i < encoded.length; i += 2) {
      value[String(encoded[i])] = this.#decode(encoded[i + 1] ?? null, objects);
    }
    return value;
  }

  #decodeInstance(encoded: readonly Encoded[], objects: object[]): object {
    const shape = this.#shapes.get(String(encoded[1]));
    if (shape === undefined) throw new TypeError(`unknown class ${String(encoded[1])}`);
    const value: Fields = Object.create(shape.prototype);
    objects.push(value);
    let i = 2;
    for (const name of shape.fields) value[name] = this.#decode(encoded[i++] ?? null, objects);
    return value;
  }
}
