/**
 * The real core, step by step: a server's state and an input lead to its next state and what it
 * does. Servers know nothing of each other but what they receive, so in ten million worlds there are
 * far fewer different steps; each is carried out once and then known.
 */

import { makeServerId, ZXID_NONE, type Zxid } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Effect, LinkId } from '../../src/consensus/effects.ts';
import {
  MessageType,
  type Notification,
  type QuorumMessage,
} from '../../src/consensus/messages.ts';
import type { ZabConfig, ZabTimings } from '../../src/consensus/zab-state.ts';
import { falseClaim, falseVote, isAccusation } from './claims.ts';
import { type Disk, emptyDisk, flawOf, lastZxid, write } from './disk.ts';
import { type Facts, factsOf } from './facts.ts';
import { MessageTable } from './message-table.ts';
import type { OpenCore } from './open-core.ts';
import { detailOf, INPUTS, Kind, kindOf, peerOf } from './server-input.ts';
import { ACCEPTED, DIALLED, ServerState } from './server-state.ts';
import { StateCodec } from './state-codec.ts';

/** What a step shows to the world, in order. `peer` is as in an input. */
export type Output =
  | { readonly kind: 'persist' | 'dial'; readonly peer: number }
  | { readonly kind: 'send' | 'notify'; readonly peer: number; readonly message: number }
  | { readonly kind: 'close'; readonly peer: number }
  | { readonly kind: 'violation'; readonly text: string };

export interface Step {
  readonly next: number;
  readonly outputs: readonly Output[];
}

/** Time passes only by `tick`: a little of it lets an election end, much of it ends every patience. */
export const WAIT_MS = 100;
export const PATIENCE_MS = 1_000_000;

const TIMINGS: ZabTimings = {
  heartbeatMs: 1_000_000_000,
  peerTimeoutMs: 1000,
  initTimeoutMs: 20_000,
  syncTimeoutMs: 10_000,
  finalizeMs: WAIT_MS,
  resendMinMs: WAIT_MS,
  resendMaxMs: WAIT_MS,
  redialMs: 0,
};

/** No jitter: when a timer strikes is for the exploration to say. */
class NoJitter extends Prng {
  override between(min: number, _max: number): number {
    return min;
  }
}

export class ServerSteps {
  readonly messages: MessageTable<QuorumMessage>;
  readonly notifications: MessageTable<Notification>;
  readonly #core: OpenCore;
  readonly #codec: StateCodec;
  readonly #configs: readonly ZabConfig[];
  readonly #states: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #facts: Facts[] = [];
  readonly #steps = new Map<number, Step>();
  readonly #outputs = new Map<string, readonly Output[]>();

  constructor(core: OpenCore, serverCount: number) {
    const voters = Array.from({ length: serverCount }, (_, i) => makeServerId(i + 1));
    const prng = new NoJitter(1);
    this.#core = core;
    this.#configs = voters.map((sid) => {
      const freshClusterId = `cluster-${sid}`;
      return { sid, voters, observers: [], timings: TIMINGS, freshClusterId, prng };
    });
    const names = Object.fromEntries(
      this.#configs.map((config) => [`config-${config.sid}`, config]),
    );
    this.#codec = new StateCodec({ ...names, prng, voters, timings: TIMINGS });
    this.messages = new MessageTable(this.#codec);
    this.notifications = new MessageTable(this.#codec);
  }

  get stateCount(): number {
    return this.#states.length;
  }

  get stepCount(): number {
    return this.#steps.size;
  }

  /** A server that never ran. */
  empty(sid: number): number {
    return this.#store(new ServerState(makeServerId(sid), emptyDisk()));
  }

  facts(state: number): Facts {
    const facts = this.#facts[state];
    if (facts === undefined) throw new RangeError(`no state ${state}`);
    return facts;
  }

  step(state: number, code: number): Step {
    const key = state * INPUTS + code;
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = this.#run(state, code);
      this.#steps.set(key, step);
    }
    return step;
  }

  // Carrying out --------------------------------------------------------------------------------

  #run(state: number, code: number): Step {
    const server = this.#load(state);
    const turn = new Turn(server, this);
    try {
      this.#feed(server, turn, code);
      turn.drain();
    } catch (error) {
      turn.violated(`a server stops: ${error instanceof Error ? error.message : String(error)}`);
      // Whatever it was about to become, it is down now.
      server.node = undefined;
      server.writes = [];
      server.told = ZXID_NONE;
    }
    turn.compare(this.facts(state), code);
    const next = this.#store(server);
    return { next, outputs: this.#shared(turn.outputs) };
  }

  #feed(server: ServerState, turn: Turn, code: number): void {
    const peer = peerOf(code);
    const detail = detailOf(code);
    const { node } = server;
    switch (kindOf(code)) {
      case Kind.deliver:
        deliver(server, peer, this.messages.get(detail));
        return;
      case Kind.closed:
        node?.closed(linkOf(peer));
        return;
      case Kind.tick:
        node?.tick(detail);
        return;
      case Kind.propose:
        node?.propose(Uint8Array.of(detail));
        return;
      case Kind.complete:
        complete(server, detail);
        return;
      case Kind.connected:
        turn.connected(peer);
        return;
      case Kind.opened:
        node?.opened(DIALLED);
        return;
      case Kind.dialFailed:
        node?.closed(DIALLED);
        return;
      case Kind.notified:
        node?.notified(makeServerId(peer), this.notifications.get(detail));
        return;
      case Kind.reachable:
        node?.reachability(makeServerId(peer), detail === 1 ? 'up' : 'down');
        return;
      case Kind.crash:
        crash(server, detail);
        return;
      case Kind.start:
        this.#start(server, detail);
        return;
      case Kind.trim:
        trim(server);
        return;
    }
  }

  /** `peers`: a bit for each server that is up. */
  #start(server: ServerState, peers: number): void {
    const config = this.#configs[server.sid - 1];
    if (config === undefined) throw new RangeError('no such server');
    const node = new this.#core.ZabNode(config, server.disk.state);
    server.node = node;
    server.applied = server.disk.state.committed;
    for (const { sid } of this.#configs) {
      const isUp = Math.floor(peers / 2 ** sid) % 2 === 1;
      if (sid !== server.sid) node.reachability(sid, isUp ? 'up' : 'down');
    }
    node.start(0);
  }

  #load(state: number): ServerState {
    const text = this.#states[state];
    if (text === undefined) throw new RangeError(`no state ${state}`);
    const server = this.#codec.decode(text) as ServerState;
    server.revive();
    return server;
  }

  #store(server: ServerState): number {
    server.normalise();
    const text = this.#codec.encode(server, server.fields?._state.nowMs ?? 0);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#states.length;
      this.#numbers.set(text, number);
      this.#states.push(text);
      this.#facts.push(factsOf(server));
    }
    return number;
  }

  #shared(outputs: readonly Output[]): readonly Output[] {
    const text = JSON.stringify(outputs);
    const known = this.#outputs.get(text);
    if (known !== undefined) return known;
    this.#outputs.set(text, outputs);
    return outputs;
  }
}

