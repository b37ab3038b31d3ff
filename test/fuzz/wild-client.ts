/** A client that sends anything, reads or does not, and dials again whenever it was cut off. */

import { SESSION_NONE } from '../../src/base/ids.ts';
import type { Prng } from '../../src/base/prng.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { encodeConnectRequest } from '../../src/protocol/records/connect.ts';
import type { Address, ByteStream, Runtime } from '../../src/runtime/runtime.ts';
import { pick } from './draw.ts';
import type { Mutator } from './mutator.ts';
import { RequestSource } from './request-source.ts';

const CONNECT_TIMEOUT_MS = 5000;
/** A batch ends when it is so long. */
const BATCH_BYTES = 256 * 1024;
/** Longer than any reply that there is to what is asked. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;
const WORDS: readonly string[] = [
  'ruok',
  'mntr',
  'stat',
  'srvr',
  'cons',
  'dump',
  'wchs',
  'wchc',
  'wchp',
  'conf',
  'envi',
  'isro',
  'dirs',
  'hash',
  'gtmk',
  'stmk',
  'crst',
  'ruok\n',
  'mntrmntr',
  'RUOK',
  'xxxx',
];

export interface WildTotals {
  /** Frames sent, those that nobody read because the server had closed included. */
  sent: number;
  /** Replies and events received. */
  received: number;
  connections: number;
}

export class WildClient {
  readonly #runtime: Runtime;
  readonly #address: Address;
  readonly #prng: Prng;
  readonly #mutator: Mutator;
  readonly #corpus: readonly Uint8Array[];
  readonly #source: RequestSource;
  readonly #totals: WildTotals;
  readonly #writer = new JuteWriter();
  readonly #batch = new Uint8Array(2 * BATCH_BYTES);
  #filled = 0;
  #stream: ByteStream | undefined;
  /** Bytes of the frame that is coming in; its length while it is not whole is in `#length`. */
  #header = 0;
  #headerBytes = 0;
  #bodyLeft = 0;
  #isText = false;

  constructor(
    runtime: Runtime,
    address: Address,
    prng: Prng,
    damage: { readonly mutator: Mutator; readonly corpus: readonly Uint8Array[] },
    totals: WildTotals,
  ) {
    this.#runtime = runtime;
    this.#address = address;
    this.#prng = prng;
    this.#mutator = damage.mutator;
    this.#corpus = damage.corpus;
    this.#source = new RequestSource(prng);
    this.#totals = totals;
  }

  /** Sends so many more frames, in pieces that end anywhere; now and then hangs up or goes deaf. */
  send(frameCount: number): void {
    const stream = this.#stream ?? this.#dial();
    for (let i = 0; i < frameCount && this.#filled < BATCH_BYTES; i++) this.#appendFrame();
    // The stream takes the bytes over, the batch is filled again.
    const bytes = Uint8Array.from(this.#batch.subarray(0, this.#filled));
    this.#filled = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = this.#prng.chance(0.3) ? this.#prng.between(at + 1, bytes.length) : bytes.length;
      stream.write(bytes.subarray(at, end));
      at = end;
    }
    const mood = this.#prng.between(0, 99);
    if (mood < 1) this.hangUp();
    else if (mood < 2) this.#endSending(stream);
    else if (mood < 3) stream.pause();
    else if (mood < 33) stream.resume();
  }

  hangUp(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.destroy();
  }

  /** Half closed: it may still read what it asked for. */
  #endSending(stream: ByteStream): void {
    this.#stream = undefined;
    stream.end();
    stream.resume();
  }

  #dial(): ByteStream {
    const stream = this.#runtime.network.connect(this.#address, CONNECT_TIMEOUT_MS);
    this.#stream = stream;
    this.#totals.connections += 1;
    this.#header = 0;
    this.#headerBytes = 0;
    this.#bodyLeft = 0;
    this.#isText = false;
    const gone = (): void => {
      if (this.#stream === stream) this.#stream = undefined;
      stream.destroy();
    };
    stream.attach({
      onData: (chunk) => {
        if (this.#stream === stream) this.#count(chunk);
      },
      onEnd: gone,
      onClose: gone,
    });
    this.#greet();
    return stream;
  }

  /** Mostly a session, sometimes a word, sometimes nothing that means anything. */
  #greet(): void {
    this.#totals.sent += 1;
    const draw = this.#prng.between(0, 99);
    if (draw < 3) {
      this.#isText = true;
      this.#append(Buffer.from(pick(this.#prng, WORDS)));
      return;
    }
    const frame = this.#connectFrame();
    if (draw < 92) this.#append(frame);
    else if (draw < 96) this.#append(this.#mutator.damaged(frame, 0));
  }

  #connectFrame(): Uint8Array {
    const writer = this.#writer;
    const mark = writer.beginFrame();
    encodeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeoutMs: this.#prng.between(-1, 60_000),
      sessionId: SESSION_NONE,
      password: new Uint8Array(16),
      readOnly: this.#prng.chance(0.5) ? false : undefined,
    });
    writer.endFrame(mark);
    return writer.take();
  }

  #appendFrame(): void {
    this.#totals.sent += 1;
    const original = this.#corpus[this.#prng.between(0, this.#corpus.length - 1)];
    const isRecorded = original !== undefined && this.#prng.chance(0.01);
    if (!isRecorded) this.#source.append(this.#writer);
    const frame = isRecorded ? original : this.#writer.take();
    if (this.#prng.chance(0.4)) {
      this.#append(frame);
      return;
    }
    // Behind the header, mostly: with another operation the record would mean nothing.
    const spared = this.#prng.chance(0.997) ? 12 : 4;
    const damaged = this.#mutator.damaged(frame, Math.min(spared, frame.length));
    if (damaged.length >= 4 && !this.#prng.chance(0.002)) {
      new DataView(damaged.buffer, damaged.byteOffset).setInt32(0, damaged.length - 4);
    }
    this.#append(damaged);
  }

  #append(bytes: Uint8Array): void {
    const room = this.#batch.length - this.#filled;
    this.#batch.set(bytes.length > room ? bytes.subarray(0, room) : bytes, this.#filled);
    this.#filled += Math.min(bytes.length, room);
  }

  /** Counts frames as they end, wherever the chunks do. */
  #count(chunk: Uint8Array): void {
    if (this.#isText) return;
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= step;
        at += step;
        if (this.#bodyLeft === 0) this.#totals.received += 1;
        continue;
      }
      this.#header = (this.#header << 8) | (chunk[at] ?? 0);
      at += 1;
      this.#headerBytes += 1;
      if (this.#headerBytes < 4) continue;
      if (this.#header < 0 || this.#header > REPLY_BYTES_MAX) throw new RangeError('not a reply');
      this.#bodyLeft = this.#header;
      this.#headerBytes = 0;
      this.#header = 0;
    }
  }
}
