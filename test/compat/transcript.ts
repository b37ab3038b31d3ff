/**
 * What a server sent, as text that can be compared: every byte of a frame is in it, but for values
 * that no two servers share. Zxids and session ids are taken out, in order, to be compared as pairs;
 * times become a mark if they lie within the run; sets are sorted, because their order is unspecified.
 */

import { OpCode } from '../../src/base/op-code.ts';
import type { Request } from './request.ts';

/** A notification. Its zxid stands apart, because versions differ in it. */
export interface Event extends Rendered {
  readonly zxid: bigint;
}

/** One frame, normalised. */
export interface Rendered {
  /** `#` stands for a zxid, `@` for a session id, `T` for a time. */
  readonly text: string;
  readonly zxids: readonly bigint[];
  readonly sessions: readonly bigint[];
}

/** A reply, in parts for rules about known differences. */
export interface Reply extends Rendered {
  readonly error: number;
  /** The header's zxid; the first of `zxids`. */
  readonly zxid: bigint;
}

/** No run takes longer, and clocks of two processes on one machine agree: times lie in this range. */
const TIME_SLACK_MS = 3_600_000n;

class Renderer {
  readonly #view: DataView;
  readonly #bytes: Buffer;
  readonly #nowMs = BigInt(Date.now());
  #at = 0;
  text = '';
  readonly zxids: bigint[] = [];
  readonly sessions: bigint[] = [];

  constructor(frame: Uint8Array) {
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    this.#bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  int(): number {
    const value = this.#view.getInt32(this.#at);
    this.#at += 4;
    return value;
  }

  long(): bigint {
    const value = this.#view.getBigInt64(this.#at);
    this.#at += 8;
    return value;
  }

  byte(): number {
    const value = this.#view.getUint8(this.#at);
    this.#at += 1;
    return value;
  }