function linkOf(peer: number): LinkId {
  return peer === 0 ? DIALLED : ACCEPTED + peer;
}

function deliver(server: ServerState, peer: number, message: QuorumMessage): void {
  if (message.type === MessageType.commit && message.zxid > server.told) server.told = message.zxid;
  server.node?.receive(linkOf(peer), message);
}

/** The first `count` writes under way are durable. */
function complete(server: ServerState, count: number): void {
  const done = server.writes.splice(0, count);
  for (const request of done) write(server.disk, request, server.staged);
  const last = done.at(-1);
  if (last !== undefined) server.node?.persisted(last.id);
}

/** The process is gone; of the writes under way the first `kept` reached the disk. */
function crash(server: ServerState, kept: number): void {
  for (const request of server.writes.slice(0, kept)) write(server.disk, request, server.staged);
  server.node = undefined;
  server.writes = [];
  server.staged = [];
  server.told = ZXID_NONE;
  server.applied = server.disk.state.committed;
}

/** What is applied goes into a checkpoint, and its log away. */
function trim({ disk, applied, node }: ServerState): void {
  disk.checkpoint.push(...disk.log.filter((entry) => entry.zxid <= applied));
  disk.log = disk.log.filter((entry) => entry.zxid > applied);
  const { committed } = disk.state;
  const hint = committed > applied ? committed : applied;
  disk.state = { ...disk.state, retainedAfter: applied, committed: hint };
  node?.trimmed(applied);
}

/** One turn of one server: carries out what concerns it alone, and writes down the rest. */
class Turn {
  readonly outputs: Output[] = [];
  readonly #server: ServerState;
  readonly #steps: ServerSteps;
  /** The number of a connection accepted in this turn, and whose it is. */
  #accepted: { readonly link: LinkId; readonly peer: number } | undefined;

  constructor(server: ServerState, steps: ServerSteps) {
    this.#server = server;
    this.#steps = steps;
  }

  violated(text: string): void {
    this.outputs.push({ kind: 'violation', text });
  }

  connected(peer: number): void {
    const { node } = this.#server;
    if (node === undefined) return;
    const link = node.newLink();
    this.#accepted = { link, peer };
    node.learnerConnected(link, makeServerId(peer), `disk of ${peer}`);
  }

  drain(): void {
    for (;;) {
      const effects = this.#server.node?.takeEffects() ?? [];
      if (effects.length === 0) return;
      for (const effect of effects) this.#carryOut(effect);
    }
  }

