/** The command line of the mutants. */

import { ToolCommand } from '../../cluster/tool-command.ts';
import { GENERIC_CORE } from './generic-core.ts';
import { GENERIC_STORE } from './generic-store.ts';
import { GUARDS } from './guards.ts';
import type { Mutant } from './mutant.ts';
import { passes, type Search, tryMutant, type Verdict } from './trial.ts';
import { COMPILED, Workbench } from './workbench.ts';

const USAGE = `npm run mutants -- [options]

Takes guards away from the compiled code, or breaks it otherwise, one place at a time, and says how
many random schedules it takes to notice. The last line counts; the exit code is 1 when a directed
test does not notice the mutant it was written for.

  --only NAME,NAME   these alone
  --kind KIND        guards, generic or all (the default)
  --storms N, --store-storms N
                     at most so many storms of the core and of the store (default 1000)
  --seeds N          at most so many simulated ensembles (default 200)
  --from S           the first seed of each (default 1)
`;

const command = new ToolCommand(USAGE);
const values = command.options({
  only: { type: 'string' },
  kind: { type: 'string', default: 'all' },
  seeds: { type: 'string', default: '200' },
  storms: { type: 'string', default: '1000' },
  'store-storms': { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function chosen(): readonly Mutant[] {
  const kind = command.oneOf('kind', values.kind, ['guards', 'generic', 'all']);
  const all = [
    ...(kind === 'generic' ? [] : GUARDS),
    ...(kind === 'guards' ? [] : [...GENERIC_CORE, ...GENERIC_STORE]),
  ];
  return (
    values.only?.split(',').map((wanted) => {
      const mutant = all.find(({ name }) => name === wanted);
      return mutant ?? command.refuse(`there is no mutant '${wanted}'`);
    }) ?? all
  );
}

function cell(search: Search | undefined): string {
  if (search === undefined) return '';
  return search.isKilled ? `${search.schedules}` : `survives ${search.schedules}`;
}

function row({ name, what }: Mutant, { directed, storm, storeStorm, sim }: Verdict): string {
  const test = directed === undefined ? '' : directed ? 'fails' : '**passes**';
  const killer = [storm, storeStorm, sim].find((search) => search?.isKilled);
  const how = (killer?.how ?? '').replaceAll('|', '/').slice(0, 110);
  return `| ${name} | ${what} | ${test} | ${cell(storm)} | ${cell(storeStorm)} | ${cell(sim)} | ${how} |`;
}

async function main(): Promise<boolean> {
  const mutants = chosen();
  const limits = {
    storms: command.wholeNumber('storms', values.storms, 0),
    storeStorms: command.wholeNumber('store-storms', values['store-storms'], 0),
    seeds: command.wholeNumber('seeds', values.seeds, 0),
    firstSeed: command.wholeNumber('from', values.from, 0),
  };
  const counts = { killed: 0, unnoticed: 0 };
  const bench = new Workbench();
  try {
    print('| mutant | what is wrong | directed test | storms | store | seeds | noticed by |');
    print('|---|---|---|---|---|---|---|');
    for (const mutant of mutants) {
      const { directed } = mutant;
      if (directed !== undefined && !(await passes(COMPILED, directed))) {
        throw new Error(`${directed.file}: "${directed.name}" fails without any mutant`);
      }
      const verdict = await bench.with(mutant, () => tryMutant(bench.directory, mutant, limits));
      print(row(mutant, verdict));
      if ([verdict.storm, verdict.storeStorm, verdict.sim].some((found) => found?.isKilled))
        counts.killed++;
      if (verdict.directed === false) counts.unnoticed++;
    }
  } finally {
    bench.close();
  }
  print(
    `${mutants.length} mutants, ${counts.killed} noticed by random schedules; ` +
      `${counts.unnoticed} not noticed by the test of their own`,
  );
  return counts.unnoticed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
