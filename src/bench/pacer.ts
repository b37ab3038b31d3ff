/**
 * An open loop: requests become due at a fixed rate, whether or not earlier ones are answered, and
 * their latency counts from when they were due. So a pause of a server is seen by every request that
 * would have been sent meanwhile.
 */

const TURN_MS = 1;

export interface PacedConnection {
  /** Sends one request; false when it cannot take more. */
  send(dueMs: number): boolean;
}

export class Pacer {
  readonly #intervalMs: number;
  readonly #connections: readonly PacedConnection[];
  #timer: NodeJS.Timeout | undefined;
  #nextDueMs = 0;
  #turn = 0;

  constructor(perSecond: number, connections: readonly PacedConnection[]) {
    this.#intervalMs = 1000 / perSecond;
    this.#connections = connections;
  }

  start(): void {
    this.#nextDueMs = performance.now();
    this.#timer = setInterval(() => this.sendDue(performance.now()), TURN_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Sends what is due by now, each connection in its turn; what none takes stays due. */
  sendDue(nowMs: number): void {
    while (this.#nextDueMs <= nowMs) {
      const connection = this.#connections[this.#turn % this.#connections.length];
      if (connection === undefined || !connection.send(this.#nextDueMs)) return;
      this.#turn += 1;
      this.#nextDueMs += this.#intervalMs;
    }
  }
}