  /** What may not happen from one state of a server to the next. */
  compare(before: Facts, code: number): void {
    const { disk, applied, node } = this.#server;
    const flaw = flawOf(disk);
    if (flaw !== undefined) this.violated(flaw);
    if (disk.state.acceptedEpoch < before.acceptedEpoch)
      this.violated('INV-1: a promise is forgotten');
    if (disk.state.currentEpoch < before.currentEpoch)
      this.violated('INV-1: currentEpoch decreases');
    if (applied > lastZxid(disk)) this.violated('INV-3: applied what is not durable');
    const isDrained = this.#server.writes.length === 0;
    if (isDrained) this.#compareApplied();
    if (node !== undefined && isDrained && node.history.last !== lastZxid(disk)) {
      this.violated('INV-9: memory differs from the disk while nothing is being written');
    }
    if (kindOf(code) === Kind.start && node === undefined) this.violated('a server does not start');
  }

  /** A client that comes here from another server must not see time go back. */
  #compareApplied(): void {
    const server = this.#server;
    const learner = server.node?.learner;
    if (learner === undefined || server.applied >= server.told) server.told = ZXID_NONE;
    if (learner?.isServing && server.told > server.applied) {
      this.violated('INV-3: serves without having applied what it was told is committed');
    }
  }

  #carryOut(effect: Effect): void {
    const server = this.#server;
    switch (effect.kind) {
      case 'persist':
        server.writes.push(effect.request);
        this.outputs.push({ kind: 'persist', peer: 0 });
        return;
      case 'notify':
        this.#notify(effect);
        return;
      case 'dial':
        this.outputs.push({ kind: 'dial', peer: effect.leader });
        return;
      case 'send':
        this.#send(effect.link, effect.message);
        return;
      case 'broadcast':
        for (const link of effect.links) this.#send(link, effect.message);
        return;
      case 'close':
        this.#close(effect);
        return;
      case 'readLog':
        this.#readLog(effect);
        return;
      case 'sendSnapshot':
        this.#sendSnapshot(effect.link);
        return;
      case 'apply':
        if (effect.upTo > lastZxid(server.disk))
          this.violated('INV-3: applied what is not durable');
        server.applied = effect.upTo;
        return;
      case 'stageBegin':
        server.staged = [];
        return;
      case 'stageChunk':
        server.staged = entriesOf(effect.bytes);
        return;
      case 'stageEnd':
        server.node?.snapshotStaged();
        return;
      case 'fatal':
        this.violated(`a server stops: ${effect.reason}`);
        return;
      case 'stageAbort':
      case 'role':
      case 'learnerReady':
      case 'barrier':
      case 'trace':
        return;
    }
  }

  #notify({ to, notification }: Extract<Effect, { kind: 'notify' }>): void {
    const falsehood = falseVote(this.#server, notification);
    if (falsehood !== undefined) this.violated(falsehood);
    const message = this.#steps.notifications.numberOf(notification);
    this.outputs.push({ kind: 'notify', peer: to, message });
  }

  #send(link: LinkId, message: QuorumMessage): void {
    const falsehood = falseClaim(this.#server, message);
    if (falsehood !== undefined) this.violated(falsehood);
    const number = this.#steps.messages.numberOf(message);
    this.outputs.push({ kind: 'send', peer: this.#peerOf(link), message: number });
  }

  #close({ link, reason }: Extract<Effect, { kind: 'close' }>): void {
    if (isAccusation(reason)) this.violated(`a server accuses another: ${reason}`);
    // The learner's earlier connection, in whose place the world has put the one just accepted.
    if (this.#accepted !== undefined && link === ACCEPTED + this.#accepted.peer) return;
    this.outputs.push({ kind: 'close', peer: this.#peerOf(link) });
  }

  #peerOf(link: LinkId): number {
    if (link === this.#accepted?.link) return this.#accepted.peer;
    return link > ACCEPTED && link < ACCEPTED + 10 ? link - ACCEPTED : 0;
  }

  #readLog({ link, after }: Extract<Effect, { kind: 'readLog' }>): void {
    const { disk, node } = this.#server;
    const isCovered = after >= disk.state.retainedAfter;
    const entries = isCovered ? disk.log.filter((entry) => entry.zxid > after) : [];
    node?.logRead(link, entries);
  }

  #sendSnapshot(link: LinkId): void {
    const { disk, node } = this.#server;
    node?.snapshotOpened(link, disk.state.retainedAfter);
    this.drain();
    this.#send(link, { type: MessageType.snapChunk, bytes: bytesOf(disk) });
    node?.snapshotSent(link, new Uint8Array(0));
  }
}

function bytesOf({ checkpoint }: Disk): Uint8Array {
  const pairs = checkpoint.map((entry) => [entry.zxid, entry.bytes[0]]);
  return new TextEncoder().encode(JSON.stringify(pairs));
}

function entriesOf(bytes: Uint8Array): { zxid: Zxid; bytes: Uint8Array }[] {
  const pairs: [Zxid, number][] = JSON.parse(new TextDecoder().decode(bytes));
  return pairs.map(([zxid, payload]) => ({ zxid, bytes: Uint8Array.of(payload) }));
}