  string(): string {
    const length = this.int();
    if (length === -1) return 'null';
    if (length < 0 || length > this.#bytes.length - this.#at) throw new RangeError('length');
    const text = this.#bytes.toString('latin1', this.#at, this.#at + length);
    this.#at += length;
    return JSON.stringify(text);
  }

  zxid(): string {
    const value = this.long();
    if (value <= 0n) return value.toString();
    this.zxids.push(value);
    return '#';
  }

  session(): string {
    const value = this.long();
    if (value === 0n) return '0';
    this.sessions.push(value);
    return '@';
  }

  time(): string {
    const value = this.long();
    const distance = value > this.#nowMs ? value - this.#nowMs : this.#nowMs - value;
    return distance < TIME_SLACK_MS ? 'T' : value.toString();
  }

  stat(): string {
    const zxids = `c${this.zxid()} m${this.zxid()}`;
    const times = `${this.time()} ${this.time()}`;
    const versions = `v${this.int()},${this.int()},${this.int()}`;
    const rest = `owner ${this.session()} length ${this.int()} children ${this.int()}`;
    return `{${zxids} ${times} ${versions} ${rest} p${this.zxid()}}`;
  }

  /** Elements of a vector, each read by `element`. */
  vector(element: () => string): string[] | undefined {
    const count = this.int();
    if (count === -1) return undefined;
    if (count < 0 || count > this.#bytes.length) throw new RangeError('count');
    return Array.from({ length: count }, element);
  }

  set(element: () => string): string {
    const elements = this.vector(element);
    return elements === undefined ? 'null' : `{${elements.sort().join(' ')}}`;
  }

  /** Bytes not read yet, in hex: nothing goes uncompared. */
  rest(): string {
    return this.#bytes.toString('hex', this.#at);
  }

  done(): Rendered {
    return { text: this.text, zxids: this.zxids, sessions: this.sessions };
  }
}

/** The reply to `asked`. A body that is not what the operation returns is shown in hex. */
export function renderReply(asked: Request, xid: number, frame: Uint8Array): Reply {
  const renderer = new Renderer(frame);
  if (frame.length < 16) return { ...hexOnly(frame), error: 0, zxid: 0n };
  const seenXid = renderer.int();
  const xidText = seenXid === xid ? '' : `xid ${seenXid - xid} off `;
  const at = renderer.zxid();
  const error = renderer.int();
  const zxid = renderer.zxids[0] ?? BigInt(at);
  try {
    const body = error === 0 ? renderBody(renderer, asked.type) : '';
    renderer.text = `${xidText}zxid ${at} err ${error}${body}${remainder(renderer)}`;
    return { ...renderer.done(), error, zxid };
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
    return { ...hexOnly(frame), error, zxid };
  }
}

export function renderEvent(frame: Uint8Array): Event {
  const renderer = new Renderer(frame);
  try {
    renderer.int();
    const zxid = renderer.long();
    const error = renderer.int();
    renderer.text = `event type ${renderer.int()} state ${renderer.int()} ${renderer.string()}`;
    if (error !== 0) renderer.text += ` err ${error}`;
    renderer.text += remainder(renderer);
    return { ...renderer.done(), zxid };
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
    return { ...hexOnly(frame), zxid: 0n };
  }
}

/** The answer to a connect request. */
export function renderConnect(frame: Uint8Array): Rendered {
  const renderer = new Renderer(frame);
  try {
    renderer.text = `connected version ${renderer.int()} timeout ${renderer.int()}`;
    renderer.text += ` session ${renderer.session()}`;
    const passwordBytes = renderer.int();
    const password = [renderer.long(), renderer.long()];
    const isNone = password.every((half) => half === 0n);
    renderer.text += ` password ${passwordBytes} ${isNone ? 'none' : 'P'}${remainder(renderer)}`;
    return renderer.done();
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
    return hexOnly(frame);
  }
}

function remainder(renderer: Renderer): string {
  return renderer.isAtEnd ? '' : ` + ${renderer.rest()}`;
}

function hexOnly(frame: Uint8Array): Rendered {
  return { text: `bytes ${Buffer.from(frame).toString('hex')}`, zxids: [], sessions: [] };
}

function renderBody(renderer: Renderer, type: number): string {
  switch (type) {
    case OpCode.create:
    case OpCode.sync:
    case OpCode.sasl:
      return ` ${renderer.string()}`;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
    case OpCode.getData:
    case OpCode.reconfig:
      return ` ${renderer.string()} ${renderer.stat()}`;
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setAcl:
      return ` ${renderer.stat()}`;
    case OpCode.getAcl:
      return ` ${renderAcl(renderer)} ${renderer.stat()}`;
    case OpCode.getChildren:
    case OpCode.getEphemerals:
      return ` ${renderer.set(() => renderer.string())}`;
    case OpCode.getChildren2:
      return ` ${renderer.set(() => renderer.string())} ${renderer.stat()}`;
    case OpCode.multi:
    case OpCode.multiRead:
      return renderMulti(renderer);
    case OpCode.getAllChildrenNumber:
    case OpCode.addWatch:
      return ` ${renderer.int()}`;
    case OpCode.whoAmI:
      return ` ${renderer.set(() => `${renderer.string()}:${renderer.string()}`)}`;
    default:
      return '';
  }
}

/** Entries that `auth` was expanded to stand side by side in any order: such runs are sorted. */
function renderAcl(renderer: Renderer): string {
  const entries = renderer.vector(
    () => `${renderer.int()} ${renderer.string()}:${renderer.string()}`,
  );
  if (entries === undefined) return 'null';
  const isDigest = (entry: string): boolean => entry.includes(' "digest":');
  const sorted = entries.flatMap((entry, at) => {
    if (!isDigest(entry)) return [entry];
    if (at > 0 && isDigest(entries[at - 1] ?? '')) return [];
    const end = entries.findIndex((other, index) => index > at && !isDigest(other));
    return entries.slice(at, end === -1 ? undefined : end).sort();
  });
  return `[${sorted.join(', ')}]`;
}

function renderMulti(renderer: Renderer): string {
  let text = '';
  for (;;) {
    const type = renderer.int();
    const isDone = renderer.byte();
    const error = renderer.int();
    text += `\n    ${type} ${isDone} ${error}`;
    if (isDone !== 0) return text;
    text += renderResult(renderer, type);
  }
}

function renderResult(renderer: Renderer, type: number): string {
  switch (type) {
    case -1:
      return ` ${renderer.int()}`;
    case OpCode.delete:
    case OpCode.check:
      return '';
    default:
      return renderBody(renderer, type);
  }
}
