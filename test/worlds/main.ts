/**
 * `npm run worlds -- --states N [--writes 2 --changes 2 --crashes 1 --cuts 1 --trims 0]
 * [--from settled|start] [--bug NAME,NAME|all]`: so many worlds, breadth first. The last line says
 * what was done; the exit code is 1 if anything was violated, or if a bug that was put back was not
 * found. With `--path` nothing is searched: what happens on that path is told.
 */

import { parseArgs } from 'node:util';
import { Exploration, summaryOf } from './exploration.ts';
import { OLD_BUGS, type OldBug } from './old-bugs.ts';
import { LIMIT_MAX, type Limits } from './row.ts';

const { values } = parseArgs({
  options: {
    states: { type: 'string', default: '1000000' },
    writes: { type: 'string', default: '2' },
    changes: { type: 'string', default: '2' },
    crashes: { type: 'string', default: '1' },
    cuts: { type: 'string', default: '1' },
    trims: { type: 'string', default: '0' },
    from: { type: 'string', default: 'settled' },
    bug: { type: 'string' },
    path: { type: 'string' },
  },
});

/** A line of progress after so many worlds. */
const REPORT_STATES = 1_000_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

type NumberOption = 'states' | 'writes' | 'changes' | 'crashes' | 'cuts' | 'trims';

function numberOf(name: NumberOption): number {
  const value = Number(values[name]);
  const max = name === 'states' ? Number.MAX_SAFE_INTEGER : LIMIT_MAX;
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`--${name} is a whole number up to ${max}`);
  }
  return value;
}

function limits(): Limits {
  return {
    writes: numberOf('writes'),
    leaderChanges: numberOf('changes'),
    crashes: numberOf('crashes'),
    cuts: numberOf('cuts'),
    trims: numberOf('trims'),
  };
}

async function explore(bug: OldBug | undefined): Promise<Exploration> {
  const isFromStart = values.from === 'start';
  const exploration = await Exploration.begin({ limits: limits(), isFromStart, bug });
  const states = numberOf('states');
  for (let goal = REPORT_STATES; ; goal += REPORT_STATES) {
    const isOver = exploration.run(Math.min(goal, states));
    if (isOver || goal >= states) return exploration;
    if (bug === undefined) print(`  ${summaryOf(exploration.totals)}`);
  }
}

function bugsNamed(names: string): OldBug[] {
  if (names === 'all') return [...OLD_BUGS];
  return names.split(',').map((name) => {
    const bug = OLD_BUGS.find((other) => other.name === name);
    if (bug === undefined) throw new RangeError(`there is no bug ${name}`);
    return bug;
  });
}

/** One bug is told as a story, of several only the outcome. */
async function findBugs(bugs: readonly OldBug[]): Promise<boolean> {
  let isGood = true;
  for (const bug of bugs) {
    const exploration = await explore(bug);
    const { violation, totals } = exploration;
    if (bugs.length === 1) for (const line of exploration.story()) print(line);
    const found = violation === undefined ? 'NOT FOUND' : violation.text;
    print(`${bug.name}: ${totals.states} worlds, depth ${totals.depth}: ${found}`);
    isGood &&= violation !== undefined;
  }
  return isGood;
}

/** What happens on a path that was printed with the same options. */
async function tell(path: string): Promise<boolean> {
  const isFromStart = values.from === 'start';
  const bug = values.bug === undefined ? undefined : bugsNamed(values.bug)[0];
  const exploration = await Exploration.begin({ limits: limits(), isFromStart, bug });
  for (const line of exploration.tell(path.split('.').map(Number))) print(line);
  return true;
}

async function main(): Promise<boolean> {
  if (values.path !== undefined) return tell(values.path);
  if (values.bug !== undefined) return findBugs(bugsNamed(values.bug));
  const exploration = await explore(undefined);
  for (const line of exploration.story()) print(line);
  print(`worlds found at each depth: ${exploration.widths.join(' ')}`);
  print(summaryOf(exploration.totals));
  return exploration.violation === undefined;
}

process.exitCode = (await main()) ? 0 : 1;
