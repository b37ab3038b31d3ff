/**
 * Whole servers in a simulated world: each a host with its disk, started from a configuration as
 * `zoo.cfg` would give it, crashed, paused and started again by whoever runs the simulation.
 */

import { invariant } from '../../src/base/assert.ts';
import { type Address, RuntimeError } from '../../src/runtime/runtime.ts';
import type { ServerConfig } from '../../src/server/config.ts';
import { configFromOptions } from '../../src/server/load-config.ts';
import type { Log } from '../../src/server/logger.ts';
import { createServer, type Server, type ServerView } from '../../src/server/server.ts';
import type { CrashOptions, SimWorld } from '../../src/testing/sim-world.ts';
import type { SessionKind } from './history.ts';

export interface ClusterShape {
  readonly voterCount: number;
  readonly observerCount: number;
  readonly tickTimeMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly peerHeartbeatMs: number;
  /** By server: nobody promises that all have the same. */
  readonly peerTimeoutsMs: readonly number[];
  readonly checkpointIntervalTxns: number;
  readonly logRetainTxns: number;
  readonly logRetainBytes: number;
  readonly globalOutstandingLimit: number;
  /** In ticks. */
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly sessions: Exclude<SessionKind, 'temporary'>;
  /** Time without a quorum before clients may read; undefined: they never may. */
  readonly readOnlyGraceMs: number | undefined;
}

/** One life of a server's process. */
interface Life {
  readonly server: Server;
  /** True from the moment its ports are open and its data is loaded. */
  isStarted: boolean;
}

export interface SimMember {
  /** The number of the server, from 1. */
  readonly id: number;
  readonly hostName: string;
  readonly isVoter: boolean;
  readonly clientAddress: Address;
  isPaused: boolean;
  /** Its disk is about to refuse a write: that it ends by itself is what it should do. */
  isDoomed: boolean;
  /** Somebody has changed what is on its disk. */
  isTampered: boolean;
  life: Life | undefined;
}

const CLIENT_PORT = 2181;
const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;

/** What a server logs, at a virtual time. */
export type LogLine = (
  nowMs: number,
  server: number,
  level: string,
  event: string,
  fields: unknown,
) => void;

export class SimCluster {
  readonly world: SimWorld;
  /** Called when a server has ended by itself, before it counts as down. */
  onEnd: (member: SimMember) => void = () => undefined;
  readonly members: readonly SimMember[];
  /** What a directed schedule makes servers complain of. */
  readonly provoked = new Set<string>();
  /** When which host's server was killed, in virtual time. */
  readonly crashes = new Map<string, number[]>();
  readonly #shape: ClusterShape;
  /** Made at a server's first start; nobody changes it. */
  readonly #configs = new Map<SimMember, ServerConfig>();
  readonly #violations: string[];
  readonly #logLine: LogLine | undefined;

  /** What no server may ever do by itself (end, or refuse to start) goes to `violations`. */
  constructor(world: SimWorld, shape: ClusterShape, violations: string[], logLine?: LogLine) {
    this.world = world;
    this.#shape = shape;
    this.#violations = violations;
    this.#logLine = logLine;
    const count = shape.voterCount + shape.observerCount;
    this.members = Array.from({ length: count }, (_, index) => {
      const hostName = `s${index + 1}`;
      return {
        id: index + 1,
        hostName,
        isVoter: index < shape.voterCount,
        clientAddress: { host: hostName, port: CLIENT_PORT },
        isPaused: false,
        isDoomed: false,
        isTampered: false,
        life: undefined,
      };
    });
  }

  get hostNames(): readonly string[] {
    return this.members.map((member) => member.hostName);
  }

  startAll(): void {
    for (const member of this.members) if (member.life === undefined) this.start(member);
  }

  start(member: SimMember): void {
    invariant(member.life === undefined, 'the server is running');
    const { hostName } = member;
    const log = this.#log(member);
    const config = this.#configs.get(member) ?? this.#config(member);
    this.#configs.set(member, config);
    const server = createServer(config, this.world.runtimeFor(hostName), { log });
    const life: Life = { server, isStarted: false };
    member.life = life;
    const failed = (error: unknown): void => {
      // Code of a process that was killed meanwhile may still be running: it says nothing any more.
      if (member.life !== life) return;
      if (member.isDoomed && isRefusedWrite(error)) return;
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#violations.push(`server ${member.id} ended by itself: ${reason}`);
    };
    server.start().then(() => {
      life.isStarted = true;
    }, failed);
    server.fatal.then((error) => {
      failed(error.cause instanceof Error ? error.cause : error);
      this.onEnd(member);
      if (member.life === life) this.crash(member);
    }, failed);
  }

