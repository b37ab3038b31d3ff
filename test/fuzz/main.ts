/**
 * `npm run fuzz -- --frames N --seed S [--level decoders|records|server|peers]`: so many damaged
 * inputs in all, or at one level. The last line says what was done; the exit code is 1 if anything
 * went wrong.
 */

import { parseArgs } from 'node:util';
import { DecoderFuzz } from './decoder-fuzz.ts';
import { MemoryWatch } from './memory.ts';
import { PeerFuzz } from './peer-fuzz.ts';
import { RecordFuzz } from './record-fuzz.ts';
import { ServerFuzz } from './server-fuzz.ts';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    level: { type: 'string' },
  },
});

/** Of all inputs; whole servers are dearer than decoders. */
const SHARES: Readonly<Record<string, number>> = {
  decoders: 0.4,
  records: 0.15,
  server: 0.4,
  peers: 0.05,
};
const DECODER_STEP = 50_000;
const SERVER_ROUND = 40_000;
const PEER_ROUND = 4000;

/** For the last line. */
const totals: string[] = [];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runLevel(
  level: string,
  count: number,
  seed: number,
  memory: MemoryWatch,
): Promise<string> {
  switch (level) {
    case 'decoders': {
      const fuzz = new DecoderFuzz(seed);
      while (fuzz.totals.inputs < count) {
        fuzz.run(Math.min(DECODER_STEP, count - fuzz.totals.inputs));
        memory.sample();
      }
      return fuzz.summary;
    }
    case 'records': {
      const fuzz = new RecordFuzz(seed);
      fuzz.run(count);
      return fuzz.summary;
    }
    case 'server': {
      const fuzz = new ServerFuzz(seed);
      while (fuzz.totals.sent < count) {
        await fuzz.round(Math.min(SERVER_ROUND, count - fuzz.totals.sent));
        memory.sample();
      }
      await fuzz.stop();
      totals.push(`${fuzz.totals.received} replies and events`, fuzz.closes);
      return fuzz.summary;
    }
    case 'peers': {
      const fuzz = new PeerFuzz(seed);
      while (fuzz.totals.sent < count) {
        await fuzz.round(Math.min(PEER_ROUND, count - fuzz.totals.sent));
        memory.sample();
      }
      return fuzz.summary;
    }
    default:
      throw new RangeError(`there is no level ${level}: ${Object.keys(SHARES).join(', ')}`);
  }
}

async function main(): Promise<boolean> {
  const frames = Number(values.frames);
  const seed = Number(values.seed);
  if (!Number.isInteger(frames) || frames < 1 || !Number.isInteger(seed)) {
    print('--frames and --seed are whole numbers');
    return false;
  }
  const { level } = values;
  const levels = level === undefined ? Object.entries(SHARES) : [[level, 1] as const];
  const memory = new MemoryWatch();
  for (const [name, share] of levels) {
    try {
      print(`${name}: ${await runLevel(name, Math.ceil(frames * share), seed, memory)}`);
    } catch (error) {
      print(error instanceof Error ? (error.stack ?? error.message) : String(error));
      print(`replay: npm run fuzz -- --frames ${frames} --seed ${seed} --level ${name}`);
      return false;
    }
  }
  const facts = [`${frames} inputs of seed ${seed}, 0 crashes`, `${memory}`, ...totals];
  print(facts.join('; '));
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
