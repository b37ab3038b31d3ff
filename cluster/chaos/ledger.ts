/**
 * Writers that create nodes without pause and keep account of every one that was acknowledged, so
 * that each server can be asked whether it has them all, with the bytes that were written.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, isKeeperError } from '../../src/client/index.ts';
import type { ChaosServers } from './chaos-servers.ts';

const ROOT = '/ledger';
const SESSION_TIMEOUT_MS = 10_000;
const RECONNECT_DELAY = { minMs: 2, maxMs: 50 };
const CONNECT_MS = 60_000;
/** Operations asked for at once where a whole batch is read or deleted. */
const AT_ONCE = 200;

/** What one server lacks, or has otherwise than it was written. */
export interface LedgerProblem {
  readonly server: number;
  readonly what: string;
}

export class Ledger {
  readonly #servers: ChaosServers;
  readonly #writers: Client[];
  readonly #running: Promise<void>[] = [];
  #batch = 0;
  /** Of the batch: what was acknowledged. */
  #acked: string[] = [];
  #ackCount = 0;
  #isRunning = true;

  constructor(servers: ChaosServers, writerCount: number) {
    this.#servers = servers;
    this.#writers = Array.from({ length: writerCount }, () => clientOf(servers.connectString));
  }

  get ackCount(): number {
    return this.#ackCount;
  }

  async start(): Promise<void> {
    const [first] = this.#writers;
    for (const writer of this.#writers) await writer.connect();
    await first?.create(ROOT, '');
    await first?.create(this.#folder(0), '');
    for (const [index, writer] of this.#writers.entries())
      this.#running.push(this.#write(writer, index));
  }

  /** Resolves when that many more writes are acknowledged; throws when that takes a minute. */
  async untilAcked(count: number): Promise<void> {
    const goal = this.#ackCount + count;
    const deadline = performance.now() + CONNECT_MS;
    while (this.#ackCount < goal) {
      if (performance.now() > deadline) throw new Error('no write was done for a minute');
      await sleep(5);
    }
  }

  /**
   * Begins a new batch and asks every server for the one before it; with `values` for each node's
   * bytes too. The batch is deleted after that.
   */
  async verify(values = false): Promise<LedgerProblem[]> {
    const batch = this.#batch;
    const acked = this.#acked;
    const keeper = clientOf(this.#servers.connectString);
    await keeper.connect();
    await keeper.create(this.#folder(batch + 1), '');
    this.#acked = [];
    this.#batch++;
    const problems: LedgerProblem[] = [];
    let names: string[] = [];
    for (const id of this.#servers.ids) {
      const reader = clientOf(this.#servers.addressText(id));
      await reader.connect();
      await reader.sync('/');
      names = await reader.children(this.#folder(batch));
      const there = new Set(names);
      const missing = acked.filter((name) => !there.has(name));
      if (missing.length > 0) {
        const what = `lacks ${missing.length} acknowledged nodes, ${missing[0]} among them`;
        problems.push({ server: id, what });
      }
      if (values) problems.push(...(await this.#compare(reader, id, batch, names)));
      await reader.close();
    }
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const part = names.slice(at, at + AT_ONCE);
      // What a writer left of unknown outcome may still be created meanwhile: the folder stays.
      const deleted = part.map((name) => keeper.delete(`${this.#folder(batch)}/${name}`));
      await Promise.allSettled(deleted);
    }
    await keeper.close();
    return problems;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#writers.map((writer) => writer.close()));
    await Promise.all(this.#running);
  }

  async #compare(
    reader: Client,
    id: number,
    batch: number,
    names: readonly string[],
  ): Promise<LedgerProblem[]> {
    const problems: LedgerProblem[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const part = names.slice(at, at + AT_ONCE);
      const read = await Promise.all(
        part.map((name) => reader.get(`${this.#folder(batch)}/${name}`)),
      );
      for (const [index, { data }] of read.entries()) {
        const name = part[index] ?? '';
        if (data?.toString() === bytesOf(name)) continue;
        problems.push({
          server: id,
          what: `serves ${data?.toString('hex')} as the value of ${name}`,
        });
      }
    }
    return problems;
  }

  async #write(writer: Client, index: number): Promise<void> {
    for (let count = 0; this.#isRunning; count++) {
      const acked = this.#acked;
      const name = `${index}-${count}`;
      try {
        await writer.create(`${this.#folder(this.#batch)}/${name}`, bytesOf(name));
        acked.push(name);
        this.#ackCount++;
      } catch (error) {
        if (!this.#isRunning) return;
        if (!isKeeperError(error)) throw error;
        // Anything else is an answer that nobody should get.
        if (error.code !== 'CONNECTION_LOSS' && error.code !== 'SESSION_EXPIRED') throw error;
      }
      await sleep(1);
    }
  }

  #folder(batch: number): string {
    return `${ROOT}/${batch}`;
  }
}

function clientOf(hosts: string): Client {
  return new Client({
    hosts,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_MS,
    renewSession: true,
    reconnectDelay: RECONNECT_DELAY,
  });
}

function bytesOf(name: string): string {
  return `value of ${name}, `.repeat(4);
}
