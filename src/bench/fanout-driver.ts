/**
 * Many connections watch one node: a round is one set, an event to every watcher, and every watcher's
 * next getData with a watch. What counts is the notification, timed from the set to the event.
 */

import { invariant } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import type { Address } from '../runtime/runtime.ts';
import type { LoadDriver } from './load-driver.ts';
import { randomBytes, watchFrame, XID_AT } from './load-frames.ts';
import type { LoadTally } from './load-tally.ts';
import { SessionClient } from './session-client.ts';
import { WireConnection } from './wire-connection.ts';

const OPEN_TIMEOUT_MS = 10_000;
const ROUND_TIMEOUT_MS = 30_000;
/** What the header of an event says where a reply has its xid. */
const EVENT_XID = -1;
/** Connections that are made at the same time: fewer than a listen backlog of the original's holds. */
const CONNECTING = 32;

export class FanoutDriver implements LoadDriver {
  readonly #addresses: readonly Address[];
  readonly #path: string;
  readonly #data: Uint8Array;
  readonly #tally: LoadTally;
  readonly #watchers: readonly Watcher[];
  readonly #round: Round;
  #setter: SessionClient | undefined;
  #rounds: Promise<void> = Promise.resolve();

  constructor(
    addresses: readonly Address[],
    path: string,
    size: number,
    watcherCount: number,
    tally: LoadTally,
  ) {
    this.#addresses = addresses;
    this.#path = path;
    this.#data = randomBytes(new Prng(size), size);
    this.#tally = tally;
    this.#round = new Round(watcherCount);
    const frame = watchFrame(path);
    this.#watchers = Array.from(
      { length: watcherCount },
      () => new Watcher(frame, this.#round, tally),
    );
  }

  async start(): Promise<void> {
    const first = this.#addresses[0];
    invariant(first !== undefined, 'a target without servers');
    this.#setter = await SessionClient.open(first, OPEN_TIMEOUT_MS);
    const queue = this.#watchers.entries();
    const connectSome = async (): Promise<void> => {
      for (const [at, watcher] of queue) {
        await watcher.connect(this.#addresses[at % this.#addresses.length] ?? first);
      }
    };
    await Promise.all(Array.from({ length: CONNECTING }, connectSome));
    const isArmed = this.#round.begin(performance.now());
    for (const watcher of this.#watchers) watcher.arm();
    await isArmed;
    this.#rounds = this.#run(this.#setter);
  }

  async stop(): Promise<void> {
    this.#tally.isIssuing = false;
    await this.#rounds;
  }

  /** A round ends with all its events or fails, and each is held against the set's zxid. */
  async verify(): Promise<readonly string[]> {
    return [];
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#setter?.destroy();
  }

  async #run(setter: SessionClient): Promise<void> {
    while (this.#tally.isIssuing && this.#tally.errorCount === 0) {
      const round = this.#round.begin(performance.now());
      const zxid = await setter.set(this.#path, this.#data);
      const isComplete = await round;
      if (!isComplete) {
        this.#tally.fail('a round of events and reads never ended');
      } else if (this.#round.leastZxid < zxid) {
        this.#tally.fail('a read behind an event was older than its cause');
      }
    }
  }
}

/** How far all watchers are in the round under way. */
class Round {
  readonly #watcherCount: number;
  #setAtMs = 0;
  #armed = 0;
  #leastZxid = 0;
  #end: (isComplete: boolean) => void = () => undefined;

  constructor(watcherCount: number) {
    this.#watcherCount = watcherCount;
  }

  /** When the set of this round was sent. */
  get setAtMs(): number {
    return this.#setAtMs;
  }

  /** Of the reads that armed the watches. */
  get leastZxid(): number {
    return this.#leastZxid;
  }

  /** Resolves when all watches are armed, to false when that takes too long. */
  begin(nowMs: number): Promise<boolean> {
    this.#setAtMs = nowMs;
    this.#armed = 0;
    this.#leastZxid = Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ROUND_TIMEOUT_MS);
      this.#end = (isComplete) => {
        clearTimeout(timer);
        resolve(isComplete);
      };
    });
  }

  armed(zxid: number): void {
    this.#armed += 1;
    this.#leastZxid = Math.min(this.#leastZxid, zxid);
    if (this.#armed === this.#watcherCount) this.#end(true);
  }

  /** Nothing more is to be waited for. */
  failed(): void {
    this.#end(false);
  }
}

class Watcher {
  readonly #frame: Buffer;
  readonly #round: Round;
  readonly #tally: LoadTally;
  readonly #wire: WireConnection;
  #xid = 0;
  #isArmed = false;

  constructor(frame: Buffer, round: Round, tally: LoadTally) {
    this.#frame = Buffer.from(frame);
    this.#round = round;
    this.#tally = tally;
    this.#wire = new WireConnection({
      replied: (head, nowMs) => this.#replied(head, nowMs),
      readEnded: () => undefined,
      failed: (reason) => this.#fail(reason),
    });
  }

  connect(address: Address): Promise<void> {
    return this.#wire.connect(address);
  }

  /** One request is outstanding at most, so its frame can be used again. */
  arm(): void {
    this.#xid += 1;
    this.#frame.writeInt32BE(this.#xid, XID_AT);
    this.#wire.write(this.#frame);
  }

  close(): void {
    this.#wire.close();
  }

  #replied(head: Buffer, nowMs: number): void {
    const xid = head.readInt32BE(4);
    const code = head.readInt32BE(16);
    if (xid === EVENT_XID) {
      if (!this.#isArmed) this.#fail('an event without a watch');
      this.#isArmed = false;
      this.#tally.record((nowMs - this.#round.setAtMs) * 1000);
      this.arm();
    } else if (xid !== this.#xid || code !== 0) {
      this.#fail(`a reply with xid ${xid} and error ${code}`);
    } else {
      this.#isArmed = true;
      this.#round.armed(head.readInt32BE(8) * 0x1_0000_0000 + head.readUInt32BE(12));
    }
  }

  #fail(reason: string): void {
    this.#tally.fail(reason);
    this.#round.failed();
  }
}
