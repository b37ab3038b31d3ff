/**
 * Storms over what one server keeps: the real log, checkpoints, tree and preparation of requests on
 * a simulated disk, under random requests, groups, leaders and crashes drawn from a seed, compared
 * all along with a plain model and a list of everything that was ever written.
 */

import { strict as assert } from 'node:assert';
import { type Zxid, zxidHex } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import { RuntimeError } from '../../../src/runtime/runtime.ts';
import { ProposedTxns } from '../../../src/server/proposed-txns.ts';
import type { DataTree } from '../../../src/store/data-tree.ts';
import { stateKeyKind } from '../../../src/store/keyspace.ts';
import { Preparer } from '../../../src/store/prepare.ts';
import type { UnsyncedFate } from '../../../src/testing/sim-disk.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';
import { StormLedger } from './storm-ledger.ts';
import { RequestSource } from './storm-requests.ts';
import { type Legacy, StormServer, type StormSettings } from './storm-server.ts';

export interface StoreStormOutcome {
  readonly transactions: number;
  readonly truncations: number;
  readonly crashes: number;
}

const HOST = 'host';
const ACTIONS = 50;
const SETTLE_MAX_MS = 10_000;
const EVERYTHING = 2 ** 40;
const FATES: readonly UnsyncedFate[] = ['draw', 'draw', 'keep', 'drop'];

/** Who makes transactions of requests. */
interface Leader {
  /** The storm's server itself, or another one whose disk is nobody's concern here. */
  readonly isOwn: boolean;
  readonly tree: DataTree;
  readonly preparer: Preparer;
}

