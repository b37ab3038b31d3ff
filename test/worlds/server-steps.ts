/**
 * The real core, step by step: a server's state and an input lead to its next state and what it
 * does. Servers know nothing of each other but what they receive, so in ten million worlds there are
 * far fewer different steps; each is carried out once and then known.
 */

import { makeServerId, ZXID_NONE } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { LinkId } from '../../src/consensus/effects.ts';
import {
  MessageType,
  type Notification,
  type QuorumMessage,
} from '../../src/consensus/messages.ts';
import type { ZabConfig, ZabTimings } from '../../src/consensus/zab-state.ts';
import { emptyDisk, write } from '../support/zab-disk.ts';
import { type Facts, factsOf } from './facts.ts';
import { MessageTable } from './message-table.ts';
import type { OpenCore } from './open-core.ts';
import { detailOf, INPUTS, Kind, kindOf, peerOf } from './server-input.ts';
import { ACCEPTED, DIALLED, ServerState } from './server-state.ts';
import { type Output, Turn } from './server-turn.ts';
import { StateCodec } from './state-codec.ts';

export interface Step {
  readonly next: number;
  readonly outputs: readonly Output[];
}

/** Here time passes only by `tick`: a little of it lets an election end, much of it ends every patience. */
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
