/**
 * Plays the recorded conversations against a running server over TCP and reports what it answers
 * differently. The server should be fresh or at least hold none of the nodes `/zkg-...`, and run
 * with tickTime 2000 (session timeouts between 4000 and 40000 ms).
 */

import { connect, type Socket } from 'node:net';
import { GoldenComparison } from './golden-compare.ts';
import type { GoldenProfile, GoldenScenario, GoldenStep } from './golden-scenarios.ts';

export interface ReplayOptions {
  readonly host: string;
  readonly port: number;
  readonly profile: GoldenProfile;
  /** Which scenarios to play, by name; all of them when left out. */
  readonly filter?: (name: string) => boolean;
  /** How long nothing must come where silence is expected. */
  readonly quietMs?: number;
  /** How long to wait for a frame or for the close. */
  readonly timeoutMs?: number;
}

export interface ReplayReport {
  readonly scenario: string;
  /** One sentence a difference; none: the server behaves as recorded. */
  readonly differences: readonly string[];
}

/** Plays the scenarios one after the other, each on connections of its own. */
export async function replayGolden(
  scenarios: readonly GoldenScenario[],
  options: ReplayOptions,
): Promise<readonly ReplayReport[]> {
  const reports: ReplayReport[] = [];
  for (const scenario of scenarios) {
    if (options.filter !== undefined && !options.filter(scenario.name)) continue;
    const differences = await replayScenario(scenario, options);
    reports.push({ scenario: scenario.name, differences });
  }
  return reports;
}

async function replayScenario(
  scenario: GoldenScenario,
  options: ReplayOptions,
): Promise<readonly string[]> {
  const comparison = new GoldenComparison(options.profile);
  const peers = new Map<string, Peer>();
  const differences: string[] = [];
  try {
    for (const [index, step] of scenario.steps.entries()) {
      const problem = await replayStep(step, comparison, peers, options);
      if (problem === undefined) continue;
      differences.push(`step ${index} (${step.note ?? step.conn}): ${problem.text}`);
      // Once frames are missing, the following ones can only be compared with the wrong step.
      if (problem.isFatal) break;
    }
    for (const [name, peer] of peers) {
      if (peer.pendingBytes > 0) differences.push(`connection ${name}: bytes left at the end`);
    }
  } finally {
    for (const peer of peers.values()) peer.destroy();
  }
  return differences;
}

interface Problem {
  readonly text: string;
  readonly isFatal: boolean;
}

async function replayStep(
  step: GoldenStep,
  comparison: GoldenComparison,
  peers: Map<string, Peer>,
  options: ReplayOptions,
): Promise<Problem | undefined> {
  const peer = peers.get(step.conn) ?? new Peer(options.host, options.port);
  peers.set(step.conn, peer);
  const timeoutMs = options.timeoutMs ?? 5000;
  const request = comparison.request(step);
  if (typeof request === 'string') return { text: request, isFatal: true };
  if (request.length > 0) peer.send(request);
  let difference: string | undefined;
  for (const [index, expected] of step.expect.entries()) {
    const frame =
      step.unframed === true
        ? await peer.receiveBytes(expected.length / 2, timeoutMs)
        : await peer.receiveFrame(timeoutMs);
    if (frame === undefined) {
      const text = `frame ${index} of ${step.expect.length} did not come`;
      return { text: difference === undefined ? text : `${difference}; ${text}`, isFatal: true };
    }
    difference ??= comparison.frame(step, index, frame);
  }
  if (step.closed === true) {
    if (!(await peer.waitForClose(timeoutMs))) difference ??= 'the connection was not closed';
    else if (peer.pendingBytes > 0) difference ??= 'more bytes came before the close';
  } else if (step.expect.length === 0) {
    if (await peer.hasActivity(options.quietMs ?? 250)) difference ??= 'silence was expected';
  }
  return difference === undefined ? undefined : { text: difference, isFatal: false };
}

/** One connection, with what it received and nobody asked for yet. */
class Peer {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    // A reset is one way for a server to close; 'close' follows and says so.
    this.#socket.on('error', () => {});
    const closed = (): void => {
      this.#isClosed = true;
      this.#wake();
    };
    this.#socket.on('end', closed);
    this.#socket.on('close', closed);
  }

  get pendingBytes(): number {
    return this.#received.length;
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next frame with its length, or undefined when it does not come whole in time. */
  async receiveFrame(timeoutMs: number): Promise<Uint8Array | undefined> {
    const lengthCame = await this.#until(() => this.#received.length >= 4, timeoutMs);
    if (!lengthCame) return undefined;
    return this.receiveBytes(4 + this.#received.readUInt32BE(0), timeoutMs);
  }

  async receiveBytes(count: number, timeoutMs: number): Promise<Uint8Array | undefined> {
    if (!(await this.#until(() => this.#received.length >= count, timeoutMs))) return undefined;
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  async waitForClose(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.#isClosed, timeoutMs);
  }

  /** Whether anything comes, or the connection closes, within so many milliseconds. */
  async hasActivity(quietMs: number): Promise<boolean> {
    return this.#until(() => this.#received.length > 0 || this.#isClosed, quietMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Waits for a condition; false when time runs out or the connection closes without meeting it. */
  async #until(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, timeoutMs);
    while (!isMet() && !this.#isClosed && !isLate) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    return isMet();
  }
}
