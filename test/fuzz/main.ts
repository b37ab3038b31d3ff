/** The command line of the fuzzer. */

import { ToolCommand } from '../../cluster/tool-command.ts';
import { DecoderFuzz } from './decoder-fuzz.ts';
import { MemoryWatch } from './memory.ts';
import { PeerFuzz } from './peer-fuzz.ts';
import { RecordFuzz } from './record-fuzz.ts';
import { ServerFuzz } from './server-fuzz.ts';

const USAGE = `npm run fuzz -- [options]

Sends damaged inputs to decoders, records, servers and their peer ports. The last line says what was
done; the exit code is 1 if anything went wrong.

  --frames N     inputs in all (default 200000)
  --seed S       (default 1)
  --level LEVEL  decoders, records, server or peers: all inputs there
`;

const command = new ToolCommand(USAGE);
const values = command.options({
  frames: { type: 'string', default: '200000' },
  seed: { type: 'string', default: '1' },
  level: { type: 'string' },
});

/** Of all inputs; whole servers are dearer than decoders. */
const SHARES = { decoders: 0.4, records: 0.15, server: 0.4, peers: 0.05 } as const;
type Level = keyof typeof SHARES;
const LEVELS = ['decoders', 'records', 'server', 'peers'] as const satisfies readonly Level[];
const DECODER_STEP = 50_000;
const SERVER_ROUND = 40_000;
const PEER_ROUND = 4000;

/** For the last line. */
const totals: string[] = [];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runLevel(
  level: Level,
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
  }
}

async function main(): Promise<boolean> {
  const frames = command.wholeNumber('frames', values.frames, 1);
  const seed = command.wholeNumber('seed', values.seed, 0);
  const only =
    values.level === undefined ? undefined : command.oneOf('level', values.level, LEVELS);
  const memory = new MemoryWatch();
  for (const name of only === undefined ? LEVELS : [only]) {
    const share = only === undefined ? SHARES[name] : 1;
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
