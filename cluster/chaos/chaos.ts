/** A whole run: round after round on one ensemble, what was done, and what came of it. */

import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { History } from '../../test/sim/history.ts';
import { runRound } from './chaos-round.ts';
import { type ChaosServers, OURS, type ServerKind } from './chaos-servers.ts';
import { deploy, type LinkChoice } from './deploy.ts';
import type { FaultKind } from './faults.ts';
import { print, seconds, summarize } from './measure/summary.ts';

export interface ChaosOptions {
  readonly kind: ServerKind;
  readonly minutes: number;
  readonly seed: number;
  readonly servers: number;
  readonly faults: readonly FaultKind[];
  readonly links: LinkChoice;
}

const ROUND_MS = 40_000;
const VIOLATIONS_SHOWN = 20;

/** False: something was violated. */
export async function runChaos(options: ChaosOptions): Promise<boolean> {
  const { kind, seed, servers: count, faults, links } = options;
  const smallDisk = faults.includes('fullDisk') ? count : undefined;
  const deployed = await deploy(kind, count, links, smallDisk);
  const { servers } = deployed;
  print(`${count} servers of ${kind.name}, ${deployed.links.kind}, seed ${seed}`);
  const deadline = performance.now() + options.minutes * 60_000;
  const pauses = new Map<FaultKind, number[]>();
  const violations: string[] = [];
  let operations = 0;
  let acknowledged = 0;
  let rounds = 0;
  while (violations.length === 0 && performance.now() < deadline) {
    const lastsMs = Math.min(ROUND_MS, deadline - performance.now());
    const number = rounds++;
    const round = {
      number,
      seed: seed * 1000 + number,
      faults,
      lastsMs,
      smallDisk: deployed.smallDisk,
    };
    try {
      const result = await runRound(servers, round);
      violations.push(...result.violations);
      for (const [fault, values] of result.pauses) {
        pauses.set(fault, [...(pauses.get(fault) ?? []), ...values]);
      }
      const all = result.history.operations;
      operations += all.length;
      acknowledged += all.filter(({ outcome }) => outcome === 'ok').length;
      if (result.violations.length > 0) await writeHistory(result.history, servers);
    } catch (error) {
      violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
  await deployed.close(violations.length > 0);
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN)) print(`VIOLATION ${violation}`);
  if (violations.length > 0) print(`histories and logs: ${servers.directory}`);
  printPauses(pauses);
  const faultCount = [...pauses.values()].reduce((sum, values) => sum + values.length, 0);
  print(
    `${rounds} rounds, ${faultCount} faults, ${acknowledged} of ${operations} operations succeeded, ` +
      `${violations.length} violations${kind === OURS ? '' : ` of ${kind.name}`}`,
  );
  return violations.length === 0;
}

function printPauses(pauses: ReadonlyMap<FaultKind, readonly number[]>): void {
  for (const [fault, values] of [...pauses].sort()) {
    const { count, median, max } = summarize(values);
    print(
      `${fault}: ${count}, no write for ${seconds(median)} in the median, at most ${seconds(max)}`,
    );
  }
}

/** One line of JSON an operation, as they were asked. */
async function writeHistory(history: History, servers: ChaosServers): Promise<void> {
  const file = createWriteStream(path.join(servers.directory, 'history.jsonl'));
  for (const operation of history.operations) {
    const { session, ...rest } = operation;
    const line = { ...rest, session: session.id };
    file.write(
      `${JSON.stringify(line, (_key, value: unknown) => (typeof value === 'bigint' ? `0x${BigInt.asUintN(64, value).toString(16)}` : value))}\n`,
    );
  }
  file.end();
  await finished(file);
}
