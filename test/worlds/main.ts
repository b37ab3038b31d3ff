/** The command line of the exploration of small worlds. */

import { ToolCommand } from '../../cluster/tool-command.ts';
import { Exploration, summaryOf } from './exploration.ts';
import { OLD_BUGS, type OldBug } from './old-bugs.ts';
import { LIMIT_MAX, type Limits } from './row.ts';

const USAGE = `npm run worlds -- [options]

Explores every state of three servers, breadth first. The last line says what was done; the exit code
is 1 if anything was violated, or if a bug that was put back was not found.

  --states N        so many (default 1000000)
  --writes N, --changes N, --crashes N, --cuts N, --trims N
                    how much may happen in one world: writes and changes of leader (2),
                    crashes and cuts (1), trims of a log (0)
  --from WHERE      settled, with a leader (the default), or start
  --bug NAME,NAME   puts bugs of the original back, or all
  --path PATH       searches nothing, and tells what happens on a path that was printed
`;

const command = new ToolCommand(USAGE);
const values = command.options({
  states: { type: 'string', default: '1000000' },
  writes: { type: 'string', default: '2' },
  changes: { type: 'string', default: '2' },
  crashes: { type: 'string', default: '1' },
  cuts: { type: 'string', default: '1' },
  trims: { type: 'string', default: '0' },
  from: { type: 'string', default: 'settled' },
  bug: { type: 'string' },
  path: { type: 'string' },
});
const isFromStart = command.oneOf('from', values.from, ['settled', 'start']) === 'start';

/** A line of progress after so many worlds. */
const REPORT_STATES = 1_000_000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

type NumberOption = 'states' | 'writes' | 'changes' | 'crashes' | 'cuts' | 'trims';

function numberOf(name: NumberOption): number {
  return command.wholeNumber(name, values[name], 0, name === 'states' ? undefined : LIMIT_MAX);
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
    const known = OLD_BUGS.map((other) => other.name).join(', ');
    return bug ?? command.refuse(`--bug takes all, or some of ${known}, not '${name}'`);
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
