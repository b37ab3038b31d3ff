/**
 * A whole server in a simulated world, with its real tree and log, between wild clients and one that
 * behaves. Rounds: the wild ones rage; then all of them are cut off, nothing of them may be left but
 * what they created; a janitor takes that away; and the server starts again from its disk, where it
 * must find the same tree.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ErrorCode } from '../../src/base/error-code.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import { decodeGetChildrenReply } from '../../src/protocol/records/read-reply.ts';
import { encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { makeWriteRequest } from '../../src/protocol/records/write-request.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { configFromOptions } from '../../src/server/load-config.ts';
import type { Log, LogFields } from '../../src/server/logger.ts';
import { createServer, type Server } from '../../src/server/server.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { WireClient } from '../support/wire-client.ts';
import { goldenFrames, loadCorpus } from './corpus.ts';
import { Mutator } from './mutator.ts';
import { FUZZ_ROOT } from './request-source.ts';
import { WildClient, type WildTotals } from './wild-client.ts';

const ADDRESS = { host: 'server', port: 2181 };
const WILD_CLIENTS = 6;
const FRAMES_PER_TURN = 30;
const TURN_MS = 20;
/** Virtual: what the well-behaved client asks must be answered by then. */
const PATIENCE_MS = 1000;
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];
const SUPER = 'super:secret';

export interface ServerTotals extends WildTotals {
  /** Frames that the server read, the well-behaved client's few included. */
  read: number;
  restarts: number;
  /** Connections that the server ended, by the reason that it noted. */
  readonly closes: Map<string, number>;
}

