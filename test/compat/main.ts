/** The command line of the compatibility run. */

import { ToolCommand } from '../../cluster/tool-command.ts';
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

const command = new ToolCommand(USAGE);
const values = command.options({
  ops: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  servers: { type: 'string', default: '1' },
  failures: { type: 'string', default: '5' },
  without: { type: 'string', default: '' },
});

async function main(): Promise<number> {
  const names = values.without.split(',').filter((name) => name !== '');
  const without = names.map((wanted) => {
    const found = Object.entries(OpCode).find(([name]) => name === wanted);
    return found?.[1] ?? command.refuse(`--without: there is no operation '${wanted}'`);
  });
  const plan = {
    ops: command.wholeNumber('ops', values.ops, 1),
    seed: command.wholeNumber('seed', values.seed, 0),
    serverCount: command.oneOf('servers', values.servers, ['1', '3']) === '1' ? 1 : 3,
    failuresMax: command.wholeNumber('failures', values.failures, 1),
    without,
  } as const;
  const result = await runCompat(plan, (text) => process.stdout.write(text));
  return result.failures === 0 ? 0 : 1;
}

process.exitCode = await main();
