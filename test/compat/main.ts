/** The command line of the compatibility run. */

import { parseArgs } from 'node:util';
import { OpCode } from '../../src/base/op-code.ts';
import { runCompat } from './compat.ts';

const USAGE = `npm run compat -- [options]

Asks Apache ZooKeeper 3.8.0 and this server the same things, and compares all they answer.

  --ops N        requests compared on each server (default 100000)
  --seed S       of the first program; each further program takes the next (default 1)
  --servers N    1 or 3 of ours (default 1)
  --failures N   programs that may differ before the run ends (default 5)
  --without A,B  operations to leave out, such as multi,setAcl
`;

const OPTIONS = {
  ops: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  servers: { type: 'string', default: '1' },
  failures: { type: 'string', default: '5' },
  without: { type: 'string', default: '' },
} as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const [ops, seed, servers, failures] = [
    Number(values.ops),
    Number(values.seed),
    Number(values.servers),
    Number(values.failures),
  ];
  const names = values.without.split(',').filter((name) => name !== '');
  const without = Object.entries(OpCode)
    .filter(([name]) => names.includes(name))
    .map(([, type]) => type);
  const isUsable =
    ops > 0 && Number.isInteger(seed) && failures > 0 && without.length === names.length;
  if (!isUsable || (servers !== 1 && servers !== 3)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const result = await runCompat(
    { ops, seed, serverCount: servers, failuresMax: failures, without },
    (text) => process.stdout.write(text),
  );
  return result.failures === 0 ? 0 : 1;
}

process.exitCode = await main();