export class ServerFuzz {
  readonly totals: ServerTotals = {
    sent: 0,
    received: 0,
    connections: 0,
    read: 0,
    restarts: 0,
    closes: new Map(),
  };
  readonly #prng: Prng;
  readonly #world: SimWorld;
  readonly #wild: WildClient[] = [];
  #server: Server | undefined;
  #fatal: string | undefined;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#world = new SimWorld(seed, { network: { splitProbability: 0.05 } });
    const corpus = [...goldenFrames(), ...loadCorpus('client').map((entry) => entry.bytes)];
    const damage = { mutator: new Mutator(this.#prng, corpus), corpus };
    for (let i = 0; i < WILD_CLIENTS; i++) {
      const runtime = this.#world.runtimeFor(`wild${i}`);
      this.#wild.push(new WildClient(runtime, ADDRESS, this.#prng, damage, this.totals));
    }
  }

  get summary(): string {
    const { sent, read, received, connections, restarts } = this.totals;
    return `${sent} frames sent, ${read} read, ${received} replies and events, ${connections} connections, ${restarts} restarts, ${this.closes}`;
  }

  /** Connections that the server ended, by the reason that it noted, the most frequent first. */
  get closes(): string {
    const reasons = [...this.totals.closes].sort(([, a], [, b]) => b - a);
    return `closed: ${reasons.map(([why, count]) => `${count} ${why}`).join(', ')}`;
  }

  /** One round of about so many frames read. Rejects when the server did what it must not. */
  async round(frameCount: number): Promise<void> {
    await this.#start();
    const steady = await this.#steadyClient();
    const end = this.totals.sent + frameCount;
    for (let turn = 0; this.totals.sent < end; turn++) {
      for (const client of this.#wild) client.send(this.#prng.between(1, 2 * FRAMES_PER_TURN));
      await this.#world.runFor(TURN_MS);
      assert.equal(this.#fatal, undefined);
      if (turn % 8 === 0) await this.#checkSteady(steady, turn);
    }
    for (const client of this.#wild) client.hangUp();
    await this.#checkNothingIsLeft();
    await this.#cleanUp(steady);
    steady.close();
    await this.#restart();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await this.#world.finish(server.stop());
  }

  async #start(): Promise<void> {
    if (this.#server !== undefined) return;
    const config = configFromOptions({
      dataDir: '/data',
      clientPort: ADDRESS.port,
      maxClientCnxns: 0,
      checkpointIntervalTxns: 2000,
      logRetainTxns: 1000,
      'DigestAuthenticationProvider.superDigest': superDigest(),
    });
    const log = this.#log();
    const server = createServer(config, this.#world.runtimeFor('server'), { log });
    server.fatal.then(
      (error) => {
        this.#fatal = error.stack ?? error.message;
      },
      () => undefined,
    );
    await this.#world.finish(server.start());
    this.#server = server;
    const isServing = (): boolean => server.view.mode !== undefined;
    assert.ok(await this.#world.runUntil(isServing, PATIENCE_MS), 'the server does not serve');
  }

  /** The same tree comes back from the disk. */
  async #restart(): Promise<void> {
    const digest = this.#server?.view.digest;
    await this.stop();
    this.#world.crash('server');
    await this.#start();
    assert.equal(this.#server?.view.digest, digest);
    this.totals.restarts += 1;
  }

  async #steadyClient(): Promise<WireClient> {
    const client = await this.#soon(WireClient.connect(this.#runtime, ADDRESS));
    assert.equal(await this.#soon(client.authenticate(SUPER)), ErrorCode.ok);
    return client;
  }

  get #runtime(): Runtime {
    return this.#world.runtimeFor('steady');
  }

  async #checkSteady(client: WireClient, turn: number): Promise<void> {
    const path = `/steady${turn}`;
    const create = makeWriteRequest(OpCode.create, { path, data: Buffer.from(path), acl: OPEN });
    assert.equal(await this.#soon(client.write(create)), ErrorCode.ok);
    const read = await this.#soon(
      client.call(OpCode.getData, (writer) => encodeWatchedRead(writer, path, false)),
    );
    assert.equal(read.error, ErrorCode.ok);
    assert.deepEqual(Buffer.from(read.body.readBuffer() ?? []), Buffer.from(path));
    const remove = makeWriteRequest(OpCode.delete, { path });
    assert.equal(await this.#soon(client.write(remove)), ErrorCode.ok);
  }

  /** Only the steady client is connected, and nobody's watches, requests or bytes are kept. */
  async #checkNothingIsLeft(): Promise<void> {
    const quiet = { alive_connections: 2, outstanding_requests: 0, watch_count: 0 };
    let seen = {};
    for (let tries = 0; tries < 50; tries++) {
      await this.#world.runFor(1000);
      const values = await this.#metrics();
      const read = values.get('packets_received') ?? 0;
      seen = {
        alive_connections: values.get('num_alive_connections'),
        outstanding_requests: values.get('outstanding_requests'),
        watch_count: values.get('watch_count'),
      };
      if (JSON.stringify(seen) !== JSON.stringify(quiet)) continue;
      this.totals.read += read;
      return;
    }
    assert.deepEqual(seen, quiet);
  }

  async #metrics(): Promise<Map<string, number>> {
    const chunks: Uint8Array[] = [];
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    const stream = this.#runtime.network.connect(ADDRESS, PATIENCE_MS);
    stream.attach({
      onOpen: () => void stream.write(Buffer.from('mntr')),
      onData: (chunk) => void chunks.push(chunk.slice()),
      onEnd: over,
      onClose: over,
    });
    assert.ok(await this.#world.runUntil(() => isOver, PATIENCE_MS), 'mntr is not answered');
    stream.destroy();
    const lines = Buffer.concat(chunks).toString().split('\n');
    return new Map(
      lines.map((line) => {
        const [name = '', value = ''] = line.replace(/^zk_/, '').split('\t');
        return [name, Number(value)];
      }),
    );
  }

  /** Deletes what the wild ones created, deepest first. */
  async #cleanUp(client: WireClient): Promise<void> {
    const found = [FUZZ_ROOT];
    for (let i = 0; i < found.length; i++) {
      const path = found[i] ?? '';
      const { error, body } = await this.#soon(
        client.call(OpCode.getChildren, (writer) => encodeWatchedRead(writer, path, false)),
      );
      if (error !== ErrorCode.ok) continue;
      for (const name of decodeGetChildrenReply(body)?.names ?? []) found.push(`${path}/${name}`);
    }
    const ops = found.reverse().map((path) => makeWriteRequest(OpCode.delete, { path }));
    for (let i = 0; i < ops.length; i += 1000) {
      const part = ops.slice(i, i + 1000);
      const error = await this.#soon(client.write(makeWriteRequest(OpCode.multi, { ops: part })));
      const isGone = error === ErrorCode.ok || error === ErrorCode.noNode;
      assert.ok(isGone, `what was created cannot be deleted: ${error}`);
    }
  }

  #soon<T>(promise: Promise<T>): Promise<T> {
    return this.#world.finish(promise, PATIENCE_MS);
  }

  #log(): Log {
    const quiet = (): void => undefined;
    const note = (event: string, fields: LogFields = {}): void => {
      if (event !== 'connection dropped') return;
      const reason = String(fields['reason']);
      this.totals.closes.set(reason, (this.totals.closes.get(reason) ?? 0) + 1);
    };
    return { debug: note, info: quiet, warn: quiet, error: quiet };
  }
}

function superDigest(): string {
  return `super:${createHash('sha1').update(SUPER).digest('base64')}`;
}
