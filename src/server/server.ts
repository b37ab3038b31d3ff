/**
 * A server, made from a configuration and a runtime: the one way in which the command line, the
 * local ensemble, the test kit and the simulator start one. The only place that wires the parts.
 */

import type { ServingMode } from '../api/backend.ts';
import type { ClientServiceOptions } from '../api/client-options.ts';
import { ClientService } from '../api/client-service.ts';
import type { Zxid } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import { type Address, type Runtime, RuntimeError } from '../runtime/runtime.ts';
import type { ServerConfig } from './config.ts';
import { showMembers } from './config-node.ts';
import { EnsembleNode } from './ensemble-node.ts';
import { asFatal, FatalError } from './fatal-error.ts';
import type { Log } from './logger.ts';
import { type OpenedStorage, openStorage } from './open-storage.ts';
import { canHeal, setAside } from './set-aside.ts';
import { VERSION_LINE } from './version.ts';

export interface ServerOptions {
  readonly log: Log;
  /** What `envi` prints by its keys; a missing one prints as unset. */
  readonly environment?: ReadonlyMap<string, string>;
}

/** What a running server says of itself to the program it runs in. */
export interface ServerView {
  /** Undefined while this server serves nobody (no quorum, starting, stopped). */
  readonly mode: ServingMode | undefined;
  /** Last transaction applied. */
  readonly lastZxid: Zxid;
  /** Digest of the tree after it: equal on all servers that have applied the same. */
  readonly digest: string;
  readonly epoch: number;
  /** `whole` unless this server's data was lost, or is not there yet, and has still to come from the others. */
  readonly standing: Standing;
  /** Where clients connect; empty before the start. */
  readonly clientAddresses: readonly Address[];
}

export interface Server {
  /**
   * Resolves when the ports are open and the data is loaded; serving begins when a quorum is found.
   * Rejects with a `FatalError` (configuration, data, ports).
   */
  start(): Promise<void>;
  /** Orderly end: connections close, a last checkpoint is written. */
  stop(): Promise<void>;
  /** Resolves if the server can no longer go on after its start; it has then stopped already. */
  readonly fatal: Promise<FatalError>;
  readonly view: ServerView;
}

/** What a reply of getData has besides the data: a Stat, and some. */
const REPLY_ROOM_BYTES = 1024;

const SET_ASIDE_REMEDY =
  'this server fetches everything from the others, as soon as a majority of them runs; the ' +
  'directories are kept for inspection and can be deleted once it serves';

export function createServer(
  config: ServerConfig,
  runtime: Runtime,
  options: ServerOptions,
): Server {
  return new VivariumServer(config, runtime, options);
}

/** What is there between start and stop. */
interface Running {
  readonly storage: OpenedStorage;
  readonly node: EnsembleNode;
  readonly clients: ClientService;
  readonly view: ServerView;
}

/** Computes each fact when it is asked for, so that whoever watches a server closely pays only for what it reads. */
class RunningView implements ServerView {
  readonly #node: EnsembleNode;
  readonly #clients: ClientService;
  readonly #storage: OpenedStorage;

  constructor(node: EnsembleNode, clients: ClientService, storage: OpenedStorage) {
    this.#node = node;
    this.#storage = storage;
    this.#clients = clients;
  }

  get mode(): ServingMode | undefined {
    return this.#node.replica.mode;
  }

  get lastZxid(): Zxid {
    return this.#node.tree.lastZxid;
  }

  get digest(): string {
    return this.#node.tree.digestHex;
  }

  get epoch(): number {
    return this.#node.node.currentEpoch;
  }

  get standing(): Standing {
    return this.#storage.log.meta.standing;
  }

  get clientAddresses(): readonly Address[] {
    return this.#clients.addresses;
  }
}

class VivariumServer implements Server {
  readonly fatal: Promise<FatalError>;
  readonly #config: ServerConfig;
  readonly #runtime: Runtime;
  readonly #options: ServerOptions;
  readonly #reportFatal: (error: FatalError) => void;
  #running: Running | undefined;
  /** While damaged data is set aside and a new life begins. */
  #healing: Promise<void> | undefined;
  #isStopped = false;

  constructor(config: ServerConfig, runtime: Runtime, options: ServerOptions) {
    this.#config = config;
    this.#runtime = runtime;
    this.#options = options;
    let report: (error: FatalError) => void = () => undefined;
    this.fatal = new Promise((resolve) => {
      report = resolve;
    });
    this.#reportFatal = report;
  }

