/**
 * The peer ports of an ensemble of three in a simulated world. Strangers first: no hello, damaged
 * ones, lengths beyond all measure; the ensemble must not notice. Then impostors, who say the hello of
 * a member, best of one that is not there, and damaged messages behind it: members may lose
 * connections and leaders for it, but none may stop, and afterwards they serve and hold the same.
 */

import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/error-code.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import { makeWriteRequest } from '../../src/protocol/records/write-request.ts';
import type { ByteStream } from '../../src/runtime/runtime.ts';
import { SimEnsemble } from '../support/sim-ensemble.ts';
import { WireClient } from '../support/wire-client.ts';
import { extremeInt } from './draw.ts';
import { Mutator } from './mutator.ts';
import { ABSENT, helloFrames, joiningFrames, messageFrames } from './peer-frames.ts';

const SERVERS = 3;
const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;
const TURN_MS = 10;
const TURNS_MS_MAX = 60_000;
/** After impostors: an election, and a client that finds its server again. */
const RECOVERY_MS = 20_000;
const PATIENCE_MS = 2000;
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

export class PeerFuzz {
  readonly totals = { sent: 0, connections: 0, rounds: 0, elections: 0 };
  readonly #prng: Prng;
  readonly #ensemble: SimEnsemble;
  readonly #fatal: string[] = [];
  #isStarted = false;
  #written = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#ensemble = new SimEnsemble(seed);
  }

  get summary(): string {
    const { sent, connections, rounds, elections } = this.totals;
    return `${sent} frames to peer ports, ${connections} connections, ${rounds} rounds, ${elections} elections`;
  }

  /** So many frames of strangers, then as many of impostors. */
  async round(frameCount: number): Promise<void> {
    await this.#start();
    const half = Math.ceil(frameCount / 2);
    await this.#strangers(half);
    await this.#impostors(half);
    this.totals.rounds += 1;
  }

  async #start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const lines = [...SimEnsemble.lines(SERVERS), `server.${ABSENT}=zk4:2888:3888:observer`];
    for (let id = 1; id <= SERVERS; id++) await this.#ensemble.start(`zk${id}`, id, lines);
    await this.#ensemble.settled(SERVERS);
    for (const [host, server] of this.#ensemble.servers) {
      server.fatal.then(
        (error) => this.#fatal.push(`${host}: ${error.stack ?? error.message}`),
        () => undefined,
      );
    }
  }

  async #strangers(frameCount: number): Promise<void> {
    const client = await this.#connect();
    const epoch = this.#epoch;
    const hellos = helloFrames();
    const mutator = new Mutator(this.#prng, [...hellos, ...messageFrames()]);
    for (let sent = 0; sent < frameCount; ) {
      const count = this.#prng.between(1, 8);
      const stream = this.#dial();
      for (let i = 0; i < count; i++) this.#sendDamaged(stream, mutator, hellos);
      sent += count;
      await this.#ensemble.world.runFor(TURN_MS);
      if (this.#prng.chance(0.5)) stream.destroy();
      this.#checkAlive();
      if (this.#prng.chance(0.05)) await this.#write(client);
    }
    await this.#write(client);
    client.close();
    assert.equal(this.#epoch, epoch, 'strangers have brought an election about');
  }

  async #impostors(frameCount: number): Promise<void> {
    const epoch = this.#epoch;
    const hellos = helloFrames();
    const absent = hellos.slice(-SERVERS);
    const messages = messageFrames();
    const mutator = new Mutator(this.#prng, messages);
    const { world } = this.#ensemble;
    const untilMs = world.nowMs + TURNS_MS_MAX;
    for (let sent = 0; sent < frameCount && world.nowMs < untilMs; ) {
      const count = this.#prng.between(1, 20);
      const stream = this.#dial(this.#prng.chance(0.6));
      stream.write(this.#pick(this.#prng.chance(0.7) ? absent : hellos).slice());
      if (this.#prng.chance(0.7)) await this.#join(stream);
      for (let i = 0; i < count; i++) {
        if (this.#prng.chance(0.6)) stream.write(this.#pick(messages).slice());
        else this.#sendDamaged(stream, mutator, messages);
      }
      sent += count;
      this.totals.sent += count;
      await world.runFor(TURN_MS);
      stream.destroy();
      this.#checkAlive();
    }
    await this.#recover();
    this.totals.elections += this.#epoch - epoch;
  }

  /** Some way into the synchronisation, at the pace of one who listens. */
  async #join(stream: ByteStream): Promise<void> {
    for (const frame of joiningFrames(this.#epoch)) {
      await this.#ensemble.world.runFor(TURN_MS);
      stream.write(frame);
      if (this.#prng.chance(0.1)) return;
    }
    await this.#ensemble.world.runFor(TURN_MS);
  }

  /** A client's write goes through, and all servers come to hold the same. */
  async #recover(): Promise<void> {
    const { world } = this.#ensemble;
    await this.#ensemble.settled(SERVERS);
    const untilMs = world.nowMs + RECOVERY_MS;
    for (let isWritten = false; !isWritten; ) {
      assert.ok(world.nowMs < untilMs, 'no client is served again');
      const client = await this.#connect();
      isWritten = await this.#write(client).then(
        () => true,
        () => false,
      );
      client.close();
    }
    const isEqual = (): boolean => {
      const views = [...this.#ensemble.servers.values()].map((server) => server.view);
      return new Set(views.map(({ lastZxid, digest }) => `${lastZxid} ${digest}`)).size === 1;
    };
    assert.ok(await world.runUntil(isEqual, RECOVERY_MS), 'the servers do not hold the same');
    this.#checkAlive();
  }

  #sendDamaged(stream: ByteStream, mutator: Mutator, frames: readonly Uint8Array[]): void {
    this.totals.sent += 1;
    const damaged = mutator.damaged(this.#pick(frames), this.#prng.chance(0.8) ? 4 : 0).slice();
    if (damaged.length >= 4) {
      const view = new DataView(damaged.buffer, damaged.byteOffset);
      const isLie = this.#prng.chance(0.05);
      view.setInt32(0, isLie ? extremeInt(this.#prng) : damaged.length - 4);
    }
    stream.write(damaged);
  }

  #pick(frames: readonly Uint8Array[]): Uint8Array {
    const frame = frames[this.#prng.between(0, frames.length - 1)];
    assert.ok(frame !== undefined);
    return frame;
  }

  #dial(isLeaderMeant = false): ByteStream {
    this.totals.connections += 1;
    const host = isLeaderMeant ? this.#leaderHost : `zk${this.#prng.between(1, SERVERS)}`;
    const port = isLeaderMeant || this.#prng.chance(0.5) ? QUORUM_PORT : ELECTION_PORT;
    const { network } = this.#ensemble.world.runtimeFor('evil');
    const stream = network.connect({ host, port }, PATIENCE_MS);
    stream.attach({ onData: () => undefined, onClose: () => undefined });
    return stream;
  }

  async #connect(): Promise<WireClient> {
    const { world, servers } = this.#ensemble;
    const [host = 'zk1'] = [...servers].find(([, server]) => server.view.mode !== undefined) ?? [];
    const address = { host, port: 2181 };
    return await world.finish(WireClient.connect(world.runtimeFor('steady'), address), RECOVERY_MS);
  }

  async #write(client: WireClient): Promise<void> {
    this.#written += 1;
    const path = `/n${this.#written}`;
    const create = makeWriteRequest(OpCode.create, { path, data: Buffer.from(path), acl: OPEN });
    const error = await this.#ensemble.world.finish(client.write(create), PATIENCE_MS);
    assert.equal(error, ErrorCode.ok);
  }

  #checkAlive(): void {
    assert.deepEqual(this.#fatal, [], 'a server has stopped');
  }

  get #leaderHost(): string {
    const { servers } = this.#ensemble;
    return [...servers].find(([, { view }]) => view.mode === 'leader')?.[0] ?? 'zk1';
  }

  get #epoch(): number {
    return Math.max(...[...this.#ensemble.servers.values()].map((server) => server.view.epoch));
  }
}
