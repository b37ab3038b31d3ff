/**
 * How long a service answers no write: one client at each server writes without pause, and the
 * longest time in which none of them was told that a write is done is the service's pause.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, isKeeperError } from '../../src/client/index.ts';

const SESSION_TIMEOUT_MS = 12_000;
const RECONNECT_DELAY = { minMs: 2, maxMs: 20 };
const BETWEEN_WRITES_MS = 2;

export class ServiceProbe {
  readonly #clients: Client[];
  readonly #running: Promise<void>[] = [];
  #isRunning = true;
  #lastAckMs = performance.now();
  #longestMs = 0;
  #ackCount = 0;
  /** Codes of writes that failed otherwise than by a lost connection. */
  readonly refusals = new Map<string, number>();

  constructor(addresses: readonly string[]) {
    this.#clients = addresses.map(
      (hosts) =>
        new Client({
          hosts,
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
          connectTimeoutMs: 60_000,
          renewSession: true,
          reconnectDelay: RECONNECT_DELAY,
        }),
    );
  }

  async start(): Promise<void> {
    for (const [index, client] of this.#clients.entries()) {
      await client.connect();
      const path = `/probe-${index}`;
      if ((await client.exists(path)) === undefined) await client.create(path, '');
      this.#running.push(this.#write(client, path));
    }
    this.mark();
  }

  /** From here on pauses count. */
  mark(): void {
    this.#lastAckMs = performance.now();
    this.#longestMs = 0;
  }

  /** The longest time without an answer since the mark, the one that lasts included. */
  get pauseMs(): number {
    return Math.max(this.#longestMs, performance.now() - this.#lastAckMs);
  }

  /** Resolves when that many more writes are done. */
  async untilAcked(count: number, timeoutMs: number): Promise<boolean> {
    const goal = this.#ackCount + count;
    const deadline = performance.now() + timeoutMs;
    while (this.#ackCount < goal) {
      if (performance.now() > deadline) return false;
      await sleep(BETWEEN_WRITES_MS);
    }
    return true;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    // A client whose server is gone would wait for ever: all are closed first.
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#running);
  }

  async #write(client: Client, path: string): Promise<void> {
    for (let count = 0; this.#isRunning; count++) {
      try {
        await client.set(path, String(count));
        this.#acked();
      } catch (error) {
        if (!this.#isRunning) return;
        if (!isKeeperError(error)) throw error;
        const { code } = error;
        if (code === 'CONNECTION_LOSS' || code === 'SESSION_EXPIRED') continue;
        this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
      }
      await sleep(BETWEEN_WRITES_MS);
    }
  }

  #acked(): void {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastAckMs);
    this.#lastAckMs = nowMs;
    this.#ackCount++;
  }
}