  crash(member: SimMember, options?: CrashOptions): void {
    invariant(member.life !== undefined, 'the server is down already');
    member.life = undefined;
    const { hostName } = member;
    this.crashes.set(hostName, [...(this.crashes.get(hostName) ?? []), this.world.nowMs]);
    member.isDoomed = false;
    member.isPaused = false;
    this.world.crash(member.hostName, options);
  }

  pause(member: SimMember): void {
    member.isPaused = true;
    this.world.pause(member.hostName);
  }

  resume(member: SimMember): void {
    member.isPaused = false;
    this.world.resume(member.hostName);
  }

  /** What a server shows of itself; undefined while it is down or starting. */
  view(member: SimMember): ServerView | undefined {
    const { life } = member;
    if (life?.isStarted !== true) return undefined;
    try {
      return life.server.view;
    } catch (error) {
      // A server that has just ended shows nothing; that it has is heard of in a moment.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** The server that leads and serves, if there is one: of two the one of the later epoch. */
  leader(): SimMember | undefined {
    let leader: SimMember | undefined;
    let epoch = -1;
    for (const member of this.members) {
      const view = this.view(member);
      if (view?.mode !== 'leader' || view.epoch <= epoch) continue;
      leader = member;
      epoch = view.epoch;
    }
    return leader;
  }

  /** Every server is up and serves all that clients may ask. */
  isWhole(): boolean {
    return this.members.every((member) => {
      const mode = this.view(member)?.mode;
      return mode !== undefined && mode !== 'read-only';
    });
  }

  /** Every server holds what it vouched for, and counts. */
  isHealed(): boolean {
    return this.members.every((member) => this.view(member)?.standing === 'whole');
  }

  /** Every server has applied the same. */
  isEven(): boolean {
    const first = this.members[0] && this.view(this.members[0])?.lastZxid;
    return this.members.every((member) => this.view(member)?.lastZxid === first);
  }

  #config(member: SimMember): ServerConfig {
    const shape = this.#shape;
    const servers: Record<number, string> = {};
    for (const { id, hostName, isVoter } of this.members) {
      const role = isVoter ? 'participant' : 'observer';
      servers[id] = `${hostName}:${QUORUM_PORT}:${ELECTION_PORT}:${role}`;
    }
    return configFromOptions({
      dataDir: '/data',
      clientPort: CLIENT_PORT,
      maxClientCnxns: 0,
      tickTime: shape.tickTimeMs,
      initLimit: shape.initLimit,
      syncLimit: shape.syncLimit,
      maxSessionTimeout: shape.maxSessionTimeoutMs,
      peerHeartbeatMs: shape.peerHeartbeatMs,
      peerTimeoutMs: shape.peerTimeoutsMs[member.id - 1],
      checkpointIntervalTxns: shape.checkpointIntervalTxns,
      logRetainTxns: shape.logRetainTxns,
      logRetainBytes: shape.logRetainBytes,
      globalOutstandingLimit: shape.globalOutstandingLimit,
      localSessionsEnabled: shape.sessions !== 'replicated',
      localSessionsUpgradingEnabled: shape.sessions === 'local',
      'readonlymode.enabled': shape.readOnlyGraceMs !== undefined,
      readOnlyGraceMs: shape.readOnlyGraceMs,
      ...(this.members.length > 1 && { serverId: member.id, servers }),
    });
  }

  #log(member: SimMember): Log {
    const logLine = this.#logLine;
    const at =
      (level: string) =>
      (event: string, fields: unknown): void => {
        logLine?.(this.world.nowMs, member.id, level, event, fields);
        const isExplained = member.isTampered || !DAMAGE.includes(event);
        const isNormal = isExplained && (!SUSPICIOUS.includes(event) || isNewDisk(fields));
        if (isNormal || this.provoked.has(event)) return;
        this.#violations.push(`server ${member.id} logged ${event}: ${JSON.stringify(fields)}`);
      };
    const info = logLine === undefined ? quiet : at('info');
    const debug = logLine === undefined ? quiet : at('debug');
    return { debug, info, warn: at('warn'), error: at('error') };
  }
}

/** What no fault of the simulator explains: flipped bits are found out before they are used. */
const SUSPICIOUS: readonly string[] = [
  'snapshotRejected',
  'peerRefused',
  'stateDiffers',
  'stateWrong',
];
/** What a server may find wrong on a disk that somebody changed; any other holds what was written. */
const DAMAGE: readonly string[] = [
  'dataDamaged',
  'dataMissing',
  'logDamaged',
  'stateDamaged',
  'scrubDamage',
];

/** A server with a new disk is taken for a second one of its number until its old connections have ended. */
function isNewDisk(fields: unknown): boolean {
  return JSON.stringify(fields).includes('two servers have myid');
}

function isRefusedWrite(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'IO';
}

function quiet(): void {}
