/** The clients of one simulation: started, killed and replaced on hosts of their own. */

import { Prng } from '../../src/base/prng.ts';
import type { Address } from '../../src/runtime/runtime.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import type { Draft, History, SessionKind } from './history.ts';
import { type ClientProfile, type ClientWorkload, SimClient } from './sim-client.ts';

/** Asks nothing by itself. */
export const NO_WORKLOAD: ClientWorkload = {
  next: () => [],
  replied: () => undefined,
  sessionEnded: () => undefined,
};

export class ClientGroup {
  readonly #world: SimWorld;
  readonly #history: History;
  readonly #violations: string[];
  readonly #prng: Prng;
  readonly #sessions: SessionKind;
  readonly #clients = new Map<string, SimClient>();

  /** `sessions`: of which kind they are when they begin. */
  constructor(
    world: SimWorld,
    history: History,
    violations: string[],
    prng: Prng,
    sessions: SessionKind,
  ) {
    this.#sessions = sessions;
    this.#world = world;
    this.#history = history;
    this.#violations = violations;
    this.#prng = prng;
  }

  /** Hosts with a living client. */
  get hosts(): readonly string[] {
    return [...this.#clients.keys()];
  }

  get clients(): readonly SimClient[] {
    return [...this.#clients.values()];
  }

  get isIdle(): boolean {
    return this.clients.every((client) => client.isIdle);
  }

  get isConnected(): boolean {
    return this.clients.every((client) => client.isConnected);
  }

  start(
    hostName: string,
    servers: readonly Address[],
    profile: ClientProfile,
    workload: ClientWorkload,
  ): SimClient {
    const context = {
      runtime: this.#world.runtimeFor(hostName),
      prng: new Prng(this.#prng.uint32()),
      history: this.#history,
      servers,
      sessions: this.#sessions,
      violations: this.#violations,
    };
    const client = new SimClient(context, profile, workload);
    this.#clients.set(hostName, client);
    return client;
  }

  kill(hostName: string): void {
    this.#clients.get(hostName)?.died();
    this.#clients.delete(hostName);
    this.#world.crash(hostName);
  }

  rest(): void {
    for (const client of this.clients) client.rest();
  }

  /** Has one client ask these, in order, and waits. False: it took too long. */
  async ask(client: SimClient, drafts: readonly Draft[], maxMs: number): Promise<boolean> {
    client.ask(drafts);
    return await this.#world.runUntil(() => client.isIdle, maxMs);
  }
}
