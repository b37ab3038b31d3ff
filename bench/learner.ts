/** Catching up: a follower that lost its disk comes back while the other two take writes without pause. */

import { setTimeout as sleep } from 'node:timers/promises';
import { askWord } from '../src/bench/four-letter.ts';
import { runLoad } from '../src/bench/load-run.ts';
import { type ServerKind, Target } from '../src/bench/target.ts';
import { loadTree } from '../src/bench/tree-load.ts';
import type { Address } from '../src/runtime/runtime.ts';
import { DATA_BYTES, pipelinedSets, TREE_LOAD, WRITE_LOAD } from './write-load.ts';

const SERVERS = 3;
const LEVEL_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** What is to be said of it, a line each. Rejects with a `TargetError` when it never serves. */
export async function lookAtLearner(
  kind: ServerKind,
  nodeCount: number,
  directory: string,
): Promise<string[]> {
  const target = await Target.start(kind, SERVERS, directory);
  try {
    await loadTree(target, nodeCount, DATA_BYTES, TREE_LOAD);
    const follower = await target.followerControl();
    await follower.empty();
    let servedMs = Promise.resolve(Number.NaN);
    const catchUp = async (): Promise<number> => {
      const beganMs = performance.now();
      follower.restart();
      await follower.ready();
      return performance.now() - beganMs;
    };
    const others = { name: target.name, addresses: follower.others, pids: [] };
    const load = await runLoad(others, pipelinedSets(), WRITE_LOAD, {
      begin: () => {
        servedMs = catchUp();
        // Whoever awaits it hears of a failure, at the end of the load.
        servedMs.catch(() => undefined);
      },
      end: () => undefined,
    });
    const seconds = ((await servedMs) / 1000).toFixed(1);
    return [
      `${nodeCount} nodes: an emptied follower served after ${seconds} s`,
      `beside ${Math.round(load.opsPerSecond)} sets a second for ${WRITE_LOAD.seconds} s, ` +
        `p99 ${(load.p99Us / 1000).toFixed(0)} ms; ${load.failures.join(', ') || 'verified'}`,
      `afterwards: ${await levelled(target.addresses)}`,
    ];
  } finally {
    await target.stop();
  }
}

async function stateOf(address: Address): Promise<string> {
  const zxid = /^Zxid: (.*)$/m.exec(await askWord(address, 'srvr'))?.[1] ?? '';
  const metrics = await askWord(address, 'mntr');
  const nodeCount = /^zk_znode_count\t(.*)$/m.exec(metrics)?.[1] ?? '';
  const digest = /^zk_tree_digest\t(.*)$/m.exec(metrics)?.[1] ?? '';
  return `${zxid} ${nodeCount} ${digest}`.trim();
}

/** Waits until all servers show the same last transaction and nodes, and, where they have one, digest. */
async function levelled(addresses: readonly Address[]): Promise<string> {
  const deadlineMs = performance.now() + LEVEL_TIMEOUT_MS;
  for (;;) {
    const shown = await Promise.all(addresses.map(stateOf));
    const isLevel = new Set(shown).size === 1 && shown[0] !== '';
    if (isLevel) return `all servers show ${shown[0]}`;
    if (performance.now() > deadlineMs) return `servers differ: ${shown.join('; ')}`;
    await sleep(POLL_MS);
  }
}
