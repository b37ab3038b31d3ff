/**
 * `npm run sim -- --seeds N --from S [--threads T] [--log] [--hashes FILE]`: simulates so many seeds.
 * The last line says what was done; the exit code is 1 if anything was violated. With `--log` the
 * seeds run one after the other and every line that a server logs is shown with its virtual time.
 * With `--hashes` the trace hash of each seed is written to a file, to compare two runs.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Zxid, zxidHex } from '../../src/base/ids.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { replayCommand, runSeeds, totalsLine } from './seed-pool.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string' },
    log: { type: 'boolean', default: false },
    hashes: { type: 'string' },
  },
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
  const from = Number(values.from);
  const count = Number(values.seeds);
  if (!Number.isInteger(from) || !Number.isInteger(count) || from < 0 || count < 1) {
    print('--from and --seeds are whole numbers');
    return false;
  }
  if (values.log) {
    let isGood = true;
    for (let seed = from; seed < from + count; seed++) isGood = (await replay(seed)) && isGood;
    return isGood;
  }
  const threadCount = values.threads === undefined ? undefined : Number(values.threads);
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