  get view(): ServerView {
    return this.#required().view;
  }

  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!this.#isHealable(error)) throw error;
      await this.#beginAnew(error);
      await this.#start();
    }
  }

  async #start(): Promise<void> {
    const storage = await openStorage(this.#config, this.#runtime);
    try {
      await this.#startOn(storage);
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  async #startOn(storage: OpenedStorage): Promise<void> {
    let clients: ClientService | undefined;
    const node = await EnsembleNode.open({
      config: this.#config,
      runtime: this.#runtime,
      storage,
      log: this.#options.log,
      onTree: (tree) => {
        showMembers(tree, this.#config);
        // A tree that a snapshot brought takes the listeners over; no client is connected then.
        if (clients !== undefined) tree.listener = clients.watches;
      },
      onFatal: (error) => this.#failed(error),
    });
    clients = this.#createClientService(node);
    node.tree.listener = clients.watches;
    node.replica.connect(clients);
    this.#running = { storage, node, clients, view: new RunningView(node, clients, storage) };
    try {
      await clients.open();
      await node.start();
    } catch (error) {
      await this.#close();
      throw this.#portError(error);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#healing;
    await this.#close();
  }

  async #close(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    await running.clients.close();
    await running.node.stop();
  }

  #createClientService(node: EnsembleNode): ClientService {
    const { log } = this.#options;
    return new ClientService(this.#runtime, node.replica, this.#clientOptions(), log);
  }

  #clientOptions(): ClientServiceOptions {
    const config = this.#config;
    const { clientPort, clientHost, clientPortListenBacklog } = config;
    const own = config.members.find((member) => member.id === config.serverId);
    return {
      listen:
        clientPort === undefined
          ? []
          : [{ port: clientPort, host: clientHost, backlog: clientPortListenBacklog }],
      tickTimeMs: config.tickTimeMs,
      minSessionTimeoutMs: config.minSessionTimeoutMs,
      maxSessionTimeoutMs: config.maxSessionTimeoutMs,
      maxClientCnxns: config.maxClientCnxns,
      maxCnxns: config.maxCnxns,
      juteMaxBufferBytes: config.juteMaxBuffer,
      globalOutstandingLimit: config.globalOutstandingLimit,
      // Whatever could be written can be read.
      replyBytesMax: Math.max(config.maxReplyBytes, config.juteMaxBuffer + REPLY_ROOM_BYTES),
      watchLimits: {
        inAll: config.maxWatches || Infinity,
        perWatcher: config.maxWatchesPerConnection || Infinity,
      },
      throttledOpWaitMs: config.throttledOpWaitMs,
      fourLetterWords: allowedWords(config.fourLetterWhitelist),
      limits: config.clientLimits,
      access: {
        skipAcl: config.skipAcl,
        superDigest: config.superDigest,
        enforcedSchemes: config.enforcedAuthSchemes,
      },
      report: {
        version: VERSION_LINE,
        dataDir: config.dataDir,
        dataLogDir: config.dataLogDir,
        listenBacklog: clientPortListenBacklog ?? -1,
        serverId: config.isStandalone ? 0 : config.serverId,
        ensemble:
          config.isStandalone || own === undefined
            ? undefined
            : {
                initLimit: config.initLimit,
                syncLimit: config.syncLimit,
                electionPort: own.electionPort,
                quorumPort: own.quorumPort,
                isObserver: own.role === 'observer',
              },
        environment: this.#options.environment ?? new Map(),
      },
    };
  }

  #failed(error: FatalError): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined && this.#isHealable(error)) {
      this.#healing = this.#heal(running, error).finally(() => {
        this.#healing = undefined;
      });
      return;
    }
    this.#options.log.error('fatal', { code: error.code, reason: error.message });
    // Sockets close so that nobody waits for an answer; the disk is left exactly as it is.
    running?.clients.close().catch(() => undefined);
    this.#reportFatal(error);
  }

  #isHealable(error: unknown): error is FatalError {
    if (this.#isStopped || !(error instanceof FatalError)) return false;
    return error.code === 'DAMAGE' && canHeal(this.#config);
  }

  /** Never rejects: what goes wrong is reported as the end of this server. */
  async #heal({ clients, node }: Running, error: FatalError): Promise<void> {
    try {
      await clients.close();
      await node.release();
      await this.#beginAnew(error);
      await this.#start();
    } catch (failure) {
      const fatal = asFatal(failure);
      this.#options.log.error('fatal', { code: fatal.code, reason: fatal.message });
      this.#reportFatal(fatal);
    }
  }

  /** A majority of the others gives this server everything back; without one nobody serves. */
  async #beginAnew(error: FatalError): Promise<void> {
    const { log } = this.#options;
    log.error('dataDamaged', { reason: error.message });
    const moved = await setAside(this.#config, this.#runtime);
    log.error('dataSetAside', { directories: moved.join(', '), remedy: SET_ASIDE_REMEDY });
  }

  #portError(error: unknown): FatalError {
    if (!(error instanceof RuntimeError)) return asFatal(error);
    const message = `server ${this.#config.serverId}: ${error.message}; is another server running with this clientPort?`;
    return new FatalError('PORT', message, { cause: error });
  }

  #required(): Running {
    if (this.#running === undefined) throw new RangeError('the server is not running');
    return this.#running;
  }
}

/** As the original understands its whitelist, in which `srvr` is even if it is not. */
function allowedWords(whitelist: ServerConfig['fourLetterWhitelist']): Set<string> | undefined {
  if (whitelist === undefined || whitelist.includes('*')) return undefined;
  return new Set([...whitelist, 'srvr']);
}