/** Throws what is wrong. */
export async function storeStorm(seed: number): Promise<StoreStormOutcome> {
  const storm = new Storm(seed);
  try {
    return await storm.run();
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

class Storm {
  readonly #prng: Prng;
  readonly #world: SimWorld;
  readonly #ledger: StormLedger;
  readonly #source: RequestSource;
  readonly #settings: StormSettings;
  readonly #actions: readonly (readonly [weight: number, act: () => void | Promise<void>])[];
  /** Of every leadership of the server itself. */
  readonly #proposed = new ProposedTxns();
  #serverOrNone: StormServer | undefined;
  /** A write that is to come fails. */
  #isFailing = false;
  #leader: Leader;
  #transactions = 0;
  #truncations = 0;
  #crashes = 0;

  constructor(seed: number) {
    const prng = new Prng(seed);
    this.#prng = prng;
    this.#world = new SimWorld(prng.uint32());
    this.#ledger = new StormLedger(seed % 2 === 0);
    this.#source = new RequestSource(prng);
    this.#settings = {
      chunkBytes: prng.between(60, 500),
      intervalTxns: prng.between(3, 30),
      retainTxns: prng.between(0, 30),
      slackBytes: prng.between(0, 3000),
      slackEntries: prng.between(-15, 5),
    };
    this.#ledger.beginEpoch(this.#ledger.last);
    this.#leader = this.#otherLeader();
    const trouble = seed % 3 === 0 ? 0.5 : 2;
    this.#actions = [
      [40, () => this.#propose()],
      [25, () => this.#server.flush()],
      [20, () => this.#commit()],
      [15, () => this.#server.driver.tick(this.#world.nowMs)],
      [15, () => this.#read()],
      [5, () => this.#server.forget()],
      [4, () => this.#compare()],
      [2, () => this.#server.sendSnapshot()],
      [1, () => this.#server.renew()],
      [2 * trouble, () => this.#elect()],
      [2 * trouble, () => this.#crash()],
      [trouble / 2, () => this.#failWrite()],
    ];
  }

  async run(): Promise<StoreStormOutcome> {
    this.#serverOrNone = await this.#open(undefined);
    for (let i = 0; i < ACTIONS; i++) {
      await this.#act();
      await this.#turn(this.#prng.between(0, 8));
    }
    while (!(await this.#isSettled()));
    await this.#world.finish(this.#server.driver.stop());
    this.#server.expectNothingObsolete(this.#world.disk(HOST).entries('state'));
    await this.#crash();
    this.#server.applyUpTo(this.#ledger.last);
    this.#server.compare();
    const isAll = this.#server.tree.lastZxid === this.#ledger.last;
    assert(isAll, `the last checkpoint is of ${zxidHex(this.#server.tree.lastZxid)}`);
    await this.#damage();
    return {
      transactions: this.#transactions,
      truncations: this.#truncations,
      crashes: this.#crashes,
    };
  }

  get #server(): StormServer {
    assert(this.#serverOrNone !== undefined, 'the server was opened');
    return this.#serverOrNone;
  }

  async #act(): Promise<void> {
    let total = 0;
    for (const [weight] of this.#actions) total += weight;
    let at = this.#prng.fraction() * total;
    for (const [weight, act] of this.#actions) {
      at -= weight;
      if (at < 0) return await act();
    }
  }

  /** So many events of the disk, fewer when it has nothing to do. */
  async #turn(events: number): Promise<void> {
    let left = events;
    await this.#world.runUntil(() => left-- <= 0, 5);
    await this.#lookForProblems();
  }

  /** A server whose disk has failed says so and dies; whatever else goes wrong is wrong. */
  async #lookForProblems(): Promise<void> {
    const { problem } = this.#server;
    if (problem === undefined) return;
    if (!this.#isFailing || !(problem instanceof RuntimeError)) throw problem;
    await this.#crash();
  }

  // Requests ------------------------------------------------------------------------------------

  #propose(): void {
    const count = this.#prng.between(1, 6);
    for (let i = 0; i < count; i++) {
      const request = this.#source.draw(this.#ledger.headModel);
      const { zxid, txn } = this.#ledger.propose(request, this.#leader.preparer);
      if (this.#leader.isOwn) this.#proposed.add(zxid, txn);
      this.#transactions++;
      if (this.#prng.chance(0.5)) this.#deliver();
    }
    if (this.#leader.isOwn || this.#prng.chance(0.7)) this.#deliver();
    if (this.#prng.chance(0.6)) this.#server.flush();
  }

  /** What the server lacks of the history reaches it. */
  #deliver(): void {
    const { last } = this.#server;
    const entries = this.#ledger.between(last, this.#ledger.last);
    if (entries.length > 0) this.#server.persist(last, entries);
  }

  #commit(): void {
    const { entries } = this.#ledger;
    this.#ledger.committed = this.#placeFrom(this.#ledger.committed);
    this.#server.applyUpTo(this.#ledger.committed);
    if (this.#leader.isOwn || entries.length === 0) return;
    const { tree, preparer } = this.#leader;
    const upTo = Math.min(this.#placeFrom(tree.lastZxid), this.#ledger.committed) as Zxid;
    for (const { zxid, txn } of this.#ledger.between(tree.lastZxid, upTo)) {
      tree.apply(zxid, txn, false);
      preparer.applied(zxid);
    }
    this.#expectNothingPending();
  }

  /** Once everything is applied, nothing is left of what was under way. */
  #expectNothingPending(): void {
    const { tree, preparer } = this.#leader;
    if (tree.lastZxid === this.#ledger.last)
      assert.equal(preparer.pendingCount, 0, 'pending nodes');
  }

  /** A place of the history, not before the given one. */
  #placeFrom(first: Zxid): Zxid {
    const rest = this.#ledger.between(first, this.#ledger.last);
    return rest[this.#prng.between(0, rest.length) - 1]?.zxid ?? first;
  }

  #read(): void {
    const { durable, log } = this.#server;
    const base = log.meta.baseZxid;
    const places = this.#ledger.between(base, durable);
    const after = places[this.#prng.between(0, places.length) - 1]?.zxid ?? base;
    const sizes = [1, 100, 400, EVERYTHING];
    this.#server.read(after, sizes[this.#prng.between(0, 3)] ?? 1);
  }

  #compare(): void {
    this.#server.compare();
    this.#expectNothingPending();
  }

  // Leaders -------------------------------------------------------------------------------------

  /** Another leader goes on somewhere behind what is committed; the server follows it, or is it. */
  #elect(): void {
    this.#ledger.beginEpoch(this.#placeFrom(this.#ledger.committed));
    const isWhole = this.#server.tree.lastZxid === this.#ledger.last;
    this.#leader = isWhole && this.#prng.chance(0.7) ? this.#ownLeader() : this.#otherLeader();
    this.#follow();
  }

  #ownLeader(): Leader {
    const { tree } = this.#server;
    const preparer = new Preparer(tree, { extendedTypes: this.#ledger.knowsTtl });
    this.#server.onApplied = (zxid) => preparer.applied(zxid);
    this.#server.proposed = (zxid) => this.#proposed.take(zxid);
    return { isOwn: true, tree, preparer };
  }

  #otherLeader(): Leader {
    const tree = this.#ledger.treeAt(this.#ledger.last);
    const preparer = new Preparer(tree, { extendedTypes: this.#ledger.knowsTtl });
    if (this.#serverOrNone !== undefined) {
      this.#server.onApplied = () => undefined;
      this.#server.proposed = () => undefined;
    }
    return { isOwn: false, tree, preparer };
  }

  /** The server's history becomes the leader's: what is of no part of it goes, some of the rest comes. */
  #follow(): void {
    const server = this.#server;
    let common = server.last;
    while (!this.#ledger.has(common)) common = this.#ledger.entry(common).previous;
    if (common !== server.last) this.#truncations++;
    const rest = this.#ledger.between(common, this.#ledger.last);
    const count = this.#leader.isOwn ? rest.length : this.#prng.between(0, rest.length);
    server.persist(common, rest.slice(0, count));
  }

  // Lives ---------------------------------------------------------------------------------------

  async #crash(): Promise<void> {
    const legacy = this.#server.die();
    this.#isFailing = false;
    this.#world.crash(HOST, { unsynced: this.#fate() });
    this.#crashes++;
    this.#serverOrNone = undefined;
    this.#serverOrNone = await this.#open(legacy);
    this.#server.expectNothingObsolete(this.#world.disk(HOST).entries('state'));
    if (this.#leader.isOwn) this.#elect();
    else if (!this.#ledger.has(this.#server.last)) this.#follow();
  }

  /** A start with a pack that is lost, another's, not what it was, or elsewhere, is refused. */
  async #damage(): Promise<void> {
    const disk = this.#world.disk(HOST);
    const packs = disk.entries('state').filter(([key]) => stateKeyKind(key) === 'pack');
    const [key, value] = packs[this.#prng.between(0, packs.length - 1)] ?? [];
    if (key === undefined || value === undefined) return;
    const legacy = this.#server.die();
    this.#world.crash(HOST, { unsynced: 'keep' });
    const [, other] = packs[this.#prng.between(0, packs.length - 1)] ?? [];
    const remains = [undefined, this.#flipped(value), other === value ? undefined : other];
    const choice = this.#prng.between(0, remains.length);
    disk.edit('state', key, remains[choice]);
    if (choice === remains.length) disk.edit('state', this.#flipped(key), value);
    await assert.rejects(this.#world.finish(this.#openOnce(legacy)), { code: 'STATE_DAMAGED' });
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const flipped = Uint8Array.from(bytes);
    const bit = this.#prng.between(0, flipped.length * 8 - 1);
    flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    return flipped;
  }

  /** The next write of a store fails, or its sync does. */
  #failWrite(): void {
    const store = this.#prng.chance(0.7) ? 'log' : 'state';
    this.#world.disk(HOST).failNext(store, this.#prng.chance(0.5) ? 'write' : 'sync');
    this.#isFailing = true;
  }

  #fate(): UnsyncedFate {
    return FATES[this.#prng.between(0, FATES.length - 1)] ?? 'draw';
  }

  /** Opens the stores; now and then the process dies while it does. */
  async #open(legacy: Legacy | undefined): Promise<StormServer> {
    for (;;) {
      const opening = this.#openOnce(legacy);
      if (legacy === undefined || this.#prng.chance(0.9)) return await this.#world.finish(opening);
      // What goes wrong here goes wrong again with the next life, which is asked for it.
      opening.catch(() => undefined);
      let left = this.#prng.between(1, 8);
      await this.#world.runUntil(() => left-- <= 0, 100);
      this.#world.crash(HOST, { unsynced: this.#fate() });
    }
  }

  async #openOnce(legacy: Legacy | undefined): Promise<StormServer> {
    const runtime = this.#world.runtimeFor(HOST);
    const { storage } = runtime;
    const log = await storage.open('log', { create: true });
    const state = await storage.open('state', { create: true });
    const copy = await storage.open('copy', { create: true });
    const parts = { runtime, ledger: this.#ledger, prng: this.#prng, settings: this.#settings };
    return await StormServer.open({ log, state, copy }, parts, legacy);
  }

  /** Everything is committed, and reaches the server; false when its disk failed or is still to fail. */
  async #isSettled(): Promise<boolean> {
    this.#deliver();
    this.#server.flush();
    this.#ledger.committed = this.#ledger.last;
    this.#server.applyUpTo(this.#ledger.last);
    const isDone = (): boolean => {
      const { problem, isIdle, tree } = this.#server;
      return problem !== undefined || (isIdle && tree.lastZxid === this.#ledger.last);
    };
    assert(await this.#world.runUntil(isDone, SETTLE_MAX_MS), 'no end of what is to be done');
    const crashes = this.#crashes;
    await this.#turn(0);
    if (this.#isFailing) await this.#crash();
    if (crashes !== this.#crashes) return false;
    this.#compare();
    return true;
  }
}
