/** The command line of the simulator. */

import { writeFileSync } from 'node:fs';
import { ToolCommand } from '../../cluster/tool-command.ts';
import { type Zxid, zxidHex } from '../../src/base/ids.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { replayCommand, runSeeds, totalsLine } from './seed-pool.ts';

const USAGE = `npm run sim -- [options]

Simulates whole ensembles and their clients under faults, one for each seed. The last line says what
was done; the exit code is 1 if anything was violated.

  --seeds N      so many (default 100)
  --from S       the first seed (default 1)
  --threads T    seeds at a time (default: one for each processor)
  --log          one after the other, with every line that a server logs and its virtual time
  --hashes FILE  writes the trace hash of each seed, to compare two runs
`;

const command = new ToolCommand(USAGE);
const values = command.options({
  seeds: { type: 'string', default: '100' },
  from: { type: 'string', default: '1' },
  threads: { type: 'string' },
  log: { type: 'boolean', default: false },
  hashes: { type: 'string' },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printFailure({ seed, violations, traceHash }: SeedResult): void {
  print(`seed ${seed} (trace ${traceHash}): ${violations.length} violations`);
  for (const violation of violations) print(`  ${violation}`);
  print(`  replay: ${replayCommand(seed)}`);
}

/** Zxids as everywhere in hex; session ids are bigints, which JSON does not know. */
function readable(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`;
  return key === 'zxid' && typeof value === 'number' ? zxidHex(value as Zxid) : value;
}

async function replay(seed: number): Promise<boolean> {
  const result = await runSeed(seed, (nowMs, server, level, event, fields) => {
    print(`${nowMs.toFixed(3)} s${server} ${level} ${event} ${JSON.stringify(fields, readable)}`);
  });
  if (result.violations.length > 0) printFailure(result);
  print(JSON.stringify(result));
  return result.violations.length === 0;
}

async function main(): Promise<boolean> {
  const from = command.wholeNumber('from', values.from, 0);
  const count = command.wholeNumber('seeds', values.seeds, 1);
  if (values.log) {
    let isGood = true;
    for (let seed = from; seed < from + count; seed++) isGood = (await replay(seed)) && isGood;
    return isGood;
  }
  const { threads } = values;
  const threadCount =
    threads === undefined ? undefined : command.wholeNumber('threads', threads, 1);
  const hashes: string[] = [];
  const isWanted = ({ seed, traceHash }: SeedResult): boolean => {
    hashes[seed - from] = `${seed} ${traceHash}\n`;
    return true;
  };
  const totals = await runSeeds({ from, count, threadCount, isWanted });
  if (values.hashes !== undefined) writeFileSync(values.hashes, hashes.join(''));
  for (const failure of totals.failed) printFailure(failure);
  print(totalsLine(totals));
  return totals.failed.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
