/** What the clients of a chaos run do, until they are told to stop. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import { check, create, read, remove, set, write } from '../../test/sim/drafts.ts';
import type { Draft, Operation } from '../../test/sim/history.ts';
import { RandomWorkload, type TaskWeights } from '../../test/sim/workload.ts';
import type { HistoryClient } from './history-client.ts';

export const LOCK = '/l';
export const GUARDED = '/f/guarded';
export const QUEUE = '/q';

/** Shared by all workers of a round. */
export interface WorkContext {
  readonly prng: Prng;
  isRunning: boolean;
  /** A write was acknowledged. */
  acked(): void;
}

export type Work = (client: HistoryClient, context: WorkContext, tag: string) => Promise<void>;

const SESSION_WAIT_MS = 1000;
const THINK_MAX_MS = 4;
const POLL_MS = 20;
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** One operation, as soon as there is a session; undefined when there is none for long. */
async function ask(
  client: HistoryClient,
  context: WorkContext,
  draft: Draft,
): Promise<Operation | undefined> {
  if (!(await client.untilSession(SESSION_WAIT_MS)) || client.session === undefined)
    return undefined;
  const operation = await client.perform(draft);
  if (operation.outcome === 'ok' && operation.changes.length > 0) context.acked();
  return operation;
}

/** Registers, counters, unique nodes, sequences, ephemerals, watches and the rest, at random. */
export function randomWork(weights: TaskWeights, watches: boolean): Work {
  return async (client, context, tag) => {
    const workload = new RandomWorkload(context.prng, weights, tag, UNBOUNDED);
    client.onExpired(() => workload.sessionEnded());
    while (context.isRunning) {
      for (const draft of workload.next()) {
        const operation = await ask(client, context, watches ? draft : { ...draft, watch: false });
        if (operation !== undefined) workload.replied(operation);
      }
      await sleep(context.prng.between(0, THINK_MAX_MS));
    }
  };
}

/** Takes the lock, writes what it guards together with a look at the own place in line, and leaves. */
export const lockWork: Work = async (client, context, tag) => {
  for (let count = 0; context.isRunning; count++) {
    const place = `${tag}-${count}`;
    const queued = await ask(
      client,
      context,
      write(create(`${LOCK}/q-`, place, CreateMode.ephemeralSequential)),
    );
    const path = queued?.outcome === 'ok' ? queued.reply.path : undefined;
    if (path === undefined) {
      await leaveLine(client, context, tag);
      continue;
    }
    if (await untilFirst(client, context, path)) {
      const changes = [check(path, 0), set(GUARDED, place, -1)];
      await ask(client, context, { kind: 'multi', path: '', watch: false, changes });
    }
    await ask(client, context, write(remove(path)));
    await leaveLine(client, context, tag);
  }
};

async function untilFirst(
  client: HistoryClient,
  context: WorkContext,
  path: string,
): Promise<boolean> {
  while (context.isRunning) {
    const listed = await ask(client, context, read('children', LOCK));
    const names = [...(listed?.reply.names ?? [])].sort();
    if (listed?.outcome === 'ok') {
      if (`${LOCK}/${names[0]}` === path) return true;
      if (!names.includes(path.slice(LOCK.length + 1))) return false;
    }
    await sleep(POLL_MS);
  }
  return false;
}

/** Whose place in line is of unknown outcome looks for it, so that nobody waits behind it for ever. */
async function leaveLine(client: HistoryClient, context: WorkContext, tag: string): Promise<void> {
  const listed = await ask(client, context, read('children', LOCK));
  for (const name of listed?.reply.names ?? []) {
    const path = `${LOCK}/${name}`;
    const found = await ask(client, context, read('get', path));
    if (found?.reply.value?.startsWith(`${tag}-`)) await ask(client, context, write(remove(path)));
  }
}

export const producerWork: Work = async (client, context, tag) => {
  for (let count = 0; context.isRunning; count++) {
    const item = create(`${QUEUE}/q-`, `${tag}-${count}`, CreateMode.persistentSequential);
    await ask(client, context, write(item));
    await sleep(context.prng.between(0, 4 * THINK_MAX_MS));
  }
};

/** Takes the item that waited longest; of two consumers only one succeeds. */
export const consumerWork: Work = async (client, context) => {
  while (context.isRunning) {
    const listed = await ask(client, context, read('children', QUEUE));
    const [name] = [...(listed?.reply.names ?? [])].sort();
    if (name !== undefined) {
      const path = `${QUEUE}/${name}`;
      await ask(client, context, read('get', path));
      await ask(client, context, write(remove(path)));
    }
    await sleep(context.prng.between(0, 2 * THINK_MAX_MS));
  }
};
